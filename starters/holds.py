"""`ledgerline holds …`: what waits for a person, why, and how it is decided; singly and in bulk."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from runtime.errors import Stop
from runtime.load import load_settings
from runtime.settings import Settings
from runtime.temporal import connect
from starters.operators import ago
from store.holds import OpenHold
from store.store import Store, open_store
from workflows.clients import ClientUpsert
from workflows.consent import consent_id
from workflows.desk import CHOICES
from workflows.models import Resolution


class NoSuchHold(Stop):
    """Nothing is held under that id."""


async def list_holds(reason: str | None) -> int:
    """Print the open holds, oldest first. Raises Stop if the store is not to be had."""
    store = await open_store(load_settings())
    table = Table()
    for heading in ("held", "reason", "record", "id"):
        table.add_column(heading, no_wrap=heading != "id", overflow="fold")
    for hold in await _open_holds(store, reason):
        table.add_row(ago(hold.opened_at), hold.reason, shown_record(hold), hold.workflow_id)
    Console().print(table if table.rows else "nothing is held")
    await store.close()
    return 0


async def show_hold(workflow_id: str) -> int:
    """Print one hold with its evidence, which may quote a person's data, and its choices. Raises Stop."""
    store = await open_store(load_settings())
    hold = await _find(store, workflow_id)
    evidence = await store.holds.evidence(workflow_id)
    console = Console()
    console.print(f"{hold.reason}: {evidence.get('explanation', '')}", highlight=False)
    for problem in evidence.get("problems") or []:
        console.print(f"  {problem.get('field') or 'record'}: {problem.get('message')}", highlight=False, markup=False)
    console.print(f"choices: {_choices(hold)}", highlight=False, soft_wrap=True)
    await store.close()
    return 0


async def resolve_holds(workflow_ids: Sequence[str], resolution: Resolution) -> int:
    """Decide the holds and print what came of each; return 1 if one of them could not be decided. Raises Stop."""
    settings = load_settings()
    temporal, failed = await connect(settings), 0
    for workflow_id in workflow_ids:
        problem = await _resolve(temporal, workflow_id, resolution)
        failed += problem is not None
        Console().print(
            f"{workflow_id}: {problem or f'going on: {resolution.choice}'}", highlight=False, soft_wrap=True
        )
    return 1 if failed else 0


async def all_held(reason: str | None) -> list[str]:
    """Return the ids of all open holds, of one reason if it is given. Raises Stop."""
    settings: Settings = load_settings()
    store = await open_store(settings)
    ids = [hold.workflow_id for hold in await _open_holds(store, reason)]
    await store.close()
    return ids


def _choices(hold: OpenHold) -> str:
    if hold.workflow_id == consent_id(hold.connection, hold.record_id):
        return f"run `ledgerline connect {hold.record_id} --connection {hold.connection}`; or retry"
    return ", ".join(filter(None, (CHOICES.get(hold.reason), "retry, skip")))


def shown_record(hold: OpenHold) -> str:
    """Return what is held: a party by its id, a client of the books as such, or a thing of its own."""
    return f"client {hold.record_id}" if hold.side == "books" else hold.record_id


async def _open_holds(store: Store, reason: str | None) -> list[OpenHold]:
    return [hold for hold in await store.holds.listed() if reason in {None, hold.reason}]


async def _find(store: Store, workflow_id: str) -> OpenHold:
    found = [hold for hold in await store.holds.listed() if hold.workflow_id == workflow_id]
    if not found:
        await store.close()
        raise NoSuchHold(f"nothing is held under {workflow_id}; `ledgerline holds list` shows the ids")
    return found[0]


async def _resolve(temporal: Client, workflow_id: str, resolution: Resolution) -> str | None:
    """Return what went wrong, None if nothing did."""
    try:
        handle = temporal.get_workflow_handle(workflow_id)
        _ = await handle.execute_update(ClientUpsert.resolve, resolution)
    except WorkflowUpdateFailedError as error:
        return str(error.cause.message if isinstance(error.cause, ApplicationError) else error.cause)
    except RPCError as error:
        return f"not decided: {error.message}"
    return None
