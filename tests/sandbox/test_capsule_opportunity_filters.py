from typing import Any

import httpx
import pytest
import time_machine

from tests.sandbox.conftest import caller, new_party
from tests.sandbox.opportunities import AGREED, DECLINED, LOST, NEW, WON, changed, new_opportunity
from tests.sandbox.test_capsule_parties import problem

FILTER = "/opportunities/filters/results"


async def found(capsule: httpx.AsyncClient, *conditions: tuple[str, str, Any], **query: Any) -> list[str]:
    """Return the names of the opportunities that fulfil all conditions."""
    listed = [{"field": field, "operator": operator, "value": value} for field, operator, value in conditions]
    response = await capsule.post(FILTER, json={"filter": {"conditions": listed, **query}})
    assert response.status_code == 200, response.text
    return [each["name"] for each in response.json()["opportunities"]]


@pytest.fixture
async def four(capsule: httpx.AsyncClient) -> None:
    """Give one open, two won (in two pipelines) and one lost opportunity."""
    with time_machine.travel("2026-03-02T10:00:00Z", tick=False):
        party = {"id": (await new_party(capsule, name="Acme Ltd"))["id"]}
        await new_opportunity(
            capsule, party=party, name="Open", milestone={"id": NEW}, value={"amount": 100, "currency": "USD"},
            expectedCloseOn="2026-04-01", fields=[{"definition": 731, "value": "PO-1"}], tags=[{"name": "Retainer"}],
        )  # fmt: skip
        won = {"milestone": {"id": WON}, "value": {"amount": 2500.75, "currency": "USD"}, "owner": {"id": 6002}}
        await new_opportunity(capsule, party=party, name="Won", **won)
    with time_machine.travel("2026-03-05T10:00:00Z", tick=False):
        party, yen = {"id": (await new_party(capsule, name="Berg AB"))["id"]}, {"amount": 9000, "currency": "JPY"}
        await new_opportunity(capsule, party=party, name="Agreed", milestone={"id": AGREED}, value=yen)
        await new_opportunity(
            capsule, party=party, name="Declined", milestone={"id": DECLINED}, lostReason={"id": 7003}
        )


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        (("status", "is", "won"), ["Won", "Agreed"]),
        (("status", "is", "OPEN"), ["Open"]),
        (("status", "is not", "open"), ["Won", "Agreed", "Declined"]),
        (("isOpen", "is", True), ["Open"]),
        (("milestone", "is", WON), ["Won"]),
        (("milestone", "is", "Agreed"), ["Agreed"]),
        (("pipeline", "is", "Consulting"), ["Agreed", "Declined"]),
        (("pipeline", "is", 5001), ["Open", "Won"]),
        (("lostReason", "is", "Duplicate"), ["Declined"]),
        (("includedForConversion", "is", False), ["Declined"]),
        (("probability", "is greater than", 9), ["Open", "Won", "Agreed"]),
        (("probability", "is", 100), ["Won", "Agreed"]),
        (("currency", "is", "JPY"), ["Agreed"]),
        (("expectedValue", "is greater than", {"currency": "USD", "amount": 100}), ["Won"]),
        (("expectedValue", "is less than", {"currency": "USD", "amount": 2500.75}), ["Open"]),
        (("expectedValue", "is", {"currency": "USD", "amount": 100}), ["Open"]),
        (("expectedValue", "is", None), ["Declined"]),
        (("party", "is", "Acme Ltd"), ["Open", "Won"]),
        (("primaryContactName", "starts with", "acme"), ["Open", "Won"]),
        (("owner", "is", "jonas"), ["Won"]),
        (("isOwnedByMe", "is", False), ["Won"]),
        (("tag", "is", "Retainer"), ["Open"]),
        (("hasTags", "is", True), ["Open"]),
        (("custom:731", "is", "po-1"), ["Open"]),
        (("custom:731", "is", None), ["Won", "Agreed", "Declined"]),
        (("name", "contains", "CLI"), ["Declined"]),
        (("addedOn", "is after", "2026-03-03"), ["Agreed", "Declined"]),
        (("closedOn", "is", "2026-03-05"), ["Agreed", "Declined"]),
        (("closedOn", "is before", "2026-03-05"), ["Won"]),
        (("expectedCloseOn", "is", "2026-04-01"), ["Open"]),
    ],
)
async def test_one_condition_is_fulfilled_by_these(
    four: None, capsule: httpx.AsyncClient, condition: tuple[str, str, Any], names: list[str]
) -> None:
    assert await found(capsule, condition) == names


async def test_all_conditions_hold_together_and_results_come_in_the_order_asked_for(
    four: None, capsule: httpx.AsyncClient
) -> None:
    won, dollars = ("status", "is", "won"), ("currency", "is", "USD")
    assert await found(capsule, won, dollars) == ["Won"]
    by_worth = [{"field": "expectedValue", "direction": "descending"}]
    assert await found(capsule, orderBy=by_worth) == ["Agreed", "Won", "Open", "Declined"]


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        (("closedAt", "is", "2026-03-05"), (422, "invalid field name")),
        (("email", "is", "ap@acme.example"), (422, "invalid field name")),
        (("custom:737", "is", "Web"), (422, "invalid field name")),  # a field of parties
        (("org.custom:731", "is", "PO-1"), (422, "invalid field name")),
        (("probability", "contains", 5), (422, "invalid operator")),
        (("status", "is greater than", "open"), (422, "invalid operator")),
        (("probability", "is", "half"), (422, "invalid value")),
    ],
)
async def test_a_filter_that_means_nothing_is_refused(
    capsule: httpx.AsyncClient, condition: tuple[str, str, Any], answer: tuple[int, str]
) -> None:
    asked = dict(zip(("field", "operator", "value"), condition, strict=True))
    assert problem(await capsule.post(FILTER, json={"filter": {"conditions": [asked]}})) == answer


async def test_an_open_opportunity_goes_stale_where_it_stands_too_long(capsule: httpx.AsyncClient) -> None:
    with time_machine.travel("2026-03-02T10:00:00Z", tick=False):
        made = await new_opportunity(capsule, milestone={"id": NEW})
    with time_machine.travel("2026-03-16T09:00:00Z", tick=False):
        assert await found(capsule, ("isStale", "is", True)) == []
    with time_machine.travel("2026-03-17T09:00:00Z", tick=False):
        assert await found(capsule, ("isStale", "is", True)) == ["Website rebuild"]
        await changed(capsule, made["id"], milestone={"id": LOST})
        assert await found(capsule, ("isStale", "is", True)) == []


async def test_mine_is_what_the_token_s_user_owns(sandbox: Any, four: None) -> None:
    query = {"filter": {"conditions": [{"field": "isOwnedByMe", "operator": "is", "value": True}]}}
    async with caller(sandbox, "capsule", "read_only") as jonas:
        names = [each["name"] for each in (await jonas.post(FILTER, json=query)).json()["opportunities"]]
    assert names == ["Won"]
