"""Memory of one full sweep over N parties, in a process of its own: `python -m tests.bench.sweep_memory URL TOKEN`."""

import asyncio
import json
import resource
import sys
import tempfile
from pathlib import Path

from pydantic import SecretStr
from temporalio.testing import ActivityEnvironment

from activities.capsule_crm import CapsuleCrm
from activities.models import PartySide
from activities.party_sides import PartyMapping
from activities.sweep_models import SweepPage
from activities.sweeps import SweepActivities
from connectors.capsule.api import CapsuleApi
from connectors.http import fixed_token, http_client
from mapping.context import Context
from mapping.engine import load_template
from runtime.keys import KeyRing
from store.store import Store


async def measure(url: str, token: str) -> dict[str, int]:
    """Return parties, pages, and the peak of this process's memory in kB after the first page and at the end."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{Path(folder) / 'bench.db'}", KeyRing({"bench": bytes(32)}))
        await store.database.migrate()
        async with http_client() as http:
            api = CapsuleApi(http, fixed_token(SecretStr(token)), url)
            crm = CapsuleCrm(api, "Ledgerline reference")
            mapping = PartyMapping(load_template("capsule-freshbooks/clients"), Context())
            found = await _sweep(SweepActivities(crm, mapping, store, _note))
        await store.close()
    return found


async def _sweep(sweeps: SweepActivities) -> dict[str, int]:
    parties = pages = first = 0
    more = True
    while more:
        pages += 1
        page = SweepPage(connection="bench", page=pages)
        swept = await ActivityEnvironment().run(sweeps.sweep_parties, page)
        parties, more = parties + swept.listed, swept.has_more
        first = first or _peak()
    return {"parties": parties, "pages": pages, "after_first_page_kb": first, "at_the_end_kb": _peak()}


async def _note(connection: str, party_id: int, cause: str, priority: int, side: PartySide | None = None) -> None:
    """Announce nothing: only the sweep itself is measured."""
    del connection, party_id, cause, priority, side


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(measure(*sys.argv[1:3]))) + "\n")
