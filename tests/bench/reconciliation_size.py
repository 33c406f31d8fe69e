"""Time and memory of one reconciliation, in a process of its own: `python -m tests.bench.reconciliation_size`.

Pages are fed to the listing activities directly, without Temporal and without HTTP, and making them up is not counted:
what is measured is what a comparison costs beyond the API calls. A hundredth of the pairs has each class of difference;
every one has to be found, with both values, and nothing else.
"""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import insert, update
from temporalio.testing import ActivityEnvironment

from activities.capsule_crm import CapsuleCrm
from activities.party_sides import PartyMapping
from activities.reconciliation_listing import ReconciledClients, ReconciledParties
from activities.reconciliation_models import BeginReport, CompareSides, ListPage, Report
from activities.reconciliations import ReportActivities, ReportRules
from connectors.capsule.api import CapsuleApi
from connectors.freshbooks.api import FreshBooksApi
from mapping.context import Context
from mapping.engine import Template, load_template
from runtime.keys import KeyRing
from store.reconciliation_models import ReportHead
from store.records import RecordKey
from store.sealed import seal
from store.store import Store
from store.tables import CursorRow, LinkRow
from tests.bench.seeded_firm import Found, SeededFirm, found_in

CONTEXT = Context(default_currency="EUR")
BATCH = 1_000
ONE_OF = 100
EVERY, LONG_AGO = timedelta(minutes=5), datetime(2026, 3, 4, tzinfo=UTC)
STREAM, HOOK = "capsule.parties", "capsule party/updated"


async def measure(pairs: int) -> dict[str, Any]:
    """Return seconds, megabytes, pages, and whether what was found is what was seeded."""
    firm = SeededFirm.of(pairs, pairs // ONE_OF)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{Path(folder) / 'bench.db'}", KeyRing({"bench": bytes(32)}))
        await store.database.migrate()
        template = load_template("capsule-freshbooks/clients")
        await _link(store, template, firm, pairs)
        await _silence(store)
        expected, before = firm.expected(), _peak()
        firm.made.clear()
        seconds, head = await _reconcile(store, template, firm)
        found = await _found(store, head)
        peak = _peak()
        await store.close()
    silent = {(kind, (), (), ()) for kind in ("stale-hook", "cursor-gap")}
    return {
        "parties": len(firm.party_rows),
        "clients": len(firm.client_rows),
        **seconds,
        "peak_mb_before": before,
        "peak_mb": peak,
        "pages_read": sum(each.pages for each in head.sides),
        "pages_there": firm.pages,
        "in_step": head.in_step,
        "found": head.counts,
        "not_found": len((expected | silent) - found),
        "invented": len(found - expected - silent),
        "content_hash": head.content_hash,
    }


async def _reconcile(store: Store, template: Template, firm: SeededFirm) -> tuple[dict[str, float], ReportHead]:
    steps = ReportActivities(store, {"bench": ReportRules("capsule", template, {STREAM: EVERY})}, _nobody)
    environment = ActivityEnvironment()
    began, worked = time.monotonic(), time.process_time()
    report = await environment.run(steps.begin_report, BeginReport(report_id="bench-1", connection="bench"))
    await _list(store, template, firm, report)
    listed = time.process_time()
    await environment.run(steps.compare_sides, CompareSides(report=report, is_final=True, missing_hooks=[HOOK]))
    compared, made = time.process_time(), sum(firm.made)
    head = await store.reconciliations.head(report.report_id)
    if head is None:
        raise LookupError("the report is not there")
    return {
        "seconds_by_the_clock": round(time.monotonic() - began, 1),
        "seconds_of_making_up_pages": round(made, 1),
        "seconds_of_one_core_listing": round(listed - worked - made, 1),
        "seconds_of_one_core_comparing": round(compared - listed, 1),
    }, head


async def _list(store: Store, template: Template, firm: SeededFirm, report: Report) -> None:
    crm = CapsuleCrm(cast(CapsuleApi, firm), "Ledgerline reference")
    parties = ReconciledParties(crm, PartyMapping(template, CONTEXT), store)
    clients = ReconciledClients(cast(FreshBooksApi, firm), template, CONTEXT, store)
    for stage, deleted in ((parties.list_parties, False), (clients.list_clients, False), (clients.list_clients, True)):
        page, has_more = 1, True
        while has_more:
            asked = ListPage(report=report, page=page, deleted=deleted, began=report.started_at)
            page, has_more = page + 1, (await ActivityEnvironment().run(stage, asked)).has_more


async def _found(store: Store, head: ReportHead) -> set[Found]:
    found: set[Found] = set()
    while page := await store.reconciliations.mismatches(head.id, offset=len(found), limit=BATCH):
        found |= {found_in(each) for each in page}
    return found


async def _silence(store: Store) -> None:
    """Let no sweep have read the parties for days."""
    await store.cursors.advance("bench", STREAM, LONG_AGO)
    async with store.database.writing() as session:
        await session.execute(update(CursorRow).values(updated_at=LONG_AGO))


async def _nobody(key: RecordKey, cause: str, priority: int) -> None:
    raise AssertionError("nothing is repaired")


async def _link(store: Store, template: Template, firm: SeededFirm, count: int) -> None:
    """Tie the parties and clients together, as earlier syncs have."""
    for start in range(0, count, BATCH):
        rows = [_link_row(store, template, firm, each) for each in range(start, min(start + BATCH, count))]
        async with store.database.writing() as session:
            await session.execute(insert(LinkRow), rows)


def _link_row(store: Store, template: Template, firm: SeededFirm, number: int) -> dict[str, Any]:
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
    options.add_argument("--pairs", type=int, default=99_000)
    found = asyncio.run(measure(options.parse_args().pairs))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
