"""Requests and answers about Capsule's opportunities, as its documentation and recorded answers show them."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.answers import Page
from connectors.capsule.hooks import parse_delivery
from connectors.capsule.opportunities import CapsuleOpportunities
from connectors.errors import NotFound, RateLimited, Refused, Unavailable, UnknownOutcome
from tests.connectors.answering import capsule
from tests.connectors.capsule_opportunities import ANN, REBUILD, WON, one, opportunities

SINCE = datetime(2026, 3, 2, 10, 0, 30, 900_000, tzinfo=timezone(timedelta(hours=1)))
EMBED = "tags,fields,party,milestone"


async def test_an_opportunity_is_read_with_party_milestone_tags_and_custom_fields() -> None:
    """S41: stage, value and associated party come in one request."""
    api, script = opportunities(httpx.Response(200, json={"opportunity": {**REBUILD, "milestone": WON, "new": 1}}))
    found = await api.opportunity(701)
    assert (script.sent[0].method, script.sent[0].url.path) == ("GET", "/api/v2/opportunities/701")
    assert script.query == {"embed": EMBED}
    assert found.closed_on == date(2026, 1, 31)
    assert found.updated_at == datetime(2026, 1, 31, 9, tzinfo=UTC)
    assert found.milestone is not None
    assert (found.milestone.complete, found.milestone.probability) == (True, 100)
    assert found.fields is not None
    assert found.fields[0].value == "INV-7"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("500", Decimal(500)),
        ("500.0", Decimal("500.0")),
        ("1250.5", Decimal("1250.5")),
        ("0.1", Decimal("0.1")),
        ("0.125", Decimal("0.125")),
        ("9007199254740993", Decimal("9007199254740993")),  # one more than floats can count
        ("null", None),
    ],
)
async def test_an_amount_is_exactly_what_stands_in_the_answer(text: str, amount: Decimal | None) -> None:
    """S39, F23: a cent that a float loses would be missing in the books."""
    body = b'{"opportunity":{"id":701,"value":{"amount":%s,"currency":"KWD"}}}' % text.encode()
    api, _ = opportunities(httpx.Response(200, content=body))
    value = (await api.opportunity(701)).value
    assert value is not None
    assert (value.amount, value.currency) == (amount, "KWD")
    assert not isinstance(value.amount, float)


async def test_the_document_has_amounts_as_text_and_nothing_that_was_not_told() -> None:
    """S39, S40: JSON has no exact numbers."""
    api, _ = opportunities(httpx.Response(200, json={"opportunity": REBUILD}), one(value={"currency": "EUR"}))
    document = (await api.opportunity(701)).document()
    assert document == {**REBUILD, "value": {"amount": "1250.5", "currency": "USD"}}
    assert (await api.opportunity(701)).document() == {"id": 701, "value": {"currency": "EUR"}}


async def test_an_opportunity_in_a_log_line_shows_its_number_and_nothing_else() -> None:
    api, _ = opportunities(httpx.Response(200, json={"opportunity": REBUILD}))
    assert repr(await api.opportunity(701)) == "Opportunity(id=701)"


async def test_ten_opportunities_come_with_one_request() -> None:
    many = httpx.Response(200, json={"opportunities": [{"id": 1}, {"id": 2}]})
    api, script = opportunities(many, one())
    assert [each.id for each in await api.opportunities([1, 2, 1])] == [1, 2]
    assert script.sent[0].url.path == "/api/v2/opportunities/1,2"
    assert [each.id for each in await api.opportunities([701])] == [701]


@pytest.mark.parametrize("ids", [[], list(range(1, 12))])
async def test_no_more_than_ten_are_asked_for_at_once(ids: list[int]) -> None:
    api, script = opportunities()
    with pytest.raises(ValueError, match="1 to 10 opportunities"):
        await api.opportunities(ids)
    assert not script.sent


async def test_a_sweep_asks_for_what_changed_since_an_instant_and_a_first_one_for_all() -> None:
    """S19."""
    more = httpx.Response(200, json={"opportunities": [REBUILD]}, headers={"X-Pagination-Has-More": "true"})
    api, script = opportunities(more, httpx.Response(200, json={"opportunities": []}))
    page = await api.changed_opportunities(SINCE, 3)
    assert script.query == {"embed": EMBED, "page": "3", "perPage": "100", "since": "2026-03-02T09:00:30Z"}
    assert ([each.id for each in page.items], page.has_more) == ([701], True)
    last = await api.changed_opportunities(None, 1, per_page=10)
    assert script.query == {"embed": EMBED, "page": "1", "perPage": "10"}
    assert (last.items, last.has_more) == ([], False)


async def test_a_cursor_without_a_time_zone_is_a_mistake() -> None:
    api, script = opportunities()
    with pytest.raises(ValueError, match="time zone"):
        await api.changed_opportunities(datetime(2026, 3, 2), 1)  # noqa: DTZ001 - the mistake in question
    assert not script.sent


async def test_deletions_are_told_apart_from_lost_access() -> None:
    """F16."""
    body = {
        "opportunities": [{"id": 701, "deletedAt": "2026-01-02T03:04:05Z"}],
        "restrictedOpportunities": [{"id": 702, "name": "Private", "isRestricted": True}],
    }
    api, script = opportunities(httpx.Response(200, json=body))
    found = await api.deleted_opportunities(SINCE)
    assert script.sent[0].url.path == "/api/v2/opportunities/deleted"
    assert [(each.id, each.deleted_at) for each in found.deleted] == [(701, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))]
    assert (found.restricted, found.has_more) == ([702], False)


async def test_an_update_sends_amounts_as_numbers_that_read_as_the_same_amount() -> None:
    """S38, S39: `1250.10` is written as 1250.1, and never as 1250.0999999999999."""
    api, script = opportunities(one(), one())
    changes = {
        "value": {"amount": Decimal("1250.10"), "currency": "USD"},
        "milestone": {"id": 13},
        "fields": [{"definition": {"id": 731}, "value": "INV-7"}],
    }
    await api.update_opportunity(701, changes)
    assert (script.sent[0].method, script.sent[0].url.path) == ("PUT", "/api/v2/opportunities/701")
    assert b'"amount":1250.1,' in script.sent[0].content
    assert script.body["opportunity"]["fields"] == changes["fields"]
    await api.update_opportunity(701, {"value": {"amount": Decimal("1250.00"), "currency": "USD"}})
    assert b'"amount":1250,' in script.sent[1].content


async def test_an_amount_that_capsule_could_not_keep_is_not_sent() -> None:
    api, script = opportunities()
    amount = Decimal("123456789012345.678")
    with pytest.raises(ValueError, match="more digits") as raised:
        await api.update_opportunity(701, {"value": {"amount": amount, "currency": "USD"}})
    assert "123456789" not in str(raised.value)
    assert not script.sent


async def test_an_update_without_changes_is_a_mistake() -> None:
    api, script = opportunities()
    with pytest.raises(ValueError, match="opportunity 701"):
        await api.update_opportunity(701, {})
    assert not script.sent


async def test_a_lost_answer_to_an_update_may_be_repeated_and_one_to_a_note_may_not() -> None:
    """F7: a repeated note stands there twice."""
    api, _ = opportunities(httpx.ReadTimeout("late"), httpx.ReadTimeout("late"), httpx.Response(502))
    with pytest.raises(Unavailable):
        await api.update_opportunity(701, {"name": "Relaunch"})
    with pytest.raises(UnknownOutcome, match="note on opportunity 701"):
        await api.add_note(701, "Invoice 0042")
    with pytest.raises(UnknownOutcome):
        await api.create_opportunity_field("Invoice number", "ours")


async def test_a_refusal_names_the_field_and_no_value() -> None:
    body = {
        "message": "Validation Failed",
        "errors": [
            {
                "message": "probability can be updated only for open opportunity",
                "resource": "opportunity",
                "field": "probability",
            }
        ],
    }
    api, _ = opportunities(httpx.Response(422, json=body))
    with pytest.raises(Refused, match=r"update opportunity 701.*opportunity\.probability") as raised:
        await api.update_opportunity(701, {"milestone": {"id": 14}, "probability": 90})
    assert raised.value.problems[0].message.startswith("probability can be")


async def test_what_capsule_has_not_is_not_found() -> None:
    api, _ = opportunities(httpx.Response(404, json={"message": "opportunity not found"}))
    with pytest.raises(NotFound, match="read opportunity 701"):
        await api.opportunity(701)


async def test_a_wait_that_was_asked_for_a_party_holds_opportunities_back_too() -> None:
    """Both share one quota: to go on asking may get the user blocked."""
    headers = {"X-RateLimit-Reset": str(int(datetime.now(UTC).timestamp()) + 120)}
    parties, script = capsule(httpx.Response(429, json={"error": "rate limit reached"}, headers=headers))
    with pytest.raises(RateLimited):
        await parties.get_party(11)
    with pytest.raises(RateLimited, match="asked us to wait"):
        await CapsuleOpportunities(parties.calls).opportunity(701)
    assert len(script.sent) == 1


async def test_the_milestones_are_those_of_all_pipelines() -> None:
    """S12: `/milestones` would hide every pipeline but the oldest."""
    open_one = {"id": 13, "name": "Proposal", "complete": False, "probability": 50, "daysUntilStale": 30}
    api, script = opportunities(*[httpx.Response(200, json={"milestones": [open_one, WON]})] * 2)
    found = (await api.milestones()).items
    assert script.sent[0].url.path == "/api/v2/milestones/all"
    assert [(each.complete, each.probability, each.days_until_stale) for each in found] == [
        (False, 50, 30),
        (True, 100, None),
    ]
    assert found[1].pipeline is not None
    assert found[1].pipeline.name == "Sales"
    await api.milestones_of(3)
    assert script.sent[1].url.path == "/api/v2/pipelines/3/milestones"


Listing = Callable[[CapsuleOpportunities], Awaitable[Page[Any]]]


@pytest.mark.parametrize(
    ("ask", "path", "key"),
    [
        (lambda api: api.pipelines(), "/pipelines", "pipelines"),
        (lambda api: api.lost_reasons(), "/lostreasons", "lostReasons"),
        (lambda api: api.opportunity_fields(), "/opportunities/fields/definitions", "definitions"),
        (lambda api: api.parties_of(701), "/opportunities/701/parties", "parties"),
    ],
)
async def test_lists_are_read_by_the_hundred(ask: Listing, path: str, key: str) -> None:
    rows = [{"id": 5, "name": "Acme"}]
    api, script = opportunities(httpx.Response(200, json={key: rows}, headers={"X-Pagination-Has-More": "true"}))
    page = await ask(api)
    assert script.sent[0].url.path == f"/api/v2{path}"
    assert (script.query["page"], script.query["perPage"]) == ("1", "100")
    assert ([(each.id, each.name) for each in page.items], page.has_more) == ([(5, "Acme")], True)


async def test_a_custom_field_is_made_for_opportunities() -> None:
    """S38, S64: where the id of the invoice goes."""
    made = {"definition": {"id": 45, "name": "FreshBooks invoice", "type": "link"}}
    api, script = opportunities(httpx.Response(201, json=made))
    definition = await api.create_opportunity_field("FreshBooks invoice", "written by Ledgerline", "link")
    assert script.sent[0].url.path == "/api/v2/opportunities/fields/definitions"
    assert script.body == {
        "definition": {"name": "FreshBooks invoice", "type": "link", "description": "written by Ledgerline"}
    }
    assert (definition.id, definition.type) == (45, "link")


async def test_a_note_goes_to_its_opportunity_alone() -> None:
    """S38."""
    entry = {"id": 9, "type": "note", "content": "Invoice 0042", "creator": ANN, "opportunity": {"id": 701}}
    api, script = opportunities(httpx.Response(201, json={"entry": entry}))
    note = await api.add_note(701, "Invoice 0042")
    assert script.sent[0].url.path == "/api/v2/entries"
    assert script.body == {"entry": {"type": "note", "content": "Invoice 0042", "opportunity": {"id": 701}}}
    assert (note.id, note.content) == (9, "Invoice 0042")


async def test_emails_and_tasks_are_no_notes() -> None:
    rows = [{"id": 3, "type": "email", "content": "A"}, {"id": 2, "type": "note", "content": "B"}, {"id": 1}]
    answer = httpx.Response(200, json={"entries": rows}, headers={"X-Pagination-Has-More": "true"})
    api, script = opportunities(answer)
    page = await api.notes(701)
    assert (script.sent[0].url.path, script.query["perPage"]) == ("/api/v2/opportunities/701/entries", "50")
    assert ([each.content for each in page.items], page.has_more) == (["B"], True)


async def test_users_come_with_the_addresses_of_their_own_parties() -> None:
    """S42: of type Work first; a party in its short form says nothing about addresses."""
    rows = [{"id": 1, "type": "Home", "address": "a@home.test"}, {"id": 2, "type": "Work", "address": "a@work.test"}]
    users = [
        {**ANN, "party": {"id": 41, "emailAddresses": rows}},
        {"id": 7, "name": "Jonas", "party": {"id": 42, "firstName": "Jonas"}},
        {"id": 8, "name": "Robot", "party": None},
        {"id": 9, "name": "Ida", "party": {"id": 43, "emailAddresses": []}},
    ]
    api, script = opportunities(httpx.Response(200, json={"users": users}))
    found = await api.users_with_email()
    assert script.query == {"embed": "party"}
    assert [(each.user.id, each.party_id, each.emails) for each in found] == [
        (6, 41, ("a@work.test", "a@home.test")),
        (7, 42, None),
        (8, None, ()),
        (9, 43, ()),
    ]


@pytest.mark.parametrize("verb", ["created", "updated", "moved", "closed", "deleted"])
def test_a_delivery_says_which_opportunities_to_look_at(verb: str) -> None:
    """S12: nothing but the ids is believed."""
    body = b'{"event":"opportunity/%s","payload":[{"id":701,"name":"A"},{"id":702},{"id":701}]}' % verb.encode()
    assert parse_delivery(body).opportunity_ids == (701, 702)


@pytest.mark.parametrize("event", ["party/updated", "kase/closed", "opportunity/merged"])
def test_other_deliveries_name_no_opportunities(event: str) -> None:
    assert parse_delivery(b'{"event":"%s","payload":[{"id":701}]}' % event.encode()).opportunity_ids == ()
