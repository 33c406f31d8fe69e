"""Which opportunities are synced, and what the lines of their documents are made of, in both CRMs."""

from typing import Any

from tests.pipelines import OpenPipeline, Pipeline
from workflows.models import Resolution

FIELDS = ({"name": "Line_1", "amount": "Price_1", "quantity": "Days_1"}, {"name": "Line_2", "amount": "Price_2"})
NAMES = ("Line_1", "Price_1", "Days_1", "Line_2", "Price_2")


def lines(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return name, quantity and price of each line of a document."""
    return [(each["name"], f"{float(each['qty']):g}", each["unit_cost"]["amount"]) for each in document["lines"]]


async def with_fields(pipeline: Pipeline, amount: str, **values: str) -> int:
    """Enter an opportunity whose custom fields say its lines."""
    for name in NAMES:
        await pipeline.sales.new_field(name)
    record_id = await pipeline.enter(amount=amount)
    await pipeline.sales.fill(record_id, values)
    return record_id


async def test_an_opportunity_that_does_not_meet_the_condition_is_left_alone(open_with: OpenPipeline) -> None:
    """S45, S56."""
    async with open_with(when='amount != null && amount >= 1000 && currency == "EUR"') as pipeline:
        small, large = await pipeline.enter(amount="999.99"), await pipeline.enter(amount="1000")
        assert (await pipeline.sync(small)).outcome == "in-step"
        assert (await pipeline.sync(large)).outcome == "estimate create"
        assert [each["estimate_number"] for each in pipeline.documents("estimate")] == [f"E-{large}-1"]


async def test_one_that_meets_the_condition_no_more_keeps_its_estimate_as_it_is(open_with: OpenPipeline) -> None:
    """S45: left alone, never taken back; and once it meets the condition again it is followed again."""
    async with open_with(when="amount != null && amount >= 1000") as pipeline:
        record_id = await pipeline.enter(amount="1250")
        await pipeline.sync(record_id)
        await pipeline.sales.price(record_id, "900")
        assert (await pipeline.sync(record_id)).outcome == "in-step"
        (estimate,) = pipeline.documents("estimate")
        assert (estimate["amount"]["amount"], estimate["vis_state"]) == ("1250.00", 0)
        await pipeline.sales.price(record_id, "1100")
        assert (await pipeline.sync(record_id)).outcome == "estimate update"
        (estimate,) = pipeline.documents("estimate")
        assert estimate["amount"]["amount"] == "1100.00"


async def test_a_condition_asks_for_a_custom_field(open_with: OpenPipeline) -> None:
    """S56, S64: only what sales have released goes to the books."""
    async with open_with(when='fields["Released"] == "yes"') as pipeline:
        await pipeline.sales.new_field("Released")
        record_id = await pipeline.enter()
        assert (await pipeline.sync(record_id)).outcome == "in-step"
        await pipeline.sales.fill(record_id, {"Released": "yes"})
        assert (await pipeline.sync(record_id)).outcome == "estimate create"


async def test_the_lines_come_from_custom_fields(open_with: OpenPipeline) -> None:
    """S41, S64: 2.5 days at 400.00 and travel for 50.00 are 1,050.00."""
    async with open_with(line_fields=FIELDS) as pipeline:
        said = {"Line_1": "Design", "Price_1": "400", "Days_1": "2.5", "Line_2": "Travel", "Price_2": "50"}
        record_id = await with_fields(pipeline, "1050", **said)
        assert (await pipeline.sync(record_id)).outcome == "estimate create"
        (estimate,) = pipeline.documents("estimate")
        assert lines(estimate) == [("Design", "2.5", "400.00"), ("Travel", "1", "50.00")]
        assert estimate["amount"]["amount"] == "1050.00"
        assert (await pipeline.sync(record_id)).outcome == "in-step"


async def test_lines_that_come_to_less_than_the_value_wait_for_a_person(open_with: OpenPipeline) -> None:
    """S54; F25: nothing is invoiced that the two sides see differently."""
    async with open_with(line_fields=FIELDS) as pipeline:
        record_id = await with_fields(pipeline, "1050", Line_2="Travel", Price_2="50")
        await pipeline.announce(record_id)
        assert (await pipeline.hold(record_id)).reason == "money-mismatch"
        assert pipeline.documents("estimate") == []
        await pipeline.sales.price(record_id, "50")
        await pipeline.resolve(record_id, Resolution(choice="retry"))
        assert (await pipeline.result(record_id)).outcome == "estimate create"


async def test_what_the_lines_lack_of_the_value_is_a_line_of_its_own_if_wanted(open_with: OpenPipeline) -> None:
    async with open_with(line_fields=FIELDS, rest_line="Flat rate") as pipeline:
        record_id = await with_fields(pipeline, "1050", Line_2="Travel", Price_2="50")
        await pipeline.sync(record_id)
        (estimate,) = pipeline.documents("estimate")
        assert lines(estimate) == [("Travel", "1", "50.00"), ("Flat rate", "1", "1000.00")]


async def test_a_template_has_fixed_amounts_and_lines_that_only_some_have(open_with: OpenPipeline) -> None:
    """S65: from 5,000 on there is a workshop; travel is 120.00 for everybody; the project takes the rest."""
    template = [
        {"name": "Travel", "amount": "120", "currency": "EUR"},
        {"name": "Workshop", "percent": 10, "when": "amount != null && amount >= 5000"},
        {"name": "Project"},
    ]
    async with open_with(lines=template) as pipeline:
        small, large = await pipeline.enter(amount="1000"), await pipeline.enter(amount="6000")
        await pipeline.sync(small)
        await pipeline.sync(large)
        first, second = pipeline.documents("estimate")
        assert lines(first) == [("Travel", "1", "120.00"), ("Project", "1", "880.00")]
        assert lines(second) == [("Travel", "1", "120.00"), ("Workshop", "1", "600.00"), ("Project", "1", "5280.00")]
