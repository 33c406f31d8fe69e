"""Where planted strings are looked for: all that a running system leaves behind, byte by byte."""

import asyncio
import base64
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from runtime.server import temporal_cli
from runtime.temporal import target
from tests.faults.planted import Mark
from tests.faults.rig import Rig

NOT_OURS = ("sandbox.log",)  # what the providers' stand-ins say of their own customers is their business
AT_ONCE = 4
WIDE = {"COLUMNS": "400", "NO_COLOR": "1"}  # a table must not break a planted string in two


def traces(marks: Iterable[Mark], place: bytes) -> list[str]:
    """Return the kinds whose marks are found: in plain text of either case, in hexadecimal, or within base64."""
    lower = place.lower()
    return [mark.kind for mark in marks if _is_in(mark.text.encode(), place, lower)]


def _is_in(text: bytes, place: bytes, lower: bytes) -> bool:
    plain = [text.lower(), text.hex().encode(), text.decode().encode("utf-16-le").lower()]
    if any(form in lower for form in plain):
        return True
    return any(form in place or form.translate(URL_SAFE) in place for form in _in_base64(text))


URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _in_base64(text: bytes) -> list[bytes]:
    """Return what base64 makes of a text in the middle of others: it depends on where in a group of three it begins."""
    forms = []
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + text)
        from_start, from_end = (0, 2, 3)[shift], (0, 3, 2)[(len(text) + shift) % 3]
        forms.append(whole[from_start : len(whole) - from_end or None])
    return forms


def files(rig: Rig) -> dict[str, bytes]:
    """Return the raw bytes of logs and databases, write-ahead logs included."""
    logs = [path for path in (rig.folder / "logs").iterdir() if path.name not in NOT_OURS]
    databases = [*rig.folder.glob("ledgerline.db*"), *rig.folder.glob("temporal.db*")]
    return {path.name: path.read_bytes() for path in (*logs, *databases)}


async def pages(rig: Rig, workers: Sequence[str]) -> dict[str, bytes]:
    """Return what the metrics of receiver and workers say."""
    metrics = rig.settings.metrics
    urls = {"metrics of the receiver": f"http://{metrics.host}:{metrics.receiver_port}/metrics"}
    urls |= {f"metrics of {name}": f"http://127.0.0.1:{rig.metrics_ports[name]}/metrics" for name in workers}
    return {name: (await rig.sides.http.get(url)).raise_for_status().content for name, url in urls.items()}


async def histories(rig: Rig) -> dict[str, bytes]:
    """Return what Temporal's own command line exports without our codec: every history, and what lists show."""
    cli, (address, _) = await temporal_cli(rig.settings), target(rig.settings)
    common = ["--address", address, "--output", "json"]
    found = {"visibility": await run([cli, "workflow", "list", "--limit", "1000", *common])}
    places = asyncio.Semaphore(AT_ONCE)

    async def export(workflow_id: str, run_id: str) -> None:
        async with places:
            command = [cli, "workflow", "show", "--workflow-id", workflow_id, "--run-id", run_id, *common]
            found[f"history of {workflow_id} ({run_id})"] = await run(command)

    ran = [(each.id, each.run_id) async for each in rig.temporal.list_workflows()]
    await asyncio.gather(*(export(*each) for each in ran))
    return found


async def spoken(*commands: Sequence[str], environment: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """Return what `ledgerline …` prints, by command."""
    told = await asyncio.gather(
        *(run([sys.executable, "-m", "starters", *command], environment) for command in commands)
    )
    return {f"ledgerline {' '.join(command)}": each for command, each in zip(commands, told, strict=True)}


async def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> bytes:
    """Return what a command prints, to either stream; its exit code does not matter here."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **WIDE, **(environment or {})},
    )
    output, _ = await process.communicate()
    return output
