"""Payments in FreshBooks are matched to their invoices, and the CRM shows what is paid, on a real Temporal server."""

import pytest

from runtime.queues import WORKFLOW_QUEUE
from tests.cash import Cash
from tests.pipelines import OpenPipeline, Pipeline
from tests.workflows.office import until
from workflows.models import Resolution
from workflows.payment_models import PaymentSweepRequest, ProofRequest, ProofResult
from workflows.payment_sweeps import LedgerProof, PaymentSweep


@pytest.fixture
def crm() -> str:
    """Payments are FreshBooks' alone: one of the two is enough."""
    return "zoho_crm"


SHOWN = {"paid": "Paid", "outstanding": "Outstanding", "status": "Invoice_Status"}


async def test_a_part_payment_and_the_rest_are_told_apart_and_the_crm_shows_both(open_with: OpenPipeline) -> None:
    """Z13, Z85, S38; F28: 400.00 of 1,000.00 are not booked as the whole."""
    async with open_with(invoice_fields=SHOWN, invoice="final") as pipeline:
        for name in SHOWN.values():
            await pipeline.sales.new_field(name)
        cash = Cash(pipeline)
        record_id, invoice_id = await cash.invoiced()
        part = await cash.enter(invoice_id, "400.00")
        assert await cash.judge(part) == "partial"
        await shows(pipeline, record_id, {"Paid": "400.00", "Outstanding": "600.00", "Invoice_Status": "partial"})
        rest = await cash.enter(invoice_id, "600.00")
        assert await cash.judge(rest) == "paid"
        await shows(pipeline, record_id, {"Paid": "1000.00", "Outstanding": "0.00", "Invoice_Status": "paid"})


async def shows(pipeline: Pipeline, record_id: int, wanted: dict[str, str]) -> None:
    """Wait until the opportunity shows this."""

    async def seen() -> bool:
        return await pipeline.sales.fields(record_id) == wanted

    await until(seen)
    await pipeline.result(record_id)


async def test_a_payment_that_was_judged_is_not_judged_again(pipeline: Pipeline) -> None:
    """Z85: a second run writes nothing."""
    cash = Cash(pipeline)
    _, invoice_id = await cash.invoiced()
    payment = await cash.enter(invoice_id, "1000.00")
    assert await cash.judge(payment) == "paid"
    assert await cash.judge(payment) == "in-step"


async def test_too_much_is_over_and_too_little_by_a_cent_is_under(pipeline: Pipeline) -> None:
    """Z13, F28."""
    cash = Cash(pipeline)
    _, first = await cash.invoiced()
    _, second = await cash.invoiced()
    assert await cash.judge(await cash.enter(first, "1050.00")) == "over"
    assert await cash.judge(await cash.enter(second, "999.99")) == "under"


async def test_a_payment_of_a_deleted_invoice_waits_for_a_person(pipeline: Pipeline) -> None:
    """F27, F30: an orphan; once the person has moved it, it goes on."""
    cash = Cash(pipeline)
    _, invoice_id = await cash.invoiced()
    payment = await cash.enter(invoice_id, "1000.00")
    await cash.delete("invoice", invoice_id)
    await cash.announce(payment)
    hold = await cash.hold(payment)
    assert hold.reason == "missing-parent"
    evidence = await pipeline.firm.store.holds.evidence(hold.workflow_id)
    assert f"payment {payment} is for invoice {invoice_id}, which is deleted" in evidence["explanation"]
    await cash.delete("payment", payment)
    await cash.resolve(payment, Resolution(choice="retry"))
    assert await cash.outcome(payment) == "deleted"


async def test_a_payment_in_another_currency_is_held_with_the_numbers(pipeline: Pipeline) -> None:
    """F26: nothing here converts."""
    cash = Cash(pipeline)
    _, invoice_id = await cash.invoiced()
    payment = await cash.plant(
        {"invoiceid": invoice_id, "amount": {"amount": "1000.00", "code": "USD"}, "date": "2026-03-10"}
    )
    await cash.announce(payment)
    hold = await cash.hold(payment)
    assert hold.reason == "money-mismatch"
    await cash.resolve(payment, Resolution(choice="skip"))
    assert await cash.outcome(payment) == "wrong-currency"
    assert await cash.judge(payment) == "in-step"


async def test_a_sweep_announces_only_what_was_not_judged_yet(pipeline: Pipeline) -> None:
    """F16: no webhook told of the second one."""
    cash = Cash(pipeline)
    _, invoice_id = await cash.invoiced()
    first = await cash.enter(invoice_id, "300.00")
    await cash.judge(first)
    second = await cash.enter(invoice_id, "700.00")
    pipeline._begun.add(f"payment-reconciliation/{pipeline.firm.name}/freshbooks-payment-{second}")
    request = PaymentSweepRequest(connection=pipeline.firm.name)
    swept = await pipeline.office.temporal.execute_workflow(
        PaymentSweep.run, request, id=f"payment-sweep/{pipeline.firm.name}", task_queue=WORKFLOW_QUEUE
    )
    assert (swept.listed, swept.announced) == (2, 1)
    assert await cash.outcome(second) == "paid"


async def swept(pipeline: Pipeline, number: int) -> tuple[int, int]:
    """Sweep all payments, and return how many were listed and announced."""
    request = PaymentSweepRequest(connection=pipeline.firm.name)
    found = await pipeline.office.temporal.execute_workflow(
        PaymentSweep.run, request, id=f"payment-sweep-{number}/{pipeline.firm.name}", task_queue=WORKFLOW_QUEUE
    )
    return found.listed, found.announced


async def test_a_sweep_notices_payments_that_were_deleted_and_those_of_deleted_invoices(pipeline: Pipeline) -> None:
    """F16, F30: no webhook told of either; FreshBooks lists neither among what changed."""
    cash = Cash(pipeline)
    _, first = await cash.invoiced()
    _, second = await cash.invoiced()
    gone, orphan = await cash.enter(first, "400.00"), await cash.enter(second, "1000.00")
    assert [await cash.judge(gone), await cash.judge(orphan)] == ["partial", "paid"]
    await cash.delete("payment", gone)
    await cash.delete("payment", await cash.enter(first, "1.00"))  # before anybody had judged it
    await cash.delete("invoice", second)
    assert (await swept(pipeline, 1))[1] == 2
    assert await cash.outcome(gone) == "deleted"
    assert (await cash.hold(orphan)).reason == "missing-parent"
    await cash.resolve(orphan, Resolution(choice="skip"))
    assert await cash.outcome(orphan) == "orphan"
    assert (await swept(pipeline, 2))[1] == 0


async def proof(pipeline: Pipeline) -> ProofResult:
    """Add up the firm's books."""
    return await pipeline.office.temporal.execute_workflow(
        LedgerProof.run,
        ProofRequest(connection=pipeline.firm.name),
        id=f"ledger-proof/{pipeline.firm.name}",
        task_queue=WORKFLOW_QUEUE,
    )


async def test_the_books_add_up_by_client_and_currency(pipeline: Pipeline) -> None:
    """Z13, Z85: 1,000.00 paid in part, 1,000.00 overpaid by 50.00, 1,000.00 unpaid."""
    cash = Cash(pipeline)
    _, first = await cash.invoiced()
    _, second = await cash.invoiced()
    await cash.invoiced()
    await cash.enter(first, "400.00")
    await cash.enter(second, "1050.00")
    result = await proof(pipeline)
    assert (result.proven, result.unproven) == (3, [])


async def test_books_that_do_not_add_up_are_one_hold_with_the_numbers(pipeline: Pipeline) -> None:
    """F28: an invoice shows 900.00 as paid, and its payments come to 400.00."""
    cash = Cash(pipeline)
    _, invoice_id = await cash.invoiced()
    await cash.enter(invoice_id, "400.00")
    records = pipeline.firm.sandbox.freshbooks_service.records
    (invoice,) = pipeline.documents("invoice")
    money = {"paid": {"amount": "900.00", "code": "EUR"}, "outstanding": {"amount": "100.00", "code": "EUR"}}
    records.commit("update", "invoice", invoice_id, {**invoice, **money})
    workflow_id = f"ledger-proof/{pipeline.firm.name}"
    pipeline._begun.add(workflow_id)
    handle = await pipeline.office.temporal.start_workflow(
        LedgerProof.run, ProofRequest(connection=pipeline.firm.name), id=workflow_id, task_queue=WORKFLOW_QUEUE
    )
    hold = await pipeline.office.hold_listed(str(invoice["customerid"]))
    assert (hold.reason, hold.flow) == ("money-mismatch", "proof")
    evidence = await pipeline.firm.store.holds.evidence(hold.workflow_id)
    (found,) = evidence["sums"]
    assert (found["invoiced"], found["shown_paid"], found["paid"]) == (100_000, 90_000, 40_000)
    await handle.execute_update("resolve", Resolution(choice="skip"), result_type=str)
    assert len((await handle.result()).unproven) == 1
