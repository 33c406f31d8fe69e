import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

COMMAND = [sys.executable, "-m", "sandbox", "--freshbooks-port", "0", "--records", "3"]


@contextmanager
def running(ledger: Path) -> Iterator[dict[str, str]]:
    """Run the sandbox on free ports; afterwards it must stop within a second, without complaint."""
    command = [*COMMAND, "--capsule-port", "0", "--ledger", str(ledger)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield json.loads(process.stdout.readline())
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=10)
        assert (process.returncode, complaints) == (0, "")
        assert time.monotonic() - started < 2  # a second, and one more for a busy machine
    finally:
        process.kill()


def capsule(addresses: dict[str, str]) -> httpx.Client:
    base = addresses["capsule"]
    token = httpx.get(f"{base}/_sandbox/info").json()["tokens"]["access"]
    return httpx.Client(base_url=f"{base}/api/v2", headers={"Authorization": f"Bearer {token}"})


def create(client: httpx.Client, name: str) -> httpx.Response:
    return client.post("/parties", json={"party": {"type": "organisation", "name": name}})


@contextmanager
def listening() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Receive hooks on a real port."""
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", received
    server.shutdown()
    thread.join()
    server.server_close()


def wait_for(received: list[dict[str, Any]]) -> dict[str, Any]:
    deadline = time.monotonic() + 10
    while not received and time.monotonic() < deadline:
        time.sleep(0.02)
    return received[0]


def test_a_process_cuts_connections_delivers_hooks_and_rises_again(tmp_path: Path) -> None:
    """F7 of the fault plan: the caller hears nothing, and the write is there, also after a restart."""
    ledger = tmp_path / "ledger.jsonl"
    with listening() as (target, received), running(ledger) as addresses, capsule(addresses) as client:
        hook = {"restHook": {"event": "party/created", "targetUrl": target}}
        assert client.post("/resthooks", json=hook).status_code == 201
        rule = {"method": "POST", "path": "/parties$", "fault": "commit_then_cut", "times": 1}
        httpx.post(f"{addresses['capsule']}/_sandbox/faults", json=rule)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            create(client, "Lost Ltd")
        assert wait_for(received)["payload"][0]["name"] == "Lost Ltd"
        assert create(client, "Found Ltd").status_code == 201
        before = client.get("/parties").json()
    with running(ledger) as addresses, capsule(addresses) as client:
        assert client.get("/parties").json() == before
        assert len(before["parties"]) == 5
        assert len(client.get("/resthooks").json()["restHooks"]) == 1


def test_a_call_in_progress_does_not_hold_up_the_end(tmp_path: Path) -> None:
    seen: list[str] = []

    def wait(client: httpx.Client) -> None:
        try:
            client.get("/site", timeout=20)
        except httpx.HTTPError as error:
            seen.append(type(error).__name__)

    with running(tmp_path / "ledger.jsonl") as addresses:
        httpx.post(f"{addresses['capsule']}/_sandbox/faults", json={"fault": "latency", "seconds": 30})
        thread = threading.Thread(target=wait, args=(capsule(addresses),))
        thread.start()
        time.sleep(0.5)
    thread.join(timeout=10)
    assert seen[0] in {"RemoteProtocolError", "ReadError"}


def test_a_taken_port_is_named_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [*COMMAND, "--capsule-port", str(port), "--ledger", str(tmp_path / "ledger.jsonl")]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in ended.stderr


def test_what_has_no_port_does_not_listen_and_something_must(tmp_path: Path) -> None:
    """Zoho CRM alone will do; nothing at all is a mistake, which is named."""
    command = [sys.executable, "-m", "sandbox", "--ledger", str(tmp_path / "ledger.jsonl")]
    with subprocess.Popen([*command, "--zoho-crm-port", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        addresses = json.loads(process.stdout.readline())
        process.terminate()
    assert list(addresses) == ["zoho_crm"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert "nothing would listen: give --capsule-port, --freshbooks-port or --zoho-crm-port" in ended.stderr


def test_a_refresh_whose_caller_died_is_not_counted_as_answered(tmp_path: Path) -> None:
    """F9: the process that asked is gone, and the refresh token is used up all the same."""
    with running(tmp_path / "ledger.jsonl") as addresses:
        base = addresses["freshbooks"]
        info = httpx.get(f"{base}/_sandbox/info").json()
        httpx.post(f"{base}/_sandbox/settings", json={"oauth": {"refresh_seconds": 1}})
        form = {"grant_type": "refresh_token", "redirect_uri": "https://us.test/back", **info["oauth"]}
        form["refresh_token"] = info["tokens"]["refresh"]
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{base}/auth/oauth/token", data=form, timeout=0.3)
        replay = httpx.post(f"{base}/auth/oauth/token", data=form, timeout=10)
        assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
        counts = httpx.get(f"{base}/_sandbox/info").json()["refreshes"]
    assert (counts["asked"], counts["succeeded"], counts["answered"]) == (2, 1, 0)
    assert (counts["used_again"], counts["used_again_after_success"], counts["at_once"]) == (1, 0, 2)
