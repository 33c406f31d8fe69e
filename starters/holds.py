"""`ledgerline holds …`: what waits for a person, why, and how it is decided; singly and in bulk."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from runtime.errors import Stop
from runtime.load import load_settings
from runtime.settings import Settings
from runtime.temporal import connect
from starters.hold_texts import choice_lines, hold_lines, in_short
from starters.operators import ago
from starters.record_names import OPPORTUNITIES_FLOW, held_record
from store.holds import OpenHold
from store.store import Store, open_store
from workflows.clients import ClientUpsert
from workflows.consent import consent_id
from workflows.desk import HOURS
from workflows.models import Resolution


class NoSuchHold(Stop):
    """Nothing is held under that id."""


async def list_holds(reason: str | None) -> int:
    """Print the open holds, oldest first. Raises Stop if the store is not to be had."""
    store = await open_store(load_settings())
    table = Table()
    for heading in ("held", "reason", "record", "about", "id"):
        table.add_column(heading, no_wrap=heading != "id", overflow="fold")
    for hold in await _open_holds(store, reason):
        asked = in_short(hold, await _evidence(store, hold))
        table.add_row(ago(hold.opened_at), hold.reason, held_record(hold), asked, hold.workflow_id)
    Console().print(table if table.rows else "nothing is held")
    await store.close()
    return 0


async def show_hold(workflow_id: str) -> int:
    """Print one hold with its evidence, which may quote a person's data, and its choices. Raises Stop."""
    store = await open_store(load_settings())
    hold = await _find(store, workflow_id)
    evidence = await store.holds.evidence(workflow_id)
    console = Console()
    for line in (*hold_lines(hold, evidence), *_choices(hold, evidence)):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    await store.close()
    return 0


async def resolve_holds(workflow_ids: Sequence[str], resolution: Resolution) -> int:
    """Decide the holds and print what came of each; return 1 if one of them could not be decided. Raises Stop."""
    settings = load_settings()
    store = await open_store(settings)
    asked = {each.workflow_id: in_short(each, await _evidence(store, each)) for each in await _open_holds(store, None)}
    await store.close()
    temporal, failed = await connect(settings), 0
    for workflow_id in workflow_ids:
        problem = await decide(temporal, workflow_id, resolution)
        failed += problem is not None
        about = f" ({asked[workflow_id]})" if asked.get(workflow_id) else ""
        said = problem or f"going on: {resolution.choice}{about}"
        Console().print(f"{workflow_id}: {said}", highlight=False, soft_wrap=True)
    return 1 if failed else 0


async def all_held(reason: str | None) -> list[str]:
    """Return the ids of all open holds, of one reason if it is given. Raises Stop."""
    settings: Settings = load_settings()
    store = await open_store(settings)
    ids = [hold.workflow_id for hold in await _open_holds(store, reason)]
    await store.close()
    return ids


async def decide(temporal: Client, workflow_id: str, resolution: Resolution) -> str | None:
    """Decide one hold; return what went wrong, for the person who decided, None if nothing did."""
    try:
        handle = temporal.get_workflow_handle(workflow_id)
        _ = await handle.execute_update(ClientUpsert.resolve, resolution)
    except WorkflowUpdateFailedError as error:
        return str(error.cause.message if isinstance(error.cause, ApplicationError) else error.cause)
    except RPCError as error:
        return f"not decided: {error.message}"
    return None


def _choices(hold: OpenHold, evidence: Mapping[str, Any]) -> list[str]:
    if hold.workflow_id == consent_id(hold.connection, hold.record_id):
        return [f"choices: run `ledgerline connect {hold.record_id} --connection {hold.connection}`; or retry"]
    return choice_lines(hold, evidence)


async def _open_holds(store: Store, reason: str | None) -> list[OpenHold]:
    return [hold for hold in await store.holds.listed() if reason in {None, hold.reason}]


async def _evidence(store: Store, hold: OpenHold) -> Mapping[str, Any]:
    """Return what an opportunity's hold is decided by; that of people is read by nobody who only lists."""
    return await store.holds.evidence(hold.workflow_id) if hold.flow in {OPPORTUNITIES_FLOW, HOURS} else {}


async def _find(store: Store, workflow_id: str) -> OpenHold:
    found = [hold for hold in await store.holds.listed() if hold.workflow_id == workflow_id]
    if not found:
        await store.close()
        raise NoSuchHold(f"nothing is held under {workflow_id}; `ledgerline holds list` shows the ids")
    return found[0]
