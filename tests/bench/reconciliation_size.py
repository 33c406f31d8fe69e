"""Time and memory of one reconciliation, in a process of its own: `python -m tests.bench.reconciliation_size`.

Pages are fed to the listing activities directly, without Temporal and without HTTP: what is measured is what comparing
costs beyond the API calls. One of a hundred pairs has drifted, and one party of a hundred more has no client.
"""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import insert
from temporalio.testing import ActivityEnvironment

from activities.capsule_crm import CapsuleCrm
from activities.party_sides import PartyMapping
from activities.reconciliation_listing import ReconciledClients, ReconciledParties
from activities.reconciliation_models import BeginReport, CompareSides, ListPage
from activities.reconciliations import ReportActivities, ReportRules
from connectors.capsule.api import CapsuleApi
from connectors.capsule.models import Party
from connectors.freshbooks.api import FreshBooksApi
from mapping.context import Context
from mapping.engine import Template, load_template
from runtime.keys import KeyRing
from store.reconciliation_models import ReportHead
from store.records import RecordKey
from store.sealed import seal
from store.store import Store
from store.tables import LinkRow
from tests.bench.firms import LargeFirm

CONTEXT = Context(default_currency="EUR")
BATCH = 1_000
ONE_OF = 100


class DriftedFirm(LargeFirm):
    """The same firm after some of its parties have moved house unnoticed."""

    def party(self, number: int) -> Party:
        """Return one party in full."""
        party = super().party(number)
        if number % ONE_OF == ONE_OF // 2 and number < self.shared:
            moved = (party.phone_numbers[0].model_copy(update={"number": "+49 30 1234567"}),)
            return party.model_copy(update={"phone_numbers": moved})
        return party


async def measure(pairs: int) -> dict[str, Any]:
    """Return seconds, megabytes, pages, and what was found."""
    firm = DriftedFirm(pairs + pairs // ONE_OF, pairs, pairs)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{Path(folder) / 'bench.db'}", KeyRing({"bench": bytes(32)}))
        await store.database.migrate()
        template = load_template("capsule-freshbooks/clients").one_way()
        await _link(store, template, LargeFirm(firm.parties, pairs, pairs), pairs)
        before = _peak()
        seconds, head = await _reconcile(store, template, firm)
        await store.close()
    return {
        "parties": firm.parties,
        "clients": firm.clients,
        **seconds,
        "peak_mb_before": before,
        "peak_mb": _peak(),
        "pages": {each.side: each.pages for each in head.sides},
        "in_step": head.in_step,
        "found": head.counts,
        "wanted": {"field-drift": pairs // ONE_OF, "missing-right": pairs // ONE_OF},
        "content_hash": head.content_hash,
    }


async def _reconcile(store: Store, template: Template, firm: LargeFirm) -> tuple[dict[str, float], ReportHead]:
    steps = ReportActivities(store, {"bench": ReportRules("capsule", template)}, _nobody)
    crm = CapsuleCrm(cast(CapsuleApi, firm), "Ledgerline reference")
    parties = ReconciledParties(crm, PartyMapping(template, CONTEXT), store)
    clients = ReconciledClients(cast(FreshBooksApi, firm), template, CONTEXT, store)
    environment = ActivityEnvironment()
    began, worked = time.monotonic(), time.process_time()
    report = await environment.run(steps.begin_report, BeginReport(report_id="bench-1", connection="bench"))
    for stage, deleted in ((parties.list_parties, False), (clients.list_clients, False), (clients.list_clients, True)):
        page, has_more = 1, True
        while has_more:
            asked = ListPage(report=report, page=page, deleted=deleted, began=report.started_at)
            page, has_more = page + 1, (await environment.run(stage, asked)).has_more
    staged, worked_staging = time.monotonic(), time.process_time()
    await environment.run(steps.compare_sides, CompareSides(report=report, is_final=True))
    compared = time.monotonic()
    head = await store.reconciliations.head(report.report_id)
    if head is None:
        raise LookupError("the report is not there")
    seconds = {
        "seconds_listing": round(staged - began, 1),
        "seconds_comparing": round(compared - staged, 1),
        "seconds_of_one_core_listing": round(worked_staging - worked, 1),
        "seconds_of_one_core_comparing": round(time.process_time() - worked_staging, 1),
    }
    return seconds, head


async def _nobody(key: RecordKey, cause: str, priority: int) -> None:
    raise AssertionError("nothing is repaired")


async def _link(store: Store, template: Template, firm: LargeFirm, count: int) -> None:
    """Tie the parties and clients together, as earlier syncs have."""
    for start in range(0, count, BATCH):
        rows = [_link_row(store, template, firm, each) for each in range(start, min(start + BATCH, count))]
        async with store.database.writing() as session:
            await session.execute(insert(LinkRow), rows)


def _link_row(store: Store, template: Template, firm: LargeFirm, number: int) -> dict[str, Any]:
    party, client = firm.party(number), firm.client(number)
    values = template.books_values(client.document(), CONTEXT) | template.crm_values(party.document(), CONTEXT)
    then = datetime(2026, 3, 3, tzinfo=UTC)
    return {
        "connection": "bench",
        "flow": "clients",
        "crm_id": str(party.id),
        "books_id": str(client.id),
        "state": "active",
        "sealed_base": seal(store.keys, values, "links", "base", "bench", "clients", str(party.id)),
        "crm_seen": store.links.fingerprint(template.said(party.document(), CONTEXT)),
        "books_seen": store.links.fingerprint(template.books_values(client.document(), CONTEXT)),
        "mapping_version": template.version,
        "created_at": then,
        "updated_at": then,
    }


def _peak() -> int:
    """Return the most memory that this process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=100_000)
    found = asyncio.run(measure(options.parse_args().pairs))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
