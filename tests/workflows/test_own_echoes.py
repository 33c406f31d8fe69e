"""FreshBooks tells us of our own writes too: that is no news to whoever waits for a person."""

import asyncio

import pytest

from tests.pipelines import OpenPipeline


@pytest.fixture
def crm() -> str:
    """The echoes are FreshBooks': one of the two is enough."""
    return "capsule"


TAX = [{"name": "VAT", "percent": "19"}]
PAUSE = 4


async def test_a_total_that_differs_is_not_forgotten_because_freshbooks_tells_of_the_write(
    open_with: OpenPipeline,
) -> None:
    """S39; F23: FreshBooks rounds otherwise than the settings say. 1250.50 and 19 % are 1488.095."""
    async with open_with(taxes=TAX, rounding={"mode": "half-up"}) as pipeline:
        pipeline.firm.sandbox.freshbooks_service.settings.change({"rounding": "down"})
        record_id = await pipeline.enter()
        await pipeline.announce(record_id)
        assert (await pipeline.hold(record_id)).reason == "money-mismatch"
        await pipeline.books_news(record_id)
        await asyncio.sleep(PAUSE)
        assert (await pipeline.hold(record_id)).reason == "money-mismatch"


async def test_a_change_that_freshbooks_does_not_make_is_tried_once_and_not_for_ever(open_with: OpenPipeline) -> None:
    """F20: its answer to our change is news, which must not let us write again at once."""
    async with open_with() as pipeline:
        record_id = await pipeline.enter()
        await pipeline.sync(record_id)
        pipeline.firm.books_fault(method="PUT", path="estimates", fault="status", status=422, times=100)
        await pipeline.sales.price(record_id, "1400")
        await pipeline.announce(record_id)
        assert (await pipeline.hold(record_id)).reason == "rejected"
        before = pipeline.firm.calls("PUT", "/{id}")
        for _ in range(3):
            await pipeline.books_news(record_id)
        await asyncio.sleep(PAUSE)
        assert pipeline.firm.calls("PUT", "/{id}") == before
        assert (await pipeline.hold(record_id)).reason == "rejected"
