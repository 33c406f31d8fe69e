"""Reconciliations that are recorded: one that repairs, and a round of a schedule."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio.client import WorkflowHandle

from runtime.queues import WORKFLOW_QUEUE
from tests.workflows.office import Office
from workflows.reconciliation_models import ReconciliationRequest, RoundRequest
from workflows.reconciliation_rounds import ReconciliationRound
from workflows.reconciliations import Reconciliation, reconciliation_id

Handle = WorkflowHandle[Any, Any]


async def reconciliation(office: Office) -> Handle:
    """Two pages of parties without clients; one of them changed a moment ago, and is looked at once more."""
    parties = [await office.firm.new_party(name=f"Customer {number}") for number in range(101)]
    await asyncio.sleep(1.1)
    await office.firm.change_party(parties[0], name="Somebody else")
    return await _begin(office, repair=True)


async def reconciliation_round(office: Office) -> Handle:
    """A round as a schedule starts it."""
    return await office.temporal.start_workflow(
        ReconciliationRound.run,
        RoundRequest(connection=office.firm.name),
        id=f"reconciliation/{office.firm.name}",
        task_queue=WORKFLOW_QUEUE,
    )


async def _begin(office: Office, *, repair: bool = False) -> Handle:
    return await office.temporal.start_workflow(
        Reconciliation.run,
        ReconciliationRequest(connection=office.firm.name, repair=repair),
        id=reconciliation_id(office.firm.name, "clients"),
        task_queue=WORKFLOW_QUEUE,
    )


RECONCILIATIONS: tuple[Callable[[Office], Awaitable[Handle]], ...] = (
    reconciliation,
    reconciliation_round,
)
