"""A headless Chromium, driven over its DevTools protocol: no driver has to be installed."""

import asyncio
import base64
import itertools
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
START_SECONDS, PATIENCE, ANSWER_SECONDS = 60.0, 60.0, 2.0
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")


def chromium() -> str:
    """Return the browser; without one the test is skipped, unless LEDGERLINE_REQUIRE_BROWSER is set."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.environ.get("LEDGERLINE_REQUIRE_BROWSER"):
        pytest.fail("no Chromium is installed, and LEDGERLINE_REQUIRE_BROWSER is set")
    return found or pytest.skip("no Chromium is installed")


class Tab:
    """One page of the browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self.complaints: list[str] = []

    async def call(self, method: str, patience: float = PATIENCE, **parameters: Any) -> Any:
        """Send one command, and return its result; what the page complains of meanwhile is kept."""
        number = next(self._numbers)
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        async with asyncio.timeout(patience):
            while (answer := json.loads(await self._socket.recv())).get("id") != number:
                self._note(answer)
        assert "error" not in answer, answer
        return answer["result"]

    async def ask(self, script: str) -> Any:
        """Return what a script in the page comes to."""
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def open(self, address: str) -> None:
        """Go to a page, and wait until it is there."""
        await self.ask("window.left = true")
        await self.call("Page.navigate", url=address)
        await self.until("!window.left && document.readyState === 'complete'")

    async def press(self, button: str) -> None:
        """Press the button, or follow the link, of exactly this text, and wait for the page it leads to."""
        find = f"[...document.querySelectorAll('button, a')].find(e => e.textContent.trim() === {json.dumps(button)})"
        # The element's own click: a mouse's is dropped by Chromium while the page has not been painted yet.
        pressed = await self.ask(
            f"(() => {{ const e = {find}; if (e) {{ window.left = true; e.click() }} return !!e }})()"
        )
        assert pressed, f"no button {button!r} in: {await self.text()}"
        await self.until("!window.left && document.readyState === 'complete'")

    async def until(self, script: str) -> None:
        """Wait until a script in the page is true. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            while not await self._holds(script):  # noqa: ASYNC110 - the page cannot set an event of ours
                await asyncio.sleep(0.05)

    async def text(self) -> str:
        """Return what a person reads on the page."""
        return str(await self.ask("document.body.innerText"))

    async def picture(self, file: Path, *, dark: bool = False, width: int = 1280) -> None:
        """Keep a picture of the whole page."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.call("Emulation.setEmulatedMedia", features=features)
        size = {"width": width, "height": 720, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", **size)
        answer = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        await asyncio.to_thread(file.write_bytes, base64.b64decode(answer["data"]))

    async def _holds(self, script: str) -> bool:
        """Return whether a script is true; a page that is being left answers with an error, or not at all."""
        with suppress(AssertionError, TimeoutError):
            answer = await self.call("Runtime.evaluate", patience=ANSWER_SECONDS, expression=script, returnByValue=True)
            return bool(answer["result"].get("value"))
        return False

    def _note(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] in {"error", "warning"}:
            self.complaints.append(event["params"]["entry"]["text"])
        if event.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(event["params"]["exceptionDetails"]))


@asynccontextmanager
async def browsing(folder: Path) -> AsyncIterator[Tab]:
    """Run a browser with a profile of its own."""
    command = [chromium(), *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
    try:
        async with connect(await _address(folder), max_size=None) as socket:
            tab = Tab(socket)
            for domain in ("Page", "Runtime", "Log"):
                await tab.call(f"{domain}.enable")
            yield tab
    finally:
        process.terminate()
        await process.wait()


async def _address(folder: Path) -> str:
    """Return where the first page of the browser listens, once it does. Raises TimeoutError."""
    async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(trust_env=False) as http:
        while True:
            with_port = folder / "DevToolsActivePort"
            if with_port.exists() and len(lines := with_port.read_text().splitlines()) > 1:
                pages = (await http.get(f"http://127.0.0.1:{lines[0]}/json")).json()
                found = [page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"]
                if found:
                    return str(found[0])
            await asyncio.sleep(0.05)
