"""An opportunity of either CRM gets its estimate and its invoice, on a real Temporal server."""

from typing import Any

from tests.pipelines import OpenPipeline, Pipeline
from tests.workflows.office import until
from workflows.models import Resolution


async def test_an_opportunity_gets_its_estimate_and_its_client_first(pipeline: Pipeline) -> None:
    """S19, S41; F38: its party has no client yet."""
    record_id = await pipeline.enter()
    assert (await pipeline.sync(record_id)).outcome == "estimate create"
    (estimate,) = pipeline.documents("estimate")
    (client,) = pipeline.firm.clients()
    assert estimate["customerid"] == client["id"]
    assert estimate["estimate_number"] == f"E-{record_id}-1"
    assert estimate["amount"] == {"amount": "1250.50", "code": "EUR"}


async def test_a_second_look_finds_nothing_to_do(pipeline: Pipeline) -> None:
    """Z140."""
    record_id = await pipeline.enter()
    await pipeline.sync(record_id)
    assert (await pipeline.sync(record_id)).outcome == "in-step"
    assert len(pipeline.documents("estimate")) == 1


async def test_one_before_its_proposal_has_no_estimate(pipeline: Pipeline) -> None:
    record_id = await pipeline.enter("new")
    assert (await pipeline.sync(record_id)).outcome == "in-step"
    assert pipeline.documents("estimate") == []
    assert pipeline.firm.clients() == []


async def test_two_changes_of_the_value_within_a_second_end_as_the_second(pipeline: Pipeline) -> None:
    """S20."""
    record_id = await pipeline.enter()
    await pipeline.sync(record_id)
    await pipeline.sales.price(record_id, "1300")
    await pipeline.announce(record_id)
    await pipeline.sales.price(record_id, "1400")
    await pipeline.sync(record_id)
    (estimate,) = pipeline.documents("estimate")
    assert estimate["amount"]["amount"] == "1400.00"


async def test_a_won_opportunity_is_invoiced_and_told_so(pipeline: Pipeline) -> None:
    """S38, S39, S40, Z141, Z142."""
    record_id = await pipeline.enter()
    await pipeline.sync(record_id)
    await pipeline.sales.move(record_id, "won")
    assert (await pipeline.sync(record_id)).outcome == "estimate accept, invoice create"
    (invoice,) = pipeline.documents("invoice")
    (estimate,) = pipeline.documents("estimate")
    assert (invoice["invoice_number"], invoice["estimateid"]) == (f"I-{record_id}-1", estimate["id"])
    assert (invoice["amount"]["amount"], invoice["v3_status"]) == ("1250.50", "draft")
    (note,) = await pipeline.sales.notes(record_id)
    assert note.startswith(f"Invoice I-{record_id}-1 in FreshBooks: 1250.50 EUR")
    await pipeline.sync(record_id)
    assert len(await pipeline.sales.notes(record_id)) == 1


async def test_a_lost_one_is_archived_and_comes_back_when_it_is_reopened(pipeline: Pipeline) -> None:
    """F7."""
    record_id = await pipeline.enter()
    await pipeline.sync(record_id)
    await pipeline.sales.move(record_id, "lost")
    assert (await pipeline.sync(record_id)).outcome == "estimate archive"
    await pipeline.sales.move(record_id, "proposal")
    assert (await pipeline.sync(record_id)).outcome == "estimate restore"
    (estimate,) = pipeline.documents("estimate")
    assert estimate["vis_state"] == 0


async def test_a_create_whose_answer_is_lost_leaves_one_invoice(pipeline: Pipeline) -> None:
    """S47; F1, F2."""
    record_id = await pipeline.enter("won")
    pipeline.firm.books_fault(method="POST", path="invoices", fault="commit_then_cut", times=1)
    assert (await pipeline.sync(record_id)).outcome == "invoice adopt"
    assert len(pipeline.documents("invoice")) == 1
    assert len(await pipeline.sales.notes(record_id)) == 1


async def test_an_estimate_that_the_customer_accepts_wins_the_opportunity_and_is_invoiced(pipeline: Pipeline) -> None:
    """S19: both ways."""
    record_id = await pipeline.enter()
    await pipeline.sync(record_id)
    (estimate,) = pipeline.documents("estimate")
    await pipeline.change_document("estimate", estimate["id"], action_accept=True)
    await pipeline.books_news(record_id)
    assert (await pipeline.result(record_id)).outcome == "opportunity"
    assert (await pipeline.sales.shown(record_id))[0] == "won"
    assert (await pipeline.sync(record_id)).outcome == "invoice create"


async def test_an_acceptance_before_the_lost_estimate_was_found_wins_the_opportunity_too(pipeline: Pipeline) -> None:
    """S19; F1, F2: the answer to the create is lost, and the customer is quicker than our look."""
    record_id = await pipeline.enter()
    pipeline.firm.books_fault(method="POST", path="estimates", fault="commit_then_cut", times=1)
    await pipeline.announce(record_id)

    async def made() -> list[dict[str, Any]]:
        return pipeline.documents("estimate")

    (estimate,) = await until(made)
    await pipeline.change_document("estimate", estimate["id"], action_accept=True)
    await pipeline.result(record_id)
    assert (await pipeline.sales.shown(record_id))[0] == "won"


async def test_an_amount_that_is_changed_in_freshbooks_is_the_value_of_the_opportunity(pipeline: Pipeline) -> None:
    """S19."""
    record_id = await pipeline.enter()
    await pipeline.sync(record_id)
    (estimate,) = pipeline.documents("estimate")
    line = {"type": 0, "name": "Website rebuild", "qty": 1, "unit_cost": {"amount": "1500.25", "code": "EUR"}}
    await pipeline.change_document("estimate", estimate["id"], lines=[line])
    await pipeline.books_news(record_id)
    assert (await pipeline.result(record_id)).outcome == "opportunity"
    assert (await pipeline.sales.shown(record_id))[1] == "1500.25"
    await pipeline.books_news(record_id)
    assert (await pipeline.result(record_id)).outcome == "in-step"


async def test_the_invoice_is_shown_in_custom_fields(open_with: OpenPipeline) -> None:
    """S38, S39, S40, Z42."""
    fields = {"number": "Invoice_No", "amount": "Invoiced", "status": "Invoice_Status"}
    async with open_with(invoice_fields=fields) as pipeline:
        for name in fields.values():
            await pipeline.sales.new_field(name)
        record_id = await pipeline.enter("won")
        await pipeline.sync(record_id)
        shown = await pipeline.sales.fields(record_id)
    assert shown == {"Invoice_No": f"I-{record_id}-1", "Invoiced": "1250.50", "Invoice_Status": "draft"}


async def test_a_field_that_does_not_exist_is_a_question_and_not_a_silence(open_with: OpenPipeline) -> None:
    async with open_with(invoice_fields={"number": "Missing"}) as pipeline:
        record_id = await pipeline.enter("won")
        await pipeline.announce(record_id)
        assert (await pipeline.hold(record_id)).reason == "rejected"
        await pipeline.sales.new_field("Missing")
        await pipeline.resolve(record_id, Resolution(choice="retry"))
        await pipeline.result(record_id)
        assert len(pipeline.documents("invoice")) == 1


async def test_an_approval_is_void_once_the_amount_has_changed(open_with: OpenPipeline) -> None:
    """S59: nothing is sent in between."""
    above = {"approvals": {"above": {"EUR": 1000}}}
    async with open_with(**above) as pipeline:
        record_id = await pipeline.enter("won")
        await pipeline.announce(record_id)
        first = await pipeline.hold(record_id)
        assert first.reason == "approval"
        await pipeline.sales.price(record_id, "5000")
        await pipeline.resolve(record_id, Resolution(choice="approve"))
        again = await pipeline.hold(record_id)
        assert again.opened_at > first.opened_at
        assert pipeline.documents("invoice") == []
        await pipeline.resolve(record_id, Resolution(choice="approve"))
        assert (await pipeline.result(record_id)).outcome == "invoice create"
        (invoice,) = pipeline.documents("invoice")
    assert invoice["amount"]["amount"] == "5000.00"


async def test_what_is_rejected_is_not_invoiced(open_with: OpenPipeline) -> None:
    """S59."""
    above = {"approvals": {"above": {"EUR": 1000}}}
    async with open_with(**above) as pipeline:
        record_id = await pipeline.enter("won")
        await pipeline.announce(record_id)
        await pipeline.hold(record_id)
        await pipeline.resolve(record_id, Resolution(choice="reject"))
        assert (await pipeline.result(record_id)).outcome == "rejected"
        assert pipeline.documents("invoice") == []


async def test_an_approval_that_nobody_gives_is_asked_louder_and_then_given_up(open_with: OpenPipeline) -> None:
    """S59."""
    asked = {"approvals": {"above": {"EUR": 1000}, "escalate_after": "1s", "expire_after": "1s"}}
    async with open_with(**asked) as pipeline:
        record_id = await pipeline.enter("won")
        assert (await pipeline.sync(record_id)).outcome == "rejected"
        assert pipeline.documents("invoice") == []
        assert await pipeline.firm.store.holds.listed() == []


async def test_a_draft_of_an_opportunity_that_is_not_won_any_more_is_void_and_comes_back(pipeline: Pipeline) -> None:
    """F7, F30."""
    record_id = await pipeline.enter("won")
    await pipeline.sync(record_id)
    await pipeline.sales.move(record_id, "proposal")
    assert "invoice archive" in (await pipeline.sync(record_id)).outcome
    await pipeline.sales.move(record_id, "won")
    assert "invoice restore" in (await pipeline.sync(record_id)).outcome
    (invoice,) = pipeline.documents("invoice")
    assert invoice["vis_state"] == 0


async def test_a_value_that_is_missing_is_asked_for(pipeline: Pipeline) -> None:
    """S28, S29: nothing is tried again before the record has changed."""
    record_id = await pipeline.enter(amount=None)
    await pipeline.announce(record_id)
    assert (await pipeline.hold(record_id)).reason == "rejected"
    await pipeline.sales.price(record_id, "900")
    assert (await pipeline.sync(record_id)).outcome == "estimate create"
    assert await pipeline.firm.store.holds.listed() == []
