"""Opportunities and payments are compared in full: what differs is found once, and nothing is invented."""

import asyncio

import pytest

from runtime.queues import WORKFLOW_QUEUE
from store.reconciliation_models import Mismatch, ReportHead
from tests.cash import Cash
from tests.pipelines import OpenPipeline, Pipeline
from tests.sandboxes import CAPSULE
from tests.workflows.office import until
from workflows.reconciliation_models import ReconciliationRequest
from workflows.reconciliations import Reconciliation

SHOWN = {"paid": "Paid", "outstanding": "Outstanding"}


@pytest.fixture
def crm() -> str:
    """What is compared is the same for both CRMs; its records come by the same lists as in sweeps."""
    return "capsule"


async def compared(pipeline: Pipeline, flow: str, *, repair: bool = False) -> tuple[ReportHead, list[Mismatch]]:
    """Make a report to its end, and return it with its mismatches."""
    firm, temporal = pipeline.firm, pipeline.office.temporal
    run = temporal.execute_workflow(
        Reconciliation.run,
        ReconciliationRequest(connection=firm.name, flow=flow, repair=repair),
        id=f"reconciliation/{firm.name}/{flow}",
        task_queue=WORKFLOW_QUEUE,
    )
    result = await asyncio.wait_for(run, 60)
    head = await firm.store.reconciliations.head(result.report_id)
    assert head is not None
    return head, await firm.store.reconciliations.mismatches(head.id)


async def silently(pipeline: Pipeline, url: str, record_id: int, **changes: object) -> None:
    """Change a record so that no webhook tells of it."""
    answer = await pipeline.firm.http.put(f"{url}?hooks=false", json={"id": record_id, **changes})
    answer.raise_for_status()


async def test_what_no_webhook_told_of_opportunities_is_found_once_and_mended(open_with: OpenPipeline) -> None:
    """S31, S33, S39: of four sales one is worth more now, one was never invoiced, one is gone, and one is in step."""
    async with open_with(invoice="draft") as pipeline:
        in_step, dearer, gone = [await pipeline.enter("won", "1000.00") for _ in range(3)]
        for each in (in_step, dearer, gone):
            await pipeline.sync(each)
        head, found = await compared(pipeline, "opportunities")
        assert (found, head.in_step, head.is_complete) == ([], 3, True)
        opportunities = f"{CAPSULE}/_sandbox/records/opportunity"
        await silently(pipeline, opportunities, dearer, value={"amount": 1200.0, "currency": "EUR"})
        http = pipeline.firm.http
        (await http.delete(f"{opportunities}/{gone}?hooks=false")).raise_for_status()
        missed = await pipeline.enter("won", "500.00")
        await asyncio.sleep(1.1)  # what changed in the second in which a report begins may have changed after
        head, found = await compared(pipeline, "opportunities", repair=True)
        kinds = {each.crm_ids[0]: each.kind for each in found}
        assert kinds == {str(dearer): "amount", str(missed): "missing-right", str(gone): "missing-left"}
        [amount] = [each for each in found if each.kind == "amount"]
        assert [(each.name, each.crm, each.books) for each in amount.drifts] == [("amount", "1200.00", "1000.00")]
        for each in (dearer, missed):
            await pipeline.result(each)
        head, found = await compared(pipeline, "opportunities")
        assert [(each.kind, each.repair, each.is_new) for each in found] == [("missing-left", "person", False)]


async def test_payments_that_count_towards_no_invoice_are_in_the_report_with_the_sums(open_with: OpenPipeline) -> None:
    """S32, Z8, Z13: one invoice is paid, one in part; 10.00 EUR name no invoice."""
    async with open_with(invoice="final", invoice_fields=SHOWN) as pipeline:
        for name in SHOWN.values():
            await pipeline.sales.new_field(name)
        cash = Cash(pipeline)
        _, paid = await cash.invoiced()
        _, part = await cash.invoiced()
        await cash.judge(await cash.enter(paid, "1000.00"))
        await cash.judge(await cash.enter(part, "400.00"))
        head, found = await compared(pipeline, "payments")
        assert (found, head.in_step) == ([], 2)
        assert [(each.currency, each.status, each.count, each.minor) for each in head.sums] == [
            ("EUR", "paid", 1, 100_000),
            ("EUR", "partial", 1, 100_000),
        ]
        stray = await cash.plant({"amount": {"amount": "10.00", "code": "EUR"}, "date": "2026-03-10"})
        head, found = await compared(pipeline, "payments")
        assert [(each.kind, each.books_ids) for each in found] == [("unapplied-payment", (f"payment:{stray}",))]


async def test_a_report_of_opportunities_that_was_killed_says_the_same_when_it_is_made_anew(
    open_with: OpenPipeline,
) -> None:
    """S33: it is terminated while FreshBooks is slow, and goes on at the page that was next."""
    async with open_with(invoice="draft") as pipeline:
        record_id = await pipeline.enter("won", "1000.00")
        await pipeline.sync(record_id)
        await pipeline.enter("won", "500.00")
        await asyncio.sleep(1.05)  # what was entered in the second in which a report begins may have been entered after
        head, _ = await compared(pipeline, "opportunities")
        pipeline.firm.books_fault(fault="latency", seconds=2.0, times=50, method="GET", path="/invoices/invoices$")
        killed = await pipeline.office.temporal.start_workflow(
            Reconciliation.run,
            ReconciliationRequest(connection=pipeline.firm.name, flow="opportunities"),
            id=f"reconciliation/{pipeline.firm.name}/opportunities",
            task_queue=WORKFLOW_QUEUE,
        )

        async def read_some() -> bool:
            reports = pipeline.firm.store.reconciliations
            [newest] = await reports.heads(pipeline.firm.name, "opportunities", 1)
            return newest.id != head.id and "estimates" in await reports.progress(newest.id)

        await until(read_some)
        await killed.terminate()
        pipeline.firm.end_faults()
        again, _ = await compared(pipeline, "opportunities")
        assert again.id != head.id
        assert again.content_hash == head.content_hash
