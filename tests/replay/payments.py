"""Scenarios of a firm whose payments are reconciled."""

from typing import Any

from temporalio.client import WorkflowHandle

from runtime.queues import WORKFLOW_QUEUE
from tests.cash import Cash
from tests.pipelines import Pipeline
from tests.workflows.office import Office
from workflows.models import Resolution
from workflows.payment_models import PaymentSweepRequest, ProofRequest
from workflows.payment_sweeps import LedgerProof, PaymentSweep

Handle = WorkflowHandle[Any, Any]


async def payment_judged(office: Office) -> Handle:
    """A part payment is matched to its invoice."""
    cash = Cash(Pipeline(office))
    _, invoice_id = await cash.invoiced()
    payment = await cash.enter(invoice_id, "400.00")
    await cash.judge(payment)
    return cash.workflow(payment)


async def payment_orphaned(office: Office) -> Handle:
    """The invoice of a payment is deleted; a person looks, and leaves it."""
    cash = Cash(Pipeline(office))
    _, invoice_id = await cash.invoiced()
    payment = await cash.enter(invoice_id, "1000.00")
    await cash.delete("invoice", invoice_id)
    await cash.announce(payment)
    await cash.hold(payment)
    await cash.resolve(payment, Resolution(choice="skip"))
    await cash.outcome(payment)
    return cash.workflow(payment)


async def payment_sweep(office: Office) -> Handle:
    """Two payments are listed, one of which was judged before."""
    cash = Cash(Pipeline(office))
    _, invoice_id = await cash.invoiced()
    await cash.judge(await cash.enter(invoice_id, "400.00"))
    await cash.enter(invoice_id, "600.00")
    return await office.temporal.start_workflow(
        PaymentSweep.run,
        PaymentSweepRequest(connection=office.firm.name),
        id="payment-sweep",
        task_queue=WORKFLOW_QUEUE,
    )


async def payments_deleted(office: Office) -> Handle:
    """A payment was deleted after it was judged, and the invoice of another."""
    cash = Cash(Pipeline(office))
    _, first = await cash.invoiced()
    _, second = await cash.invoiced()
    gone, orphan = await cash.enter(first, "400.00"), await cash.enter(second, "1000.00")
    await cash.judge(gone)
    await cash.judge(orphan)
    await cash.delete("payment", gone)
    await cash.delete("invoice", second)
    return await office.temporal.start_workflow(
        PaymentSweep.run,
        PaymentSweepRequest(connection=office.firm.name),
        id="payment-sweep",
        task_queue=WORKFLOW_QUEUE,
    )


async def ledger_proof(office: Office) -> Handle:
    """Invoices, payments and credit notes are added up, and meet."""
    cash = Cash(Pipeline(office))
    _, invoice_id = await cash.invoiced()
    await cash.enter(invoice_id, "1050.00")
    return await office.temporal.start_workflow(
        LedgerProof.run, ProofRequest(connection=office.firm.name), id="ledger-proof", task_queue=WORKFLOW_QUEUE
    )


PAYMENTS = (payment_judged, payment_orphaned, payment_sweep, payments_deleted, ledger_proof)
