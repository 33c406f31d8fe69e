"""FreshBooks' requests and answers, as its documentation and its recordings show them."""

from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from connectors.errors import Refused, UnknownOutcome
from tests.connectors.answering import clients, freshbooks, one_client

QUIST: dict[str, Any] = {
    "id": 330101,
    "userid": 330101,
    "accounting_systemid": "aB3xYz",
    "fname": "Nora",
    "lname": "Quist",
    "organization": "Quist AB",
    "email": "nora@quist.test",
    "home_phone": None,
    "p_country": "Sweden",
    "currency_code": "SEK",
    "note": "capsule:party:4711",
    "allow_late_fees": True,
    "signup_date": "2026-03-02 14:00:05",
    "updated": "2026-03-02 09:00:05",
    "vis_state": 0,
    "some_new_key": [],
}
CLIENTS = "/accounting/account/aB3xYz/users/clients"
CALLBACKS = "/events/account/aB3xYz/events/callbacks"


async def test_a_client_is_read_in_freshbooks_own_words_with_both_clocks_in_utc() -> None:
    """S34, S43: signup_date is UTC on the wire, updated is US Eastern; here they are the same instant."""
    api, script = freshbooks(one_client(**QUIST))
    client = await api.get_client(330101)
    assert (script.sent[0].method, script.sent[0].url.path) == ("GET", f"{CLIENTS}/330101")
    assert not script.sent[0].content
    assert "content-type" not in script.sent[0].headers  # FreshBooks advises against one on reads
    assert client.updated == client.signup_date == datetime(2026, 3, 2, 14, 0, 5, tzinfo=UTC)
    instants = {"signup_date": "2026-03-02T14:00:05Z", "updated": "2026-03-02T14:00:05Z"}
    assert client.document() == {key: value for key, value in {**QUIST, **instants}.items() if key != "some_new_key"}


async def test_a_client_in_a_log_line_shows_its_number_and_no_name() -> None:
    api, _ = freshbooks(one_client(**QUIST))
    assert repr(await api.get_client(330101)) == "Client(id=330101)"


async def test_ids_as_text_and_zero_dates_are_read_all_the_same() -> None:
    api, _ = freshbooks(one_client(**{**QUIST, "id": "330101", "updated": "0000-00-00 00:00:00", "signup_date": ""}))
    client = await api.get_client(330101)
    assert (client.id, client.updated, client.signup_date) == (330101, None, None)


async def test_a_sweep_lists_clients_by_the_eastern_day_in_a_fixed_order() -> None:
    """S62: brackets are percent-encoded; sorting by id keeps an edit from moving a record past the reader."""
    api, script = freshbooks(clients([QUIST], page=2, pages=3))
    page = await api.list_clients(page=2, updated_min=date(2026, 3, 1), vis_state=1)
    assert ([client.id for client in page.items], page.has_more) == ([330101], True)
    assert b"search%5Bupdated_min%5D=2026-03-01" in script.sent[0].url.query
    assert script.query == {
        "search[updated_min]": "2026-03-01",
        "search[vis_state]": "1",
        "page": "2",
        "per_page": "100",
        "sort": "client_id_asc",
    }


@pytest.mark.parametrize(
    ("rows", "page", "pages", "more"), [(1, 1, 2, True), (1, 2, 2, False), (0, 1, 9, False), (0, 1, 0, False)]
)
async def test_paging_ends_at_an_empty_page_whatever_the_total_says(
    rows: int, page: int, pages: int, more: bool
) -> None:
    """S62: `total` was seen to count records that the user may not read."""
    api, _ = freshbooks(clients([QUIST] * rows, page=page, pages=pages))
    assert (await api.list_clients(page=page)).has_more is more


async def test_an_instant_is_no_day() -> None:
    """F32: five in the morning in Berlin is still yesterday in New York."""
    api, _ = freshbooks()
    with pytest.raises(TypeError, match="eastern_day"):
        await api.list_clients(page=1, updated_min=datetime(2026, 3, 2, 4, tzinfo=UTC))


@pytest.mark.parametrize(("page", "per_page"), [(0, 100), (1, 101)])
async def test_a_page_that_freshbooks_would_silently_change_is_not_asked_for(page: int, per_page: int) -> None:
    api, script = freshbooks()
    with pytest.raises(ValueError, match="pages from 1"):
        await api.list_clients(page=page, per_page=per_page)
    assert not script.sent


async def test_clients_are_found_by_email_address_whatever_its_case() -> None:
    """F2, F4: several clients may share one address, and all are returned for a person to see."""
    twin = {**QUIST, "id": 330102, "email": "Nora@Quist.test", "vis_state": 2}
    api, script = freshbooks(clients([QUIST, twin]))
    found = await api.find_clients_by_email(" nora@quist.test ")
    assert [client.id for client in found] == [330101, 330102]
    assert script.query["search[email]"] == "nora@quist.test"


async def test_a_plus_in_an_address_reaches_freshbooks_as_a_plus() -> None:
    api, script = freshbooks(clients([]))
    await api.find_clients_by_email("nora+books@quist.test")
    assert b"nora%2Bbooks%40quist.test" in script.sent[0].url.query


async def test_a_filter_that_freshbooks_ignores_finds_nobody() -> None:
    """F5: an unknown filter returns everybody with HTTP 200."""
    everybody = [{**QUIST, "id": n, "email": f"{n}@acme.test", "note": f"capsule:party:{n}"} for n in range(1, 100)]
    api, _ = freshbooks(clients(everybody), clients(everybody))
    assert await api.find_clients_by_email("nora@quist.test") == []
    assert await api.find_clients_by_note("capsule:party:4711") == []


async def test_a_hit_on_a_later_page_is_not_missed_and_not_doubled() -> None:
    """F2."""
    other = {**QUIST, "id": 1, "email": "x@acme.test"}
    api, script = freshbooks(clients([other, QUIST], 1, 2), clients([QUIST], 2, 2))
    assert [client.id for client in await api.find_clients_by_email("nora@quist.test")] == [330101]
    assert len(script.sent) == 2


async def test_a_search_that_returns_the_whole_account_goes_to_a_person() -> None:
    """F5."""
    api, script = freshbooks(*[clients([QUIST], page=number, pages=900) for number in range(1, 6)])
    with pytest.raises(Refused, match="ignore the filter"):
        await api.find_clients_by_email("nora@quist.test")
    assert len(script.sent) == 5


@pytest.mark.parametrize("value", ["", "  \t"])
async def test_an_empty_search_is_never_sent(value: str) -> None:
    """F5."""
    api, script = freshbooks()
    with pytest.raises(ValueError, match="every client"):
        await api.find_clients_by_email(value)
    with pytest.raises(ValueError, match="every client"):
        await api.find_clients_by_note(value)
    assert not script.sent


@pytest.mark.parametrize(
    ("note", "found"),
    [
        ("capsule:party:47", True),
        ("pays late\nref capsule:party:47.", True),
        ("capsule:party:4711", False),
        ("xcapsule:party:47", False),
        ("CAPSULE:PARTY:47", False),
        (None, False),
    ],
)
async def test_a_reference_is_found_in_a_note_only_as_a_whole(note: str | None, found: bool) -> None:
    """F4: the reference of party 47 is the beginning of the reference of party 4711."""
    api, script = freshbooks(clients([{**QUIST, "note": note}]))
    assert bool(await api.find_clients_by_note("capsule:party:47")) is found
    assert script.query["search[note_like]"] == "capsule:party:47"


async def test_a_client_is_created_in_its_envelope() -> None:
    """S21, Z97."""
    api, script = freshbooks(one_client(**QUIST))
    assert (await api.create_client({"fname": "Nora", "note": "capsule:party:4711"})).id == 330101
    assert (script.sent[0].method, script.sent[0].url.path) == ("POST", CLIENTS)
    assert script.body == {"client": {"fname": "Nora", "note": "capsule:party:4711"}}


async def test_an_update_sends_only_what_changed() -> None:
    """S22."""
    api, script = freshbooks(one_client(**QUIST))
    await api.update_client(330101, {"email": "nora@quist.test"})
    assert (script.sent[0].method, script.sent[0].url.path) == ("PUT", f"{CLIENTS}/330101")
    assert script.body == {"client": {"email": "nora@quist.test"}}


@pytest.mark.parametrize("values", [{"vis_state": 0}, {"ext_vis_state": 0}, {"action_email": True}])
async def test_an_update_never_travels_with_what_makes_freshbooks_drop_it(values: dict[str, object]) -> None:
    """F18."""
    api, script = freshbooks()
    with pytest.raises(ValueError, match=next(iter(values))):
        await api.update_client(330101, {"fname": "Nora", **values})
    assert not script.sent


async def test_an_empty_write_is_a_mistake() -> None:
    api, script = freshbooks()
    with pytest.raises(ValueError, match="client 330101"):
        await api.update_client(330101, {})
    with pytest.raises(ValueError, match="at least one value"):
        await api.create_client({})
    assert not script.sent


async def test_a_client_is_archived_by_a_request_of_its_own() -> None:
    """F18."""
    api, script = freshbooks(one_client(**{**QUIST, "vis_state": 2}))
    assert (await api.set_client_visibility(330101, 2)).vis_state == 2
    assert script.body == {"client": {"vis_state": 2}}
    with pytest.raises(ValueError, match="not 3"):
        await api.set_client_visibility(330101, 3)


def callback(**values: Any) -> dict[str, Any]:
    return {"callbackid": 2001, "verified": False, "uri": "https://host/s3cr3t", "event": "client", **values}


async def test_a_callback_is_created_verified_and_deleted() -> None:
    """Z28."""

    def answer(**values: Any) -> httpx.Response:
        body = {"response": {"result": {"callback": callback(**values)}}}
        return httpx.Response(200, json=body, headers={"Content-Type": "application/vnd.api+json"})

    api, script = freshbooks(
        answer(updated_at="2026-03-02T14:00:00Z"), answer(verified=True), answer(), httpx.Response(204)
    )
    created = await api.create_callback("client", "https://host/s3cr3t")
    assert (created.id, created.verified) == (2001, False)
    assert script.body == {"callback": {"event": "client", "uri": "https://host/s3cr3t"}}
    assert "s3cr3t" not in repr(created)
    assert (await api.verify_callback(2001, "Zk3v")).verified is True
    assert script.body == {"callback": {"verifier": "Zk3v"}}
    await api.resend_verification(2001)
    assert script.body == {"callback": {"resend": True}}
    await api.delete_callback(2001)
    assert [(each.method, each.url.path.removeprefix(CALLBACKS)) for each in script.sent] == [
        ("POST", ""),
        ("PUT", "/2001"),
        ("PUT", "/2001"),
        ("DELETE", "/2001"),
    ]


async def test_callbacks_are_listed_to_find_duplicates() -> None:
    result = {"callbacks": [callback()], "page": 1, "pages": 1, "per_page": 15, "total": 1}
    api, script = freshbooks(httpx.Response(200, json={"response": {"result": result}}))
    page = await api.callbacks()
    assert ([each.id for each in page.items], page.has_more) == ([2001], False)
    assert script.query == {"page": "1", "per_page": "100"}


async def test_a_callback_whose_creation_was_lost_may_exist() -> None:
    api, _ = freshbooks(httpx.ReadTimeout(""))
    with pytest.raises(UnknownOutcome):
        await api.create_callback("client", "https://host/path")


def me(memberships: list[dict[str, Any]], roles: list[dict[str, Any]]) -> httpx.Response:
    return httpx.Response(
        200, json={"response": {"id": 7001, "identity_id": 7001, "business_memberships": memberships, "roles": roles}}
    )


def membership(account_id: str | None, business_id: int = 880001, role: str = "owner") -> dict[str, Any]:
    business = {
        "id": business_id,
        "business_uuid": f"uuid-{business_id}",
        "name": "Berg Studio",
        "account_id": account_id,
    }
    return {"id": 5501, "role": role, "business": business}


async def test_the_three_ids_of_a_business_are_told_apart() -> None:
    """Z20: the membership's own id is none of them."""
    api, script = freshbooks(me([membership("aB3xYz")], []))
    found = await api.identity()
    assert script.sent[0].url.path == "/auth/api/v1/users/me"
    assert found.id == 7001
    assert found.memberships[0].model_dump() == {
        "business_id": 880001,
        "business_uuid": "uuid-880001",
        "account_id": "aB3xYz",
        "name": "Berg Studio",
        "role": "owner",
    }


@pytest.mark.parametrize(
    ("memberships", "roles", "accounts"),
    [
        ([membership(None)], [{"role": "admin", "accountid": "aB3xYz"}], ["aB3xYz"]),
        ([membership("one"), membership(None, 2)], [{"accountid": "one"}, {"accountid": "two"}], ["one", "two"]),
        ([membership(None, 1), membership(None, 2)], [{"accountid": "one"}, {"accountid": "two"}], [None, None]),
        ([membership(None)], [{"accountid": "one"}, {"accountid": "two"}], [None]),
        ([membership(None)], [{"role": "client", "accountid": "theirs"}], [None]),
        ([membership(None)], [], [None]),
    ],
    ids=["one role", "the role that is left", "two of both", "two roles", "our supplier's account", "no role"],
)
async def test_a_missing_account_id_is_filled_only_beyond_doubt(
    memberships: list[dict[str, Any]], roles: list[dict[str, Any]], accounts: list[str | None]
) -> None:
    """Z20: guessing would write into somebody else's books."""
    api, _ = freshbooks(me(memberships, roles))
    assert [each.account_id for each in (await api.identity()).memberships] == accounts
