"""What a first sweep of Zoho CRM costs in requests: `python -m tests.bench.zoho_backfill [CONTACTS]`.

The stand-in holds so many contacts, and an account for every fifth of them. The sweep lists them, all of them wait for
a person, who approves; each is then handed to its workflow as a list has shown it, which asks nothing more of Zoho
(tests/workflows/test_zoho_pair.py). Requests are counted where they arrive. Prints one JSON line.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from temporalio.testing import ActivityEnvironment

from activities.models import PartySide
from activities.party_sides import PartyMapping
from activities.sweep_models import SweepPage
from activities.sweeps import SweepActivities
from activities.upkeep_models import BulkFlow
from activities.waiting import WaitingActivities
from activities.zoho_crm import ZohoCrm
from connectors.http import fixed_token, http_client
from connectors.zoho_crm.api import ZohoCrmApi
from mapping.context import Context
from mapping.engine import load_template
from sandbox.app import Sandbox, build_sandbox
from store.store import Store
from tests.databases import TEST_KEYS, sqlite_url

FIRM_OF = 5  # contacts
AT_ONCE = 100


class Heard:
    """Takes note of what would be announced."""

    def __init__(self) -> None:
        self.as_listed = self.to_be_read = 0

    async def party(
        self, connection: str, party_id: int, cause: str, priority: int, side: PartySide | None = None
    ) -> None:
        """Count a party by whether it has to be read once more."""
        del connection, party_id, cause, priority
        self.as_listed, self.to_be_read = self.as_listed + (side is not None), self.to_be_read + (side is None)

    async def client(self, connection: str, client_id: str, cause: str, priority: int) -> None:
        """There are no clients to be announced."""


async def measure(contacts: int) -> dict[str, Any]:
    """Return the requests that a first sweep and the release of all its creates took."""
    sandbox = build_sandbox()
    token = SecretStr(sandbox.zoho_crm_service.about()["tokens"]["access"])
    with tempfile.TemporaryDirectory() as folder:
        store = Store(sqlite_url(Path(folder)), TEST_KEYS)
        await store.database.migrate()
        async with http_client(httpx.ASGITransport(sandbox.zoho_crm)) as http:
            api = ZohoCrmApi(http, fixed_token(token), "http://zoho.test")
            accounts = await _enter(api, contacts)
            before, began = _requests(sandbox), time.monotonic()
            found = await _backfill(api, store)
            took = _requests(sandbox) - before
        await store.close()
    await sandbox.close()
    per_record = round(took / contacts, 4)
    seconds = round(time.monotonic() - began)
    return {"contacts": contacts, "accounts": accounts, "requests": took, "per_contact": per_record, **found} | {
        "seconds": seconds
    }


async def _backfill(api: ZohoCrmApi, store: Store) -> dict[str, int]:
    template, heard, run = load_template("zoho_crm-freshbooks/clients"), Heard(), ActivityEnvironment().run
    crm, mapping = ZohoCrm(api, template, "Ledgerline_Reference"), PartyMapping(template, Context())
    sweeps = SweepActivities(crm, mapping, store, heard.party)
    page, has_more = 1, True
    while has_more:
        swept = await run(sweeps.sweep_parties, SweepPage(connection="bench", page=page, priority=5, keep_creates=True))
        page, has_more = page + 1, swept.has_more
    waiting = WaitingActivities(crm, mapping, store, heard.party, heard.client, at_work=2 * AT_ONCE)
    while (await run(waiting.let_go, BulkFlow(connection="bench", count=AT_ONCE, approved=True))).count:
        pass
    return {"pages": page - 1, "handed_on_as_listed": heard.as_listed, "to_be_read_once_more": heard.to_be_read}


async def _enter(api: ZohoCrmApi, contacts: int) -> int:
    """Enter contacts, and the accounts that employ them."""
    firms: list[str] = []
    for start in range(0, contacts // FIRM_OF, AT_ONCE):
        rows = [{"Account_Name": f"Firm {start + each}"} for each in range(AT_ONCE)]
        firms += _ids(await api.insert("Accounts", rows))
    for start in range(0, contacts, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, contacts))
        people = [{"Last_Name": f"Number {each}", "Email": f"n{each}@bench.test"} for each in numbers]
        employed = [
            {**row, "Account_Name": {"id": firms[number // FIRM_OF]}} if number // FIRM_OF < len(firms) else row
            for number, row in zip(numbers, people, strict=True)
        ]
        _ids(await api.insert("Contacts", employed))
    return len(firms)


def _ids(outcomes: Sequence[Any]) -> list[str]:
    return [str(each.id) for each in outcomes]


def _requests(sandbox: Sandbox) -> int:
    return sum(sandbox.zoho_crm_service.requests.values())


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(measure(int((sys.argv[1:] or ["100000"])[0])))) + "\n")
