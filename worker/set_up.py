"""What an account needs once it is connected: webhooks, our custom field, and word to whoever waits for it."""

import asyncio

from temporalio.client import Client, WorkflowHandle
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.service import RPCError

from activities.queues import FRESHBOOKS
from runtime.queues import WORKFLOW_QUEUE
from runtime.temporal import TemporalUnreachable, connect
from worker.account_workers import end_waiting
from worker.custom_fields import ensure_fields
from worker.session import Session
from workflows.hooks import HookUpkeep
from workflows.models import ConnectionRequest, HookReport
from workflows.search_attributes import CONNECTION

REPORT_SECONDS = 20.0
LATER = "the worker will see to it"


async def set_up(session: Session) -> None:
    """Do what can be done now, and say what has to wait. Nothing here undoes the connection."""
    if session.system != FRESHBOOKS:
        await ensure_fields(session)
    try:
        temporal = await connect(session.settings)
    except TemporalUnreachable:
        session.screen.say(f"Temporal cannot be reached from here, so webhooks wait: {LATER}.")
        return
    await end_waiting(temporal, session.name, session.system)
    await _register_hooks(session, temporal)


async def _register_hooks(session: Session, temporal: Client) -> None:
    say, name = session.screen.say, session.name
    if session.settings.public_url is None:
        say("Webhooks: none, because `receiver.public_url` is not set; sweeps do the work.")
        return
    missing = await _not_connected(session)
    if missing:
        say(f"Webhooks: once {missing} is connected, too: ledgerline connect {missing} --connection {name}")
        return
    try:
        report: HookReport = await asyncio.wait_for((await _upkeep(session, temporal)).result(), REPORT_SECONDS)
    except (TimeoutError, RPCError):
        say(f"Webhooks: not yet, perhaps because no worker runs; {LATER}.")
        return
    say(_told(report))


async def _not_connected(session: Session) -> str | None:
    """Return which account of the connection nobody has connected yet."""
    accounts = await session.store.tokens.all()
    for system, settings in session.connection.accounts.items():
        account = accounts.get((session.name, system))
        if settings.is_registered and not (account and account.connected):
            return system
    return None


async def _upkeep(session: Session, temporal: Client) -> "WorkflowHandle[HookUpkeep, HookReport]":
    """Return the upkeep of the webhooks: the one that has waited for this account, or a new one.

    Two at once would both find nothing and register everything twice.
    """
    name, connection = session.name, session.connection
    waiting = f"WorkflowType = 'HookUpkeep' AND {CONNECTION.name} = '{name}' AND ExecutionStatus = 'Running'"
    async for found in temporal.list_workflows(waiting):
        return temporal.get_workflow_handle_for(HookUpkeep.run, found.id, run_id=found.run_id)
    return await temporal.start_workflow(
        HookUpkeep.run,
        ConnectionRequest(
            connection=name,
            crm=connection.crm,
            opportunities=connection.opportunities is not None,
            payments=connection.payments is not None,
        ),
        id=f"hook-upkeep/{name}/connected",
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        search_attributes=TypedSearchAttributes([SearchAttributePair(CONNECTION, name)]),
        static_summary=f"webhooks of {name}, now that {session.system} is connected",
    )


def _told(report: HookReport) -> str:
    parts = [
        f"{title} {', '.join(events)}"
        for title, events in (("made", report.created), ("renewed", report.renewed), ("kept", report.kept))
        if events
    ]
    parts += [f"{system} does not let this user have any, so sweeps do the work" for system in report.not_allowed]
    return f"Webhooks: {'; '.join(parts) or 'none needed'}."
