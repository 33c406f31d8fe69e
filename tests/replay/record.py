"""Records histories of real runs, which every later version of the workflows has to be able to replay.

    python -m tests.replay.record [NAME …]

Without names everything is recorded anew into `histories/`. Do that only when a scenario is added: an old history that
no longer replays means that running workflows would break, and the cure is `workflow.patched`, not a new recording.
Payloads are sealed with the fixed keys of the tests.
"""

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import WorkflowHandle

from runtime.queues import WORKFLOW_QUEUE
from runtime.settings import Alerts
from starters.schedules import ensure_schedules
from starters.wanted_schedules import wanted_schedules
from store.store import Store
from tests.channels import Post
from tests.databases import TEST_KEYS, sqlite_url
from tests.pipelines import sell
from tests.projects import opens_projects
from tests.replay.hours import HOURS
from tests.replay.opportunities import OPPORTUNITIES
from tests.replay.pairs import TWO_WAY
from tests.replay.payments import PAYMENTS
from tests.replay.plans import PLANS
from tests.replay.projects import PROJECTS
from tests.replay.reconciliations import MONEY, RECONCILIATIONS
from tests.replay.zoho import ZOHO
from tests.sandboxes import open_firm
from tests.temporal_server import embedded_server
from tests.timesheets import bills_hours
from tests.workflows.office import Office, until
from tests.zoho_firms import ZohoPeople
from worker.alerts import alert_queue
from worker.main import account_worker
from workflows.alerts import AlertTest, AlertWatch
from workflows.checks import ConnectionCheck
from workflows.client_sweeps import ClientSweep
from workflows.consent import ConsentNeeded
from workflows.hooks import CallbackVerification, HookUpkeep
from workflows.models import (
    AlertWatchRequest,
    CallbackRequest,
    CheckRequest,
    ClientSweepRequest,
    ConnectionRequest,
    ConsentRequest,
    Resolution,
    SweepRequest,
)
from workflows.sweeps import PartySweep

HISTORIES = Path(__file__).parent / "histories"
OFFICE = [{"address": "office@acme.test"}]

Handle = WorkflowHandle[Any, Any]


async def updated(office: Office) -> Handle:
    """A party in step is changed, and its client with it."""
    party_id = await office.firm.new_party(emailAddresses=OFFICE)
    await office.sync(party_id)
    await office.firm.change_party(party_id, name="Acme & Sons")
    await office.sync(party_id)
    return office.workflow(party_id)


async def created(office: Office) -> Handle:
    """A party becomes a client."""
    party_id = await office.firm.new_party(emailAddresses=OFFICE)
    await office.sync(party_id)
    return office.workflow(party_id)


async def held_and_picked(office: Office) -> Handle:
    """Two clients have the party's address; news arrive; a person asks for another try, then picks one."""
    clients = [await office.firm.new_client(organization=name, email="office@acme.test") for name in ("North", "South")]
    party_id = await office.firm.new_party(emailAddresses=OFFICE)
    await office.announce(party_id)
    opened = (await office.hold(party_id)).opened_at
    await office.announce(party_id, cause="sweep", rank=3)
    await office.announce(party_id, cause="Ida asked", rank=1)
    opened = (await office.held_anew(party_id, opened)).opened_at
    await office.resolve(party_id, Resolution(choice="retry"))
    await office.held_anew(party_id, opened)
    await office.resolve(party_id, Resolution(choice="pick", client_id=clients[0]))
    await office.result(party_id)
    return office.workflow(party_id)


async def refused_and_skipped(office: Office) -> Handle:
    """FreshBooks refuses the client, and a person leaves it."""
    party_id = await office.firm.new_party()
    office.firm.edit_party(party_id, name="Acme " * 60)
    await office.announce(party_id)
    await office.hold(party_id)
    await office.resolve(party_id, Resolution(choice="skip"))
    await office.result(party_id)
    return office.workflow(party_id)


async def in_doubt(office: Office) -> Handle:
    """The answer to the create is lost; the client is found after the wait."""
    office.firm.books_fault(method="POST", fault="commit_then_cut", times=1)
    return await created(office)


async def gone(office: Office) -> Handle:
    """The party was deleted."""
    party_id = await office.firm.new_party()
    await office.firm.delete_party(party_id)
    await office.sync(party_id)
    return office.workflow(party_id)


async def sweep(office: Office) -> Handle:
    """Two pages of parties are listed."""
    for number in range(101):
        await office.firm.new_party(name=f"Customer {number}")
    request = SweepRequest(connection=office.firm.name)
    return await office.temporal.start_workflow(PartySweep.run, request, id="party-sweep", task_queue=WORKFLOW_QUEUE)


async def sweep_of_deletions(office: Office) -> Handle:
    """A linked party was deleted."""
    party_id = await office.firm.new_party()
    await office.sync(party_id)
    await office.firm.delete_party(party_id)
    request = SweepRequest(connection=office.firm.name)
    return await office.temporal.start_workflow(PartySweep.run, request, id="party-sweep", task_queue=WORKFLOW_QUEUE)


async def client_sweep(office: Office) -> Handle:
    """Two pages of clients are listed, and one of deleted ones."""
    for number in range(101):
        await office.firm.new_client(organization=f"Customer {number}")
    request = ClientSweepRequest(connection=office.firm.name)
    return await office.temporal.start_workflow(ClientSweep.run, request, id="client-sweep", task_queue=WORKFLOW_QUEUE)


async def hook_upkeep(office: Office) -> Handle:
    """All webhooks are registered."""
    request = ConnectionRequest(connection=office.firm.name)
    return await office.temporal.start_workflow(HookUpkeep.run, request, id="hook-upkeep", task_queue=WORKFLOW_QUEUE)


async def hook_upkeep_with_sweep(office: Office) -> Handle:
    """Webhooks were missing, so a sweep is started at once."""
    sweeps = [each for each in wanted_schedules(office.firm.settings) if each.id.startswith("party-sweep/")]
    await ensure_schedules(office.temporal, sweeps, run_now=False)
    return await hook_upkeep(office)


async def callback_verification(office: Office) -> Handle:
    """A handshake is answered."""
    request = CallbackRequest(connection=office.firm.name, callback_id=4711)
    return await office.temporal.start_workflow(
        CallbackVerification.run, request, id="callback-verification", task_queue=WORKFLOW_QUEUE
    )


async def connection_check(office: Office) -> Handle:
    """Both systems are asked who we are."""
    request = CheckRequest(connection=office.firm.name)
    return await office.temporal.start_workflow(
        ConnectionCheck.run, request, id="connection-check", task_queue=WORKFLOW_QUEUE
    )


async def connection_check_in_full(office: Office) -> Handle:
    """Both systems are asked everything that a sync needs."""
    request = CheckRequest(connection=office.firm.name, webhooks=True)
    return await office.temporal.start_workflow(
        ConnectionCheck.run, request, id="connection-check", task_queue=WORKFLOW_QUEUE
    )


async def alert_watch(office: Office) -> Handle:
    """The alert watch tells of a hold, sends heartbeats, and ends when its history has grown long."""
    post = Post()
    alerts = Alerts(urls=(post.url,), group_for=timedelta(seconds=1), heartbeat_url=post.heartbeat_url)
    await office.firm.store.holds.open("client-upsert/acme/capsule-party-7", office.firm.record_key(7), "conflict", {})
    request = AlertWatchRequest(every=timedelta(milliseconds=10))
    async with _alert_worker(office, alerts):
        handle = await office.temporal.start_workflow(AlertWatch.run, request, id="alerts", task_queue=WORKFLOW_QUEUE)
        await handle.result()
    post.close()
    return handle


async def alert_test(office: Office) -> Handle:
    """A person tries the channels; one of them does not answer."""
    post, dead = Post(), Post()
    dead.close()
    async with _alert_worker(office, Alerts(urls=(post.url, dead.url))):
        handle = await office.temporal.start_workflow(AlertTest.run, id="alert-test", task_queue=WORKFLOW_QUEUE)
        await handle.result()
    post.close()
    return handle


@asynccontextmanager
async def _alert_worker(office: Office, alerts: Alerts) -> AsyncIterator[None]:
    settings = office.firm.settings.model_copy(update={"alerts": alerts, "connections": {}})
    async with httpx.AsyncClient() as http:
        queue = alert_queue(settings, office.temporal, office.firm.store, http)
        async with account_worker(office.temporal, queue):
            yield


async def consent_retried(office: Office) -> Handle:
    """A token is refused; a person who has mended it asks for another try."""
    await office.firm.store.tokens.refuse("acme", "freshbooks", "not accepted", "a token of old")
    request = ConsentRequest(connection="acme", system="freshbooks")
    handle = await office.temporal.start_workflow(
        ConsentNeeded.run, request, id="consent/acme/freshbooks", task_queue=WORKFLOW_QUEUE
    )
    await until(office.firm.store.holds.listed)
    await handle.signal(ConsentNeeded.look)
    await handle.execute_update("resolve", Resolution(choice="retry"))
    return handle


SCENARIOS: Mapping[str, Callable[[Office], Awaitable[Handle]]] = {
    each.__name__.replace("_", "-"): each
    for each in (
        created,
        updated,
        held_and_picked,
        refused_and_skipped,
        in_doubt,
        gone,
        sweep,
        sweep_of_deletions,
        client_sweep,
        hook_upkeep,
        hook_upkeep_with_sweep,
        callback_verification,
        connection_check,
        connection_check_in_full,
        alert_watch,
        alert_test,
        consent_retried,
        *TWO_WAY,
        *PLANS,
        *ZOHO,
        *OPPORTUNITIES,
        *PAYMENTS,
        *HOURS,
        *PROJECTS,
        *RECONCILIATIONS,
    )
}


async def record(name: str) -> None:
    """Play one scenario and write its history."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(sqlite_url(Path(folder)), TEST_KEYS)
        await store.database.migrate()
        crm = "zoho_crm" if SCENARIOS[name] in ZOHO else "capsule"
        direction = "both" if SCENARIOS[name] in (*TWO_WAY, *ZOHO) else "to-books"
        async with (
            embedded_server() as server,
            open_firm(store, Path(folder), "acme", crm=crm, direction=direction) as firm,
        ):
            if SCENARIOS[name] in ZOHO:
                await ZohoPeople(firm).make_reference_field()
            else:
                await firm.new_field("Ledgerline reference")
            if SCENARIOS[name] in (*OPPORTUNITIES, *PAYMENTS, *MONEY):
                sell(firm, approvals={"above": {"EUR": 5000}}, both_changed="ask")
            if SCENARIOS[name] in HOURS:
                bills_hours(firm, invoice="final", approvals={"above": {"EUR": 5000}})
            if SCENARIOS[name] in PROJECTS:
                opens_projects(firm)
            office = Office(server.client, firm)
            async with office.working():
                handle = await SCENARIOS[name](office)
                await handle.result()
                history = json.loads((await handle.fetch_history()).to_json())
        await store.close()
    text = json.dumps(_anonymous(history), indent=1)
    (HISTORIES / f"{name}.json").write_text(text + "\n")


def _anonymous(said: object) -> object:
    """Take out what names the machine that recorded: neither the server nor the SDK reads it again."""
    if isinstance(said, dict):
        return {key: "worker" if key == "identity" else _anonymous(value) for key, value in said.items()}
    if isinstance(said, list):
        return [_anonymous(each) for each in said]
    return re.sub(r"^\d+@[\w.-]+", "worker", said) if isinstance(said, str) else said


if __name__ == "__main__":
    for wanted in sys.argv[1:] or SCENARIOS:
        asyncio.run(record(wanted))
