"""The audit log keeps when both records were created and changed, so that one can see which edit was the newest."""

from datetime import timedelta

from store.audit import AuditLine, AuditValues
from store.store import Store
from tests.pipelines import Pipeline
from tests.sandboxes import Firm
from tests.workflows.office import Office

SAME_MOMENT = timedelta(minutes=2)
"""A test takes no longer; an hour that New York is taken for UTC does."""
ALL = {"crm_created", "crm_changed", "books_created", "books_changed"}


async def newest(store: Store, flow: str) -> tuple[AuditLine, AuditValues]:
    """Return the latest write of a flow, with what it wrote."""
    line = next(each for each in await store.audit.latest(10) if each.flow == flow)
    values = await store.audit.values(line)
    assert values is not None
    return line, values


async def test_of_a_client_as_of_its_party(office: Office, firm: Firm) -> None:
    """S43, S44."""
    async with office.working():
        party_id = await firm.new_party()
        await office.sync(party_id)
        created, values = await newest(firm.store, "clients")
        assert (created.action, set(values.times)) == ("create", ALL)
        assert abs(values.times["books_changed"] - values.times["crm_created"]) < SAME_MOMENT
        await firm.change_party(party_id, name="Acme & Sons")
        await office.sync(party_id)
        updated, later = await newest(firm.store, "clients")
    assert (updated.action, set(later.times)) == ("update", ALL)
    assert later.times["crm_created"] == values.times["crm_created"]
    assert later.times["crm_changed"] >= values.times["crm_changed"]


async def test_of_an_estimate_as_of_its_opportunity(pipeline: Pipeline) -> None:
    """S43, S44."""
    await pipeline.sync(await pipeline.enter())
    _, values = await newest(pipeline.firm.store, "estimates")
    assert set(values.times) == ALL
    assert abs(values.times["books_created"] - values.times["crm_created"]) < SAME_MOMENT
    assert values.rules["amount"] == "from the opportunity's value; owner crm, both (estimate)"


async def test_of_an_opportunity_that_takes_over_what_finance_changed(pipeline: Pipeline) -> None:
    """S19, S44: the change of the estimate is what it was taken from."""
    record_id = await pipeline.enter()
    await pipeline.sync(record_id)
    (estimate,) = pipeline.documents("estimate")
    line = {"type": 0, "name": "Website rebuild", "qty": 1, "unit_cost": {"amount": "1500.25", "code": "EUR"}}
    await pipeline.change_document("estimate", estimate["id"], lines=[line])
    await pipeline.books_news(record_id)
    await pipeline.result(record_id)
    written, values = await newest(pipeline.firm.store, "estimates")
    assert (written.side, written.action, values.after) == ("crm", "update", {"amount": "1500.25"})
    assert set(values.times) == ALL
    assert values.rules["amount"] == "from the lines of the estimate before tax, which a person changed"
