"""`ledgerline erase`: everything that we keep of a person's values goes, and what we cannot reach is said."""

from collections.abc import Sequence

from rich.console import Console
from rich.prompt import Confirm
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from runtime.errors import Stop
from runtime.settings import Settings
from runtime.temporal import connect
from starters.announce import client_upsert_id, party_from_client_id
from starters.audit import UnknownRecord, key_of, opened_store
from store.erasure import Kept
from store.records import RecordKey
from store.store import Store
from workflows.models import CAPSULE

CAUSE = "a person asked on the command line (ledgerline erase)"
BEYOND_REACH = """What this command cannot reach:
- the records themselves: delete them in both systems first, else the next change of one is synced and stored again;
- backups of the database, of Temporal and of the key, until you let them go;
- files that you saved of plans, reports or `ledgerline audit show --values`."""


async def erase_record(record: str, connection: str | None, *, sure: bool) -> int:
    """Erase what is kept of one record, asking first unless `sure`. Returns 1 if something is left. Raises Stop."""
    async with opened_store() as (settings, store):
        key = await _key(settings, store, record, connection)
        kept = await store.erasure.find(key)
        plans = [plan.id for plan in await store.plans.listed() if plan.connection == key.connection]
        if kept is None and not plans:
            raise UnknownRecord(f"nothing is known of {record} in {key.connection}")
        _say(_summary(record, key, kept, plans))
        if not sure and not _agreed():
            _say("nothing was erased")
            return 1
        problem = await _delete_histories(settings, store, _workflow_ids(settings, key, kept))
        await store.plans.erase_values(key.connection)
        await store.reconciliations.erase_values(key.connection)
        await store.erasure.erase(key, CAUSE)
    _say("erased; a link stays, without values, so that nothing is created anew")
    _say(problem or "its histories in Temporal are being deleted, which takes a minute; those of others hold no values")
    _say(BEYOND_REACH)
    return 1 if problem else 0


async def _key(settings: Settings, store: Store, record: str, connection: str | None) -> RecordKey:
    """Return the record; of a party that was merged, the one that is left."""
    key = await key_of(settings, store, record, connection)
    left = await store.links.merged_into(key) if key.side == "crm" else None
    if left is not None:
        raise UnknownRecord(f"party {key.record_id} was merged into party {left}: erase that one, and it goes too")
    return key


def _summary(record: str, key: RecordKey, kept: Kept | None, plans: Sequence[str]) -> str:
    parts = [f"what {len(plans)} plans say of all records of {key.connection} (they can still be applied)"] * bool(
        plans
    )
    if kept is None:
        return f"nothing is kept of {record} itself; to be erased: {parts[0]}"
    parts += [
        f"the values of {len(kept.written)} rows of the audit log",
        f"what both sides agreed on in {len(kept.linked)} links",
        f"the evidence of {len(kept.held)} holds",
    ]
    parties, clients = ", ".join(kept.crm_ids) or "none", ", ".join(kept.books_ids) or "none"
    return f"to be erased of party {parties}, client {clients} in {key.connection}: {'; '.join(parts)}"


def _agreed() -> bool:
    try:
        return Confirm.ask("Erase them for good?", default=False)
    except EOFError:  # nobody is there to answer
        return False


def _workflow_ids(settings: Settings, key: RecordKey, kept: Kept | None) -> list[str]:
    """Return the workflows that may hold values of the record: its own, by whichever of its ids they are called."""
    crm_ids = kept.crm_ids if kept else (key.record_id,) * (key.side == "crm")
    books_ids = kept.books_ids if kept else (key.record_id,) * (key.side == "books")
    crm = settings.crms.get(key.connection, CAPSULE)
    own = [client_upsert_id(key.connection, int(each), crm) for each in crm_ids]
    own += [party_from_client_id(key.connection, int(each)) for each in books_ids]
    noted = [each for each in (*kept.workflows, *kept.held) if each.startswith("client-upsert/")] if kept else []
    return list(dict.fromkeys([*own, *noted]))


async def _delete_histories(settings: Settings, store: Store, workflow_ids: Sequence[str]) -> str | None:
    """Delete every run of these workflows, and return what a person has to do if that is not possible.

    A run that is still open ends: it could write down again what is being erased. Its hold, if it has one, is over.
    """
    try:
        temporal = await connect(settings)
        for workflow_id in workflow_ids:
            await _delete_runs(temporal, workflow_id)
            await store.holds.close(workflow_id)
    except (Stop, RPCError) as error:
        reason = error.message if isinstance(error, RPCError) else str(error)
        commands = "\n".join(f"  temporal workflow delete --query 'WorkflowId = \"{each}\"'" for each in workflow_ids)
        return f"its histories in Temporal were not deleted: {reason}\ndelete them, or wait for their end:\n{commands}"
    return None


async def _delete_runs(temporal: Client, workflow_id: str) -> None:
    await _delete_run(temporal, workflow_id, "")  # the newest, which a list may not show yet
    async for run in temporal.list_workflows(f'WorkflowId = "{workflow_id}"'):
        await _delete_run(temporal, workflow_id, run.run_id)


async def _delete_run(temporal: Client, workflow_id: str, run_id: str) -> None:
    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    request = DeleteWorkflowExecutionRequest(namespace=temporal.namespace, workflow_execution=execution)
    try:
        await temporal.workflow_service.delete_workflow_execution(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


def _say(text: str) -> None:
    Console().print(text, markup=False, highlight=False, soft_wrap=True)
