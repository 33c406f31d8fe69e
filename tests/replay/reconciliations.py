"""Reconciliations that are recorded: of clients, opportunities and payments, and a round of a schedule."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio.client import WorkflowHandle

from runtime.queues import WORKFLOW_QUEUE
from tests.cash import Cash
from tests.pipelines import Pipeline
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


async def opportunities_reconciled(office: Office) -> Handle:
    """One sale is in step; another was never invoiced: it is looked at once more, and handed to its workflow."""
    pipeline = Pipeline(office)
    await pipeline.sync(await pipeline.enter("won", "1000.00"))
    await pipeline.enter("won", "500.00")
    await asyncio.sleep(1.1)
    return await _begin(office, "opportunities", repair=True)


async def payments_reconciled(office: Office) -> Handle:
    """An invoice shows less than its payment comes to: it is looked at once more with its payments."""
    cash = Cash(Pipeline(office))
    _, invoice_id = await cash.invoiced()
    await cash.judge(await cash.enter(invoice_id, "400.00"))
    records = office.firm.sandbox.freshbooks_service.records
    [invoice] = cash.pipeline.documents("invoice")
    money = {"paid": {"amount": "300.00", "code": "EUR"}, "outstanding": {"amount": "700.00", "code": "EUR"}}
    records.commit("update", "invoice", invoice_id, {**invoice, **money})
    return await _begin(office, "payments")


async def _begin(office: Office, flow: str = "clients", *, repair: bool = False) -> Handle:
    return await office.temporal.start_workflow(
        Reconciliation.run,
        ReconciliationRequest(connection=office.firm.name, flow=flow, repair=repair),
        id=reconciliation_id(office.firm.name, flow),
        task_queue=WORKFLOW_QUEUE,
    )


MONEY: tuple[Callable[[Office], Awaitable[Handle]], ...] = (opportunities_reconciled, payments_reconciled)


RECONCILIATIONS: tuple[Callable[[Office], Awaitable[Handle]], ...] = (
    reconciliation,
    reconciliation_round,
    *MONEY,
)
