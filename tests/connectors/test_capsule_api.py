"""Capsule's requests and answers, as its documentation shows them."""

from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest

from connectors.errors import Forbidden, NotFound, Refused, Unauthorized, UnknownOutcome
from tests.connectors.answering import capsule, one_party

ACME = {
    "id": 11,
    "owner": {"id": 6, "username": "ann", "name": "Ann Bell"},
    "team": None,
    "type": "organisation",
    "about": None,
    "name": "Acme Ltd",
    "createdAt": "2026-01-02T10:00:00Z",
    "updatedAt": "2026-01-02T10:00:00Z",
    "lastContactedAt": None,
    "pictureURL": "https://cdn.example/org.svg",
    "phoneNumbers": [],
    "addresses": [
        {
            "id": 31,
            "type": "Billing",
            "street": "1 High St",
            "city": "Leeds",
            "state": None,
            "zip": "LS1 1AA",
            "country": "United Kingdom",
        }
    ],
    "emailAddresses": [{"id": 32, "type": "Work", "address": "ap@acme.test"}],
    "websites": [],
    "tags": [{"id": 5, "name": "Customer", "dataTag": False}],
    "fields": [{"id": 90, "definition": {"id": 731, "name": "FreshBooks client id"}, "value": "10042", "tagId": None}],
    "enrichment": {"new": "and undocumented"},
}
SINCE = datetime(2026, 3, 2, 10, 0, 30, 900_000, tzinfo=timezone(timedelta(hours=1)))


async def test_a_party_is_read_with_tags_custom_fields_and_organisation() -> None:
    """S15, S23, S24, S25."""
    api, script = capsule(httpx.Response(200, json={"party": ACME}))
    party = await api.get_party(11)
    assert (script.sent[0].method, script.sent[0].url.path) == ("GET", "/api/v2/parties/11")
    assert script.query == {"embed": "tags,fields,organisation"}
    assert party.updated_at == datetime(2026, 1, 2, 10, tzinfo=UTC)
    assert party.document() == {key: value for key, value in ACME.items() if key != "enrichment"}


async def test_a_persons_employer_is_part_of_the_document() -> None:
    """S37."""
    api, _ = capsule(
        one_party(
            type="person",
            firstName="Nora",
            lastName=None,
            organisation={"id": 7, "type": "organisation", "name": "Quist AB"},
        )
    )
    document = (await api.get_party(11)).document()
    assert document["organisation"] == {"id": 7, "type": "organisation", "name": "Quist AB"}
    assert document["lastName"] is None
    assert "fields" not in document  # not told is not the same as none


async def test_a_party_in_a_log_line_shows_its_number_and_no_name() -> None:
    api, _ = capsule(httpx.Response(200, json={"party": ACME}))
    assert repr(await api.get_party(11)) == "Party(id=11)"


async def test_sloppy_answers_are_read_all_the_same() -> None:
    api, _ = capsule(one_party(addresses=None, phoneNumbers=[{"id": 1, "number": 4412345}], fields=[]))
    party = await api.get_party(11)
    assert party.addresses == ()
    assert party.phone_numbers[0].number == "4412345"


async def test_ten_parties_come_with_one_request() -> None:
    api, script = capsule(httpx.Response(200, json={"parties": [{"id": 1}, {"id": 2}]}))
    assert [party.id for party in await api.get_parties([1, 2, 1])] == [1, 2]
    assert script.sent[0].url.path == "/api/v2/parties/1,2"


async def test_a_list_of_one_comes_in_the_envelope_of_one() -> None:
    api, _ = capsule(one_party())
    assert [party.id for party in await api.get_parties([11])] == [11]


@pytest.mark.parametrize("ids", [[], list(range(1, 12))])
async def test_capsule_reads_no_more_than_ten_parties_at_once(ids: list[int]) -> None:
    api, script = capsule()
    with pytest.raises(ValueError, match="1 to 10"):
        await api.get_parties(ids)
    assert not script.sent


async def test_a_sweep_asks_for_what_changed_since_an_instant() -> None:
    """S62, Z30."""
    api, script = capsule(httpx.Response(200, json={"parties": [ACME]}, headers={"X-Pagination-Has-More": "true"}))
    page = await api.list_parties(since=SINCE, page=3)
    assert script.query == {
        "embed": "tags,fields,organisation",
        "page": "3",
        "perPage": "100",
        "since": "2026-03-02T09:00:30Z",
    }
    assert ([party.id for party in page.items], page.has_more) == ([11], True)


@pytest.mark.parametrize(
    ("headers", "rows", "more"),
    [
        (
            {
                "X-Pagination-Has-More": "false",
                "Link": '<https://api.capsulecrm.com/api/v2/parties?page=2>; rel="next"',
            },
            2,
            False,
        ),
        ({"Link": '<https://x/parties?page=3>; rel="next", <https://x/parties?page=1>; rel="prev"'}, 2, True),
        ({"Link": '<https://x/parties?page=1>; rel="prev"'}, 2, False),
        ({}, 2, True),  # a full page and no word about a next one: look
        ({}, 1, False),
    ],
)
async def test_paging_follows_whatever_header_capsule_sends(headers: dict[str, str], rows: int, more: bool) -> None:
    """S62."""
    api, _ = capsule(httpx.Response(200, json={"parties": [{"id": n + 1} for n in range(rows)]}, headers=headers))
    assert (await api.list_parties(since=None, page=1, per_page=2)).has_more is more


@pytest.mark.parametrize(("page", "per_page"), [(0, 100), (1, 101), (1, 0)])
async def test_a_page_that_capsule_does_not_have_is_not_asked_for(page: int, per_page: int) -> None:
    api, script = capsule()
    with pytest.raises(ValueError, match="pages from 1"):
        await api.list_parties(since=None, page=page, per_page=per_page)
    assert not script.sent


async def test_an_instant_without_a_time_zone_is_refused() -> None:
    api, _ = capsule()
    with pytest.raises(ValueError, match="time zone"):
        await api.list_parties(since=datetime(2026, 3, 2, 10), page=1)  # noqa: DTZ001


async def test_our_reference_is_looked_up_by_an_exact_filter() -> None:
    """F2."""
    api, script = capsule(httpx.Response(200, json={"parties": [ACME]}, headers={"X-Pagination-Has-More": "false"}))
    page = await api.filter_parties([{"field": "custom:731", "operator": "is", "value": "ref-1"}], page=1)
    assert (script.sent[0].method, script.sent[0].url.path) == ("POST", "/api/v2/parties/filters/results")
    assert script.body == {"filter": {"conditions": [{"field": "custom:731", "operator": "is", "value": "ref-1"}]}}
    assert [party.id for party in page.items] == [11]


@pytest.mark.parametrize("conditions", [[], [{}], [{"field": "", "operator": "is", "value": "x"}]])
async def test_an_empty_filter_is_never_sent(conditions: list[dict[str, str]]) -> None:
    """F5: it would return, and link, everybody."""
    api, script = capsule()
    with pytest.raises(ValueError, match="every party"):
        await api.filter_parties(conditions, page=1)
    assert not script.sent


async def test_the_people_of_a_firm_are_listed() -> None:
    """S24."""
    api, script = capsule(httpx.Response(200, json={"parties": [{"id": 12, "type": "person"}]}))
    assert [party.id for party in (await api.people_of(11, 1)).items] == [12]
    assert script.sent[0].url.path == "/api/v2/parties/11/people"


async def test_a_party_is_created_in_its_envelope() -> None:
    """Z38."""
    api, script = capsule(
        httpx.Response(201, json={"party": ACME}, headers={"Location": "https://api.capsulecrm.com/api/v2/parties/11"})
    )
    created = await api.create_party({"type": "organisation", "name": "Acme Ltd"})
    assert created.id == 11
    assert script.body == {"party": {"type": "organisation", "name": "Acme Ltd"}}
    assert script.query == {"embed": "tags,fields,organisation"}


async def test_an_update_sends_only_what_changed() -> None:
    api, script = capsule(one_party(name="Acme Limited"))
    changes = {"name": "Acme Limited", "emailAddresses": [{"id": 32, "_delete": True}]}
    assert (await api.update_party(11, changes)).name == "Acme Limited"
    assert (script.sent[0].method, script.body) == ("PUT", {"party": changes})


async def test_a_lost_update_that_adds_an_address_may_have_added_it() -> None:
    """F3: Capsule appends a row without id, and a blind repeat would append it twice."""
    api, _ = capsule(httpx.ReadTimeout(""))
    with pytest.raises(UnknownOutcome, match="update party 11"):
        await api.update_party(11, {"emailAddresses": [{"address": "ap@acme.test"}]})


async def test_an_update_without_changes_is_a_mistake() -> None:
    api, script = capsule()
    with pytest.raises(ValueError, match="party 11"):
        await api.update_party(11, {})
    assert not script.sent


@pytest.mark.parametrize("status", [204, 202])
async def test_a_deletion_may_be_done_or_scheduled(status: int) -> None:
    api, script = capsule(httpx.Response(status))
    await api.delete_party(11)
    assert (script.sent[0].method, script.sent[0].url.path) == ("DELETE", "/api/v2/parties/11")


async def test_deletions_are_told_apart_from_lost_access() -> None:
    """F16."""
    api, script = capsule(
        httpx.Response(
            200,
            json={
                "parties": [{"id": 41, "deletedAt": "2026-01-02T03:04:05Z"}],
                "restrictedParties": [{"id": 77, "type": "organisation", "name": "Private", "isRestricted": True}],
            },
        )
    )
    found = await api.deleted_parties(SINCE)
    assert [(each.id, each.deleted_at) for each in found.deleted] == [(41, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))]
    assert (found.restricted, found.has_more) == ([77], False)
    assert script.query["since"] == "2026-03-02T09:00:30Z"


async def test_the_accounts_own_lists_are_read() -> None:
    api, script = capsule(
        httpx.Response(200, json={"users": [{"id": 6, "username": "ann", "party": {"id": 9, "type": "person"}}]}),
        httpx.Response(200, json={"user": {"id": 6, "username": "ann"}}),
        httpx.Response(200, json={"definitions": [{"id": 731, "name": "Ref", "type": "text", "displayOrder": 1}]}),
        httpx.Response(
            200,
            json={
                "countries": [{"alpha2Code": "GB", "alpha3Code": "GBR", "numericCode": 826, "name": "United Kingdom"}]
            },
        ),
        httpx.Response(200, json={"currencies": [{"code": "GBP", "symbol": "£"}]}),
        httpx.Response(
            200, json={"site": {"subdomain": "acme", "name": "Acme Ltd", "url": "https://acme.capsulecrm.com"}}
        ),
    )
    ann = (await api.users())[0]
    assert ann.party is not None
    assert ann.party.id == 9
    assert (await api.current_user()).username == "ann"
    assert (await api.party_field_definitions()).items[0].type == "text"
    assert (await api.countries())[0].alpha2_code == "GB"
    assert (await api.currencies())[0].code == "GBP"
    assert (await api.site()).subdomain == "acme"
    paths = [each.url.path.removeprefix("/api/v2") for each in script.sent]
    assert paths == ["/users", "/users/current", "/parties/fields/definitions", "/countries", "/currencies", "/site"]


async def test_hooks_are_listed_created_and_deleted() -> None:
    """S1."""
    hook = {"id": 100, "event": "party/updated", "targetUrl": "https://x.test/hook/s3cr3t", "batched": True}
    api, script = capsule(
        httpx.Response(201, json={"restHook": hook}),
        httpx.Response(200, json={"restHooks": [hook]}),
        httpx.Response(204),
    )
    created = await api.create_rest_hook("party/updated", "https://x.test/hook/s3cr3t", "Ledgerline")
    assert script.body == {
        "restHook": {"event": "party/updated", "targetUrl": "https://x.test/hook/s3cr3t", "description": "Ledgerline"}
    }
    assert await api.rest_hooks() == [created]
    assert "s3cr3t" not in repr(created)
    await api.delete_rest_hook(100)
    assert script.sent[-1].url.path == "/api/v2/resthooks/100"


async def test_a_hook_whose_creation_was_lost_may_exist() -> None:
    api, _ = capsule(httpx.ReadTimeout(""))
    with pytest.raises(UnknownOutcome):
        await api.create_rest_hook("party/updated", "https://x.test/hook", "Ledgerline")


async def test_a_validation_error_names_the_fields_and_quotes_nobody() -> None:
    """S28, S54: what Capsule says in its own words is kept for the person who resolves the hold."""
    said = {
        "message": "Validation Failed",
        "errors": [{"message": "Nora is no country", "resource": "address", "field": "country"}],
    }
    api, _ = capsule(httpx.Response(422, json=said))
    with pytest.raises(Refused, match=r"HTTP 422; address\.country") as caught:
        await api.update_party(11, {"name": "Acme"})
    assert "Nora" not in str(caught.value) + repr(caught.value.problems)
    assert caught.value.problems[0].message == "Nora is no country"


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (404, {"message": "party not found"}, NotFound, "party not found"),
        (403, {"message": "Requires additional scope"}, Forbidden, "Requires additional scope"),
        (400, {"error": "bad", "error_description": "bad JSON"}, Refused, "bad JSON"),
        (405, {"error": "Method not allowed"}, Refused, "Method not allowed"),
        (422, {"message": "Validation Failed", "errors": []}, Refused, "Validation Failed"),
    ],
)
async def test_every_shape_of_capsules_errors_is_read(
    status: int, body: dict[str, object], error: type[Refused], message: str
) -> None:
    api, _ = capsule(httpx.Response(status, json=body))
    with pytest.raises(error) as caught:
        await api.get_party(11)
    assert [problem.message for problem in caught.value.problems] == [message]


@pytest.mark.parametrize(
    "body", [[], "text", {"errors": ["text", None]}, {"errors": {"a": 1}}, {"message": ["x"]}, None]
)
async def test_an_error_body_of_unknown_shape_changes_nothing_about_the_refusal(body: object) -> None:
    api, _ = capsule(httpx.Response(422, json=body))
    with pytest.raises(Refused):
        await api.get_party(11)


async def test_a_dead_token_asks_for_a_refresh() -> None:
    """S11."""
    api, _ = capsule(httpx.Response(401, json={"message": "expired"}, headers={"WWW-Authenticate": "Bearer"}))
    with pytest.raises(Unauthorized, match="refresh the access token"):
        await api.get_party(11)


async def test_a_custom_text_field_is_made_for_people_and_organisations() -> None:
    """S15: a definition without a capture rule is for both."""
    made = {"id": 731, "name": "Ledgerline reference", "type": "text", "displayOrder": 1}
    api, script = capsule(httpx.Response(201, json={"definition": made}))
    assert (await api.create_party_field_definition("Ledgerline reference", "Leave it.")).id == 731
    assert (script.sent[0].method, script.sent[0].url.path) == ("POST", "/api/v2/parties/fields/definitions")
    assert script.body == {"definition": {"name": "Ledgerline reference", "type": "text", "description": "Leave it."}}


async def test_a_custom_field_whose_answer_is_lost_may_have_been_made() -> None:
    """F3: a second one of that name would not be refused."""
    api, _ = capsule(httpx.ReadTimeout(""))
    with pytest.raises(UnknownOutcome, match="look before trying again"):
        await api.create_party_field_definition("Ledgerline reference", "Leave it.")
