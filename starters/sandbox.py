"""The sandbox as `ledgerline up` uses it: a process for each CRM, and connections to them in the data folder.

A stand-in of FreshBooks holds one account and a connection needs one of its own: each CRM's process brings its own.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from ruamel.yaml import YAML

from runtime.load import SANDBOX_FILE
from runtime.processes import Child
from runtime.settings import REFERENCE_FIELDS, Settings
from starters.sandbox_pipelines import fill_capsule, fill_zoho_crm

CAPSULE, ZOHO_CRM = "sandbox", "sandbox-zoho"
CONNECTIONS = (CAPSULE, ZOHO_CRM)
"""The connections to the sandbox, and the names of its processes."""

# The sandbox allows more calls than the real services do, so that trying things out is not a lesson in waiting.
CAPSULE_PER_HOUR = 360_000
ZOHO_CRM_PER_MINUTE = FRESHBOOKS_PER_MINUTE = 6_000
SHOWN_IN_CAPSULE = {"status": "Invoice status", "paid": "Paid", "outstanding": "Outstanding"}
"""Custom fields of opportunities, by what of an invoice they show."""
CAPSULE_PIPELINE = {
    "sweep_every": "1m",
    "estimate_from": ["Proposal"],
    "milestones": {"Won": "accepted"},
    "invoice_fields": SHOWN_IN_CAPSULE,
}
CAPSULE_BILLING = {
    "rates_currency": "EUR",
    "time_zone": "Europe/Berlin",
    "approvals": {"above": {"EUR": "500"}},
}
"""How hours are billed there: by the month, as drafts; larger ones wait for a person."""
ZOHO_CRM_PIPELINE = {
    "sweep_every": "1m",
    "estimate_from": ["Proposal/Price Quote"],
    "milestones": {"Closed Won": "accepted"},
}
INTRODUCTION = """\
# Made by `ledgerline up`, because ledgerline.yaml names no connection: these lead to the sandbox.
# As soon as ledgerline.yaml has a connection of its own, this file is ignored.
"""


def sandbox_children(settings: Settings) -> list[Child]:
    """Return the processes of the sandbox."""
    return [sandbox_child(settings), _zoho_crm_child(settings)]


def sandbox_child(settings: Settings) -> Child:
    """Return Capsule and its FreshBooks as a process; its ledger in the data folder brings its state back at the next
    start.
    """
    ports = settings.sandbox
    options = ["--capsule-port", str(ports.capsule_port), "--freshbooks-port", str(ports.freshbooks_port)]
    options += ["--seed", str(ports.seed), "--records", str(ports.records)]
    options += ["--capsule-requests-per-hour", str(CAPSULE_PER_HOUR)]
    return _child(settings, CAPSULE, addresses(settings), options)


def _zoho_crm_child(settings: Settings) -> Child:
    ports = settings.sandbox
    options = ["--zoho-crm-port", str(ports.zoho_crm_port), "--freshbooks-port", str(ports.zoho_freshbooks_port)]
    # Another seed, and so other tokens: whoever takes one FreshBooks for the other is refused.
    options += ["--seed", str(ports.seed + 1), "--zoho-crm-records", str(ports.records)]
    return _child(settings, ZOHO_CRM, zoho_crm_addresses(settings), options)


def addresses(settings: Settings) -> tuple[str, str]:
    """Return where the sandbox's Capsule and its FreshBooks stand."""
    ports = settings.sandbox
    return _local(ports.capsule_port), _local(ports.freshbooks_port)


def zoho_crm_addresses(settings: Settings) -> tuple[str, str]:
    """Return where the sandbox's Zoho CRM and its FreshBooks stand."""
    ports = settings.sandbox
    return _local(ports.zoho_crm_port), _local(ports.zoho_freshbooks_port)


async def connect_sandbox(settings: Settings) -> None:
    """Write the connections to the running sandbox into the data folder, where every command finds them.

    At the first start a few opportunities are entered as well. The tokens are those that the stand-ins have from the
    start, which do not end.
    """
    async with httpx.AsyncClient(timeout=5) as http:
        connections = {CAPSULE: await _of_capsule(http, settings), ZOHO_CRM: await _of_zoho_crm(http, settings)}
    _write(settings, connections)


async def _of_capsule(http: httpx.AsyncClient, settings: Settings) -> dict[str, Any]:
    url, freshbooks_url = addresses(settings)
    token = (await _info(http, url))["tokens"]["access"]
    await _make_capsule_field(http, url, token, "parties", REFERENCE_FIELDS["capsule"])
    for name in SHOWN_IN_CAPSULE.values():
        await _make_capsule_field(http, url, token, "opportunities", name)
    await fill_capsule(http, url, token)
    account = {"token": token, "base_url": url, "requests_per_hour": CAPSULE_PER_HOUR}
    flows = {"opportunities": CAPSULE_PIPELINE, "billing": CAPSULE_BILLING, "payments": {"sweep_every": "1m"}}
    return {"capsule": account, **flows, **await _with_freshbooks(http, freshbooks_url)}


async def _of_zoho_crm(http: httpx.AsyncClient, settings: Settings) -> dict[str, Any]:
    url, freshbooks_url = zoho_crm_addresses(settings)
    token = (await _info(http, url))["tokens"]["access"]
    await _make_zoho_crm_fields(http, url, token)
    await fill_zoho_crm(http, url, token)
    account = {"token": token, "base_url": url, "accounts_url": url, "requests_per_minute": ZOHO_CRM_PER_MINUTE}
    return {"zoho_crm": account, "opportunities": ZOHO_CRM_PIPELINE, **await _with_freshbooks(http, freshbooks_url)}


async def _with_freshbooks(http: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """Return what connections to the sandbox have in common, whichever the CRM."""
    freshbooks = await _info(http, url)
    return {
        "freshbooks": {
            "token": freshbooks["tokens"]["access"],
            "base_url": url,
            "account_id": freshbooks["account_id"],
            "requests_per_minute": FRESHBOOKS_PER_MINUTE,
        },
        # The sandbox shows what it did at once, so a lost create settles in seconds.
        "settle_time": "3s",
        "request_timeout": "10s",
        "clients": {"sweep_every": "1m", "default_currency": "EUR", "default_language": "en", "phone_region": "GB"},
    }


async def _make_capsule_field(http: httpx.AsyncClient, capsule_url: str, token: str, kind: str, name: str) -> None:
    """Make a text custom field of parties or opportunities, as `ledgerline connect` does for a real account."""
    url, headers = f"{capsule_url}/api/v2/{kind}/fields/definitions", {"Authorization": f"Bearer {token}"}
    listed = (await http.get(url, headers=headers, params={"perPage": 100})).raise_for_status().json()["definitions"]
    if name not in {each["name"] for each in listed}:
        made = await http.post(url, headers=headers, json={"definition": {"name": name, "type": "text"}})
        made.raise_for_status()


async def _make_zoho_crm_fields(http: httpx.AsyncClient, zoho_crm_url: str, token: str) -> None:
    """Make the same for Zoho CRM, where contacts and accounts have fields of their own. The API name comes of the
    label.
    """
    url, headers = f"{zoho_crm_url}/crm/v8/settings/fields", {"Authorization": f"Zoho-oauthtoken {token}"}
    name = REFERENCE_FIELDS["zoho_crm"]
    field = {"field_label": name.replace("_", " "), "data_type": "text", "unique": {"casesensitive": False}}
    for module in ({"module": "Contacts"}, {"module": "Accounts"}):
        listed = (await http.get(url, headers=headers, params=module)).raise_for_status().json()["fields"]
        if name not in {each["api_name"] for each in listed}:
            made = await http.post(url, headers=headers, params=module, json={"fields": [field]})
            made.raise_for_status()


async def _info(http: httpx.AsyncClient, url: str) -> dict[str, Any]:
    return dict((await http.get(f"{url}/_sandbox/info")).raise_for_status().json())


def _write(settings: Settings, connections: Mapping[str, Any]) -> None:
    receiver = settings.receiver
    content = {
        "connections": dict(connections),
        "receiver": {"public_url": receiver.public_url or f"http://{receiver.host}:{receiver.port}"},
    }
    path = settings.data / SANDBOX_FILE
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(INTRODUCTION)
        YAML().dump(content, file)


def _child(settings: Settings, name: str, urls: Sequence[str], options: Sequence[str]) -> Child:
    command = [sys.executable, "-m", "sandbox", "--ledger", str(settings.data / f"{name}-ledger.jsonl"), *options]
    command += ["--freshbooks-requests-per-minute", str(FRESHBOOKS_PER_MINUTE)]
    return Child(name, command, ready=lambda: _listen(urls))


async def _listen(urls: Sequence[str]) -> bool:
    try:
        async with httpx.AsyncClient(timeout=2) as http:
            answers = [await http.get(f"{url}/_sandbox/info") for url in urls]
    except httpx.HTTPError:
        return False
    return all(answer.is_success for answer in answers)


def _local(port: int) -> str:
    return f"http://127.0.0.1:{port}"
