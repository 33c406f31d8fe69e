"""Time and memory of one plan, in a process of its own: `python -m tests.bench.plan_size [--linked 70000]`.

Pages are fed to the listing activities directly, without Temporal and without HTTP: what is measured is what a plan
costs beyond the API calls. A second writer works on the same database all the while; its longest wait is measured.
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

from sqlalchemy import insert
from temporalio.testing import ActivityEnvironment

from activities.capsule_crm import CapsuleCrm
from activities.client_plans import PlanActivities, PlanRules
from activities.party_sides import PartyMapping
from activities.plan_listing import ClientListing, PartyListing
from activities.plan_models import NewPlan, PlanName, StagePage
from connectors.capsule.api import CapsuleApi
from connectors.freshbooks.api import FreshBooksApi
from mapping.context import Context
from mapping.engine import Template, load_template
from runtime.keys import KeyRing
from runtime.quota import Allowance
from store.sealed import seal
from store.store import Store
from store.tables import LinkRow
from tests.bench.firms import LargeFirm

PLAN = PlanName(plan_id="bench-1", connection="bench")
CONTEXT = Context(default_currency="EUR")
BATCH = 1_000


async def measure(firm: LargeFirm, linked: int) -> dict[str, Any]:
    """Return seconds, megabytes, the longest wait of another writer, and what was planned."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{Path(folder) / 'bench.db'}", KeyRing({"bench": bytes(32)}))
        await store.database.migrate()
        template = load_template("capsule-freshbooks/clients")
        await _link(store, template, firm, linked)
        before = _peak()
        waits: list[float] = []
        writer = asyncio.create_task(_write_beside(store, waits))
        seconds = await _plan(store, template, firm)
        writer.cancel()
        plan = await store.plans.find(PLAN.plan_id)
        await store.close()
    assert plan is not None
    return {
        "parties": firm.parties,
        "clients": firm.clients,
        "linked": linked,
        **seconds,
        "peak_mb_before": before,
        "peak_mb": _peak(),
        "longest_wait_of_another_writer_s": round(max(waits), 2),
        "summary": plan.summary,
    }


async def _plan(store: Store, template: Template, firm: LargeFirm) -> dict[str, float]:
    per_hour = {"capsule": 4000, "freshbooks": 18_000}
    quotas = {each: store.quotas.of("bench", each, Allowance(per_hour[each], timedelta(hours=1))) for each in per_hour}
    plans = PlanActivities(store, {"bench": PlanRules(template, quotas, 200)})
    crm = CapsuleCrm(cast(CapsuleApi, firm), "Ledgerline reference")
    parties = PartyListing(crm, PartyMapping(template, CONTEXT), store)
    clients = ClientListing(cast(FreshBooksApi, firm), template, CONTEXT, store)
    environment = ActivityEnvironment()
    expires_at = datetime.now(UTC) + timedelta(days=7)
    await environment.run(plans.begin_plan, NewPlan(plan=PLAN, expires_at=expires_at))
    began, worked = time.monotonic(), time.process_time()
    for stage in (parties.stage_parties, clients.stage_clients):
        page, has_more = 1, True
        while has_more:
            listed = await environment.run(stage, StagePage(plan=PLAN, page=page))
            page, has_more = page + 1, listed.has_more
    staged = time.monotonic()
    peak = _peak()
    await environment.run(plans.make_plan, PLAN)
    made = time.monotonic()
    return {
        "seconds_listing": round(staged - began, 1),
        "seconds_making": round(made - staged, 1),
        "seconds_of_one_core": round(time.process_time() - worked, 1),
        "peak_mb_after_listing": peak,
    }


async def _write_beside(store: Store, waits: list[float]) -> None:
    """Write as a webhook's sync would, again and again."""
    while True:
        began = time.monotonic()
        await store.cursors.advance("bench", "beside", datetime.now(UTC))
        waits.append(time.monotonic() - began)
        await asyncio.sleep(0.02)


async def _link(store: Store, template: Template, firm: LargeFirm, count: int) -> None:
    """Tie the first parties and clients together, as earlier syncs have; one of ten parties has changed since."""
    for start in range(0, count, BATCH):
        rows = [_link_row(store, template, firm, each) for each in range(start, min(start + BATCH, count))]
        async with store.database.writing() as session:
            await session.execute(insert(LinkRow), rows)


def _link_row(store: Store, template: Template, firm: LargeFirm, number: int) -> dict[str, Any]:
    party, client = firm.party(number), firm.client(number)
    values = template.books_values(client.document(), CONTEXT)
    if number % 10:
        values |= template.crm_values(party.document(), CONTEXT)
    return {
        "connection": "bench",
        "flow": "clients",
        "crm_id": str(party.id),
        "books_id": str(client.id),
        "state": "active",
        "sealed_base": seal(store.keys, values, "links", "base", "bench", "clients", str(party.id)),
        "crm_seen": "then",
        "books_seen": "then",
        "mapping_version": template.version,
        "created_at": datetime.now(UTC),
        "updated_at": datetime.now(UTC),
    }


def _peak() -> int:
    """Return the most memory that this process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--parties", type=int, default=100_000)
    options.add_argument("--clients", type=int, default=80_000)
    options.add_argument("--shared", type=int, default=70_000)
    options.add_argument("--linked", type=int, default=0)
    given = options.parse_args()
    found = asyncio.run(measure(LargeFirm(given.parties, given.clients, given.shared), given.linked))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
