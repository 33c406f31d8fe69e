"""What an account needs once it is connected: webhooks, our custom field, and word to whoever waits for it."""

import asyncio

from temporalio.client import Client, WorkflowHandle
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.service import RPCError

from activities.queues import CAPSULE
from connectors.capsule.api import CapsuleApi
from connectors.capsule.models import FieldDefinition
from connectors.errors import ConnectorError, Forbidden, UnknownOutcome
from runtime.queues import WORKFLOW_QUEUE
from runtime.temporal import TemporalUnreachable, connect
from worker.account_workers import end_waiting
from worker.session import Session
from worker.tokens import SYSTEMS, account_settings, account_token
from workflows.hooks import HookUpkeep
from workflows.models import ConnectionRequest, HookReport
from workflows.search_attributes import CONNECTION

REPORT_SECONDS = 20.0
MOST_PAGES = 20
FIELD_DESCRIPTION = "Set by Ledgerline on what it creates. Leave it as it is: it is how a record is found again."
LATER = "the worker will see to it"


async def set_up(session: Session) -> None:
    """Do what can be done now, and say what has to wait. Nothing here undoes the connection."""
    if session.system == CAPSULE and session.connection.clients.direction == "both":
        await _ensure_field(session)
    try:
        temporal = await connect(session.settings)
    except TemporalUnreachable:
        session.screen.say(f"Temporal cannot be reached from here, so webhooks wait: {LATER}.")
        return
    await end_waiting(temporal, session.name, session.system)
    await _register_hooks(session, temporal)


async def _ensure_field(session: Session) -> None:
    """Create the text custom field that carries our reference, unless it is there."""
    name, say = session.connection.clients.reference_field, session.screen.say
    token = account_token(session.name, session.connection, CAPSULE, session.http, session.store)
    capsule = CapsuleApi(session.http, token, session.account.base_url, session.connection.request_timeout)
    try:
        known = [each for each in await _definitions(capsule) if each.name == name]
        if not known:
            await capsule.create_party_field_definition(name, FIELD_DESCRIPTION)
            say(f"Capsule: made the custom field “{name}” for people and organisations.")
        elif known[0].type != "text":
            say(f"Capsule: the custom field “{name}” is no text field; rename it, or set `clients.reference_field`.")
    except Forbidden:
        say(f"Capsule: this user may not make custom fields; have an administrator make a text field “{name}”.")
    except UnknownOutcome:
        say(f"Capsule did not answer whether it made the custom field “{name}”: run this command again.")
    except ConnectorError as error:
        say(f"{error}. The custom field “{name}” is still to be made: run this command again.")


async def _definitions(capsule: CapsuleApi) -> list[FieldDefinition]:
    found: list[FieldDefinition] = []
    for page in range(1, MOST_PAGES + 1):
        listed = await capsule.party_field_definitions(page=page)
        found.extend(listed.items)
        if not listed.has_more:
            break
    return found


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
    for system in SYSTEMS:
        account = accounts.get((session.name, system))
        if account_settings(session.connection, system).is_registered and not (account and account.connected):
            return system
    return None


async def _upkeep(session: Session, temporal: Client) -> "WorkflowHandle[HookUpkeep, HookReport]":
    """Return the upkeep of the webhooks: the one that has waited for this account, or a new one.

    Two at once would both find nothing and register everything twice.
    """
    name = session.name
    waiting = f"WorkflowType = 'HookUpkeep' AND {CONNECTION.name} = '{name}' AND ExecutionStatus = 'Running'"
    async for found in temporal.list_workflows(waiting):
        return temporal.get_workflow_handle_for(HookUpkeep.run, found.id, run_id=found.run_id)
    return await temporal.start_workflow(
        HookUpkeep.run,
        ConnectionRequest(connection=name, crm=session.connection.crm),
        id=f"hook-upkeep/{name}/connected",
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        search_attributes=TypedSearchAttributes([SearchAttributePair(CONNECTION, name)]),
        static_summary=f"webhooks of {name}, now that {session.system} is connected",
    )


def _told(report: HookReport) -> str:
    parts = [
        f"{title} {', '.join(events)}" for title, events in (("made", report.created), ("kept", report.kept)) if events
    ]
    parts += [f"{system} does not let this user have any, so sweeps do the work" for system in report.not_allowed]
    return f"Webhooks: {'; '.join(parts) or 'none needed'}."
