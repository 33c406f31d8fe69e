"""The sandbox as `ledgerline up` uses it: a process of its own, and a connection to it in the data folder."""

import os
import sys
from typing import Any

import httpx
from ruamel.yaml import YAML

from runtime.load import SANDBOX_FILE
from runtime.processes import Child
from runtime.settings import Settings

# The sandbox allows more calls than the real services do, so that trying things out is not a lesson in waiting.
CAPSULE_PER_HOUR = 360_000
FRESHBOOKS_PER_MINUTE = 6_000
FIELDS = ("Ledgerline reference",)
INTRODUCTION = """\
# Made by `ledgerline up`, because ledgerline.yaml names no connection: this one leads to the sandbox.
# As soon as ledgerline.yaml has a connection of its own, this file is ignored.
"""


def sandbox_child(settings: Settings) -> Child:
    """Return the sandbox as a process; its ledger in the data folder brings its state back at the next start."""
    ports = settings.sandbox
    command = [sys.executable, "-m", "sandbox", "--ledger", str(settings.data / "sandbox-ledger.jsonl")]
    command += ["--capsule-port", str(ports.capsule_port), "--freshbooks-port", str(ports.freshbooks_port)]
    command += ["--seed", str(ports.seed), "--records", str(ports.records)]
    command += ["--capsule-requests-per-hour", str(CAPSULE_PER_HOUR)]
    command += ["--freshbooks-requests-per-minute", str(FRESHBOOKS_PER_MINUTE)]
    return Child("sandbox", command, ready=lambda: _listens(settings))


def addresses(settings: Settings) -> tuple[str, str]:
    """Return where the sandbox's Capsule and FreshBooks stand."""
    ports = settings.sandbox
    return f"http://127.0.0.1:{ports.capsule_port}", f"http://127.0.0.1:{ports.freshbooks_port}"


async def connect_sandbox(settings: Settings) -> None:
    """Write the connection to the running sandbox into the data folder, where every command finds it."""
    capsule_url, freshbooks_url = addresses(settings)
    async with httpx.AsyncClient(timeout=5) as http:
        capsule = (await http.get(f"{capsule_url}/_sandbox/info")).raise_for_status().json()
        freshbooks = (await http.get(f"{freshbooks_url}/_sandbox/info")).raise_for_status().json()
        await _make_fields(http, capsule_url, capsule["tokens"]["access"])
    connection = {
        "capsule": {
            "token": capsule["tokens"]["access"],
            "base_url": capsule_url,
            "requests_per_hour": CAPSULE_PER_HOUR,
        },
        "freshbooks": {
            "token": freshbooks["tokens"]["access"],
            "base_url": freshbooks_url,
            "account_id": freshbooks["account_id"],
            "requests_per_minute": FRESHBOOKS_PER_MINUTE,
        },
        # The sandbox shows what it did at once, so a lost create settles in seconds.
        "settle_time": "3s",
        "request_timeout": "10s",
        "clients": {"sweep_every": "1m", "default_currency": "EUR", "default_language": "en", "phone_region": "GB"},
    }
    _write(settings, connection)


async def _make_fields(http: httpx.AsyncClient, capsule_url: str, token: str) -> None:
    """Make the custom fields that the shipped mapping reads, as `ledgerline connect` does for a real account."""
    url, headers = f"{capsule_url}/api/v2/parties/fields/definitions", {"Authorization": f"Bearer {token}"}
    listed = (await http.get(url, headers=headers, params={"perPage": 100})).raise_for_status().json()["definitions"]
    for name in {*FIELDS} - {each["name"] for each in listed}:
        made = await http.post(url, headers=headers, json={"definition": {"name": name, "type": "text"}})
        made.raise_for_status()


def _write(settings: Settings, connection: dict[str, Any]) -> None:
    receiver = settings.receiver
    content = {
        "connections": {"sandbox": connection},
        "receiver": {"public_url": receiver.public_url or f"http://{receiver.host}:{receiver.port}"},
    }
    path = settings.data / SANDBOX_FILE
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(INTRODUCTION)
        YAML().dump(content, file)


async def _listens(settings: Settings) -> bool:
    try:
        async with httpx.AsyncClient(timeout=2) as http:
            answers = [await http.get(f"{url}/_sandbox/info") for url in addresses(settings)]
    except httpx.HTTPError:
        return False
    return all(answer.is_success for answer in answers)
