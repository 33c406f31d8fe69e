"""Scenarios of a firm whose opportunities are synced."""

from typing import Any

from temporalio.client import WorkflowHandle

from runtime.queues import WORKFLOW_QUEUE
from tests.pipelines import Pipeline
from tests.workflows.office import Office
from workflows.checks import ConnectionCheck
from workflows.models import CheckRequest, Resolution
from workflows.opportunity_models import OpportunitySweepRequest
from workflows.opportunity_sweeps import OpportunitySweep

Handle = WorkflowHandle[Any, Any]


async def opportunity_estimated(office: Office) -> Handle:
    """An opportunity gets its client, and then its estimate."""
    pipeline = Pipeline(office)
    record_id = await pipeline.enter()
    await pipeline.sync(record_id)
    return pipeline.workflow(record_id)


async def opportunity_won(office: Office) -> Handle:
    """An opportunity with an estimate is won: the estimate is accepted, the invoice made, and the CRM told."""
    pipeline = Pipeline(office)
    record_id = await pipeline.enter()
    await pipeline.sync(record_id)
    await pipeline.sales.move(record_id, "won")
    await pipeline.sync(record_id)
    return pipeline.workflow(record_id)


async def estimate_accepted(office: Office) -> Handle:
    """The customer accepts the estimate, which moves the opportunity."""
    pipeline = Pipeline(office)
    record_id = await pipeline.enter()
    await pipeline.sync(record_id)
    (estimate,) = pipeline.documents("estimate")
    await pipeline.change_document("estimate", estimate["id"], action_accept=True)
    await pipeline.books_news(record_id)
    await pipeline.result(record_id)
    return pipeline.workflow(record_id)


async def invoice_in_doubt(office: Office) -> Handle:
    """The answer to the invoice is lost; it is found after the wait."""
    pipeline = Pipeline(office)
    record_id = await pipeline.enter("won")
    office.firm.books_fault(method="POST", path="invoices", fault="commit_then_cut", times=1)
    await pipeline.sync(record_id)
    return pipeline.workflow(record_id)


async def invoice_approved(office: Office) -> Handle:
    """A large invoice waits for a person, who approves it."""
    pipeline = Pipeline(office)
    record_id = await pipeline.enter("won", "9000.00")
    await pipeline.announce(record_id)
    await pipeline.hold(record_id)
    await pipeline.resolve(record_id, Resolution(choice="approve"))
    await pipeline.result(record_id)
    return pipeline.workflow(record_id)


async def invoice_rejected(office: Office) -> Handle:
    """A large invoice is rejected, and nothing is left open for it."""
    pipeline = Pipeline(office)
    record_id = await pipeline.enter("won", "9000.00")
    await pipeline.announce(record_id)
    await pipeline.hold(record_id)
    await pipeline.resolve(record_id, Resolution(choice="reject"))
    await pipeline.result(record_id)
    return pipeline.workflow(record_id)


async def amount_asked(office: Office) -> Handle:
    """Both sides change the amount; a person says that finance is right."""
    pipeline = Pipeline(office)
    record_id = await pipeline.enter()
    await pipeline.sync(record_id)
    (estimate,) = pipeline.documents("estimate")
    await pipeline.sales.price(record_id, "1300")
    line = {"type": 0, "name": "Website rebuild", "qty": 1, "unit_cost": {"amount": "1400.00", "code": "EUR"}}
    await pipeline.change_document("estimate", estimate["id"], lines=[line])
    await pipeline.books_news(record_id)
    await pipeline.hold(record_id)
    await pipeline.resolve(record_id, Resolution(choice="books"))
    await pipeline.result(record_id)
    return pipeline.workflow(record_id)


async def connection_check_of_opportunities(office: Office) -> Handle:
    """A connection that syncs opportunities is checked: pipelines, documents and owners too."""
    return await office.temporal.start_workflow(
        ConnectionCheck.run,
        CheckRequest(connection=office.firm.name, webhooks=True, opportunities=True),
        id="connection-check",
        task_queue=WORKFLOW_QUEUE,
    )


async def opportunity_sweep(office: Office) -> Handle:
    """One opportunity is listed, and no documents yet."""
    await Pipeline(office).enter()
    return await office.temporal.start_workflow(
        OpportunitySweep.run,
        OpportunitySweepRequest(connection=office.firm.name),
        id="opportunity-sweep",
        task_queue=WORKFLOW_QUEUE,
    )


OPPORTUNITIES = (
    opportunity_estimated,
    opportunity_won,
    estimate_accepted,
    invoice_in_doubt,
    invoice_approved,
    invoice_rejected,
    amount_asked,
    connection_check_of_opportunities,
    opportunity_sweep,
)
