"""Sales and finance both change an amount: the settings say who is right, and `ask` asks a person."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from tests.pipelines import OpenPipeline, Pipeline
from workflows import opportunity_pass
from workflows.models import Resolution


@pytest.fixture
def crm() -> str:
    """A hold knows no CRM: one of the two is enough."""
    return "capsule"


ASK = {"both_changed": "ask"}


async def changed_on_both_sides(pipeline: Pipeline, crm: str = "1300", books: str = "1400.00") -> int:
    """Let an estimate of 1,250.50 become one amount in the CRM and another in FreshBooks; announce it."""
    record_id = await pipeline.enter()
    await pipeline.sync(record_id)
    (estimate,) = pipeline.documents("estimate")
    await pipeline.sales.price(record_id, crm)
    line = {"type": 0, "name": "Website rebuild", "qty": 1, "unit_cost": {"amount": books, "code": "EUR"}}
    await pipeline.change_document("estimate", estimate["id"], lines=[line])
    await pipeline.books_news(record_id)
    return record_id


def estimated(pipeline: Pipeline) -> str:
    (estimate,) = pipeline.documents("estimate")
    return str(estimate["amount"]["amount"])


async def test_where_both_changed_the_amount_a_person_is_asked_and_finance_may_be_right(
    open_with: OpenPipeline,
) -> None:
    """S43, S48; F18."""
    async with open_with(**ASK) as pipeline:
        record_id = await changed_on_both_sides(pipeline)
        hold = await pipeline.hold(record_id)
        evidence = await pipeline.firm.store.holds.evidence(hold.workflow_id)
        assert hold.reason == "conflict"
        assert evidence["fields"] == {"amount": {"crm": "1300.00", "books": "1400.00"}}
        await pipeline.resolve(record_id, Resolution(choice="books"))
        assert (await pipeline.result(record_id)).outcome == "opportunity"
        assert (await pipeline.sales.shown(record_id))[1] in {"1400", "1400.0", "1400.00"}
        assert estimated(pipeline) == "1400.00"
        assert (await pipeline.sync(record_id)).outcome == "in-step"


async def test_or_sales_are_right(open_with: OpenPipeline) -> None:
    """S48."""
    async with open_with(**ASK) as pipeline:
        record_id = await changed_on_both_sides(pipeline)
        await pipeline.hold(record_id)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await pipeline.resolve(record_id, Resolution(choice="approve"))
        assert "choices: crm, books, retry, skip" in str(refused.value.cause)
        await pipeline.resolve(record_id, Resolution(choice="crm"))
        assert (await pipeline.result(record_id)).outcome == "estimate update"
        assert estimated(pipeline) == "1300.00"


async def test_by_the_settings_of_most_the_crm_is_right_unasked(open_with: OpenPipeline) -> None:
    async with open_with() as pipeline:
        record_id = await changed_on_both_sides(pipeline)
        assert (await pipeline.result(record_id)).outcome == "estimate update"
        assert estimated(pipeline) == "1300.00"


async def test_finance_can_be_right_unasked(open_with: OpenPipeline) -> None:
    async with open_with(both_changed="books") as pipeline:
        record_id = await changed_on_both_sides(pipeline)
        assert (await pipeline.result(record_id)).outcome == "opportunity"
        assert estimated(pipeline) == "1400.00"


async def test_what_was_rejected_is_not_taken_up_again_by_the_hour(open_with: OpenPipeline) -> None:
    """S59, S29: creates that were left open are announced every hour, and the same question would be asked."""
    async with open_with(approvals={"above": {"EUR": 1000}}) as pipeline:
        store, name = pipeline.firm.store, pipeline.firm.name
        for choice in ("reject", "skip"):
            record_id = await pipeline.enter("won")
            await pipeline.announce(record_id)
            await pipeline.hold(record_id)
            assert (await store.links.standing(name, "invoices")).creating == 1
            await pipeline.resolve(record_id, Resolution.model_validate({"choice": choice}))
            await pipeline.result(record_id)
            assert (await store.links.standing(name, "invoices")).creating == 0
        await pipeline.sales.price(record_id, "2000")
        await pipeline.announce(record_id)
        assert (await pipeline.hold(record_id)).reason == "approval", "once it has changed it is asked again"


async def test_an_opportunity_whose_party_gets_no_client_can_be_left_alone(
    open_with: OpenPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S48; F38: to skip it ends the wait, and begins no other."""
    monkeypatch.setattr(opportunity_pass, "CLIENT_PATIENCE", timedelta(seconds=0))
    monkeypatch.setattr(opportunity_pass, "FIRST_LOOK", timedelta(milliseconds=200))
    async with open_with() as pipeline:
        pipeline.firm.books_fault(method="POST", path="clients", fault="status", status=503)
        record_id = await pipeline.enter()
        await pipeline.announce(record_id)
        assert (await pipeline.hold(record_id)).reason == "missing-parent"
        await pipeline.resolve(record_id, Resolution(choice="skip"))
        assert (await pipeline.result(record_id)).outcome == "skipped"
        assert pipeline.documents("estimate") == []
        pipeline.firm.end_faults()
