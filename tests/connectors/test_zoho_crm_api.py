"""What Zoho CRM is asked for, and how its answers are read, as its documentation shows them."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import httpx
import pytest

from connectors.errors import NotFound, Refused, Unavailable
from connectors.zoho_crm.asking import coql_text
from tests.connectors.answering import TOKEN, zoho_crm
from tests.connectors.zoho_answers import ADA, ADA_ID, BOT_ID, FIRM_ID, NOTHING, page

SINCE = datetime(2026, 3, 2, 10, 0, 30, 900_000, tzinfo=timezone(timedelta(hours=1)))
FIELDS = ["Last_Name", "Email"]


async def test_a_contact_is_read_with_all_that_zoho_says_of_it() -> None:
    """Z54: instants in UTC, amounts exact, and the module beside the values for the mapping."""
    content = httpx.Response(200, json={"data": [ADA]}).content.replace(b'"fb-77"', b'"fb-77","Credit_Limit":1000.10')
    api, script = zoho_crm(httpx.Response(200, content=content))
    contact = await api.get_record("Contacts", ADA_ID)
    assert (script.sent[0].method, script.sent[0].url.path) == ("GET", f"/crm/v8/Contacts/{ADA_ID}")
    assert script.sent[0].headers["Authorization"] == f"Zoho-oauthtoken {TOKEN}"
    assert contact.modified_at == datetime(2026, 3, 8, 6, 10, 11, tzinfo=UTC)
    assert contact.values["Credit_Limit"] == Decimal("1000.10")
    assert contact.modified_by is not None
    assert (contact.id, contact.modified_by.id) == (ADA_ID, BOT_ID)
    assert contact.document() == {**ADA, "Credit_Limit": "1000.10", "module": "Contacts"}


async def test_a_contact_in_a_log_line_shows_its_number_and_no_name() -> None:
    api, _ = zoho_crm(page(ADA))
    assert repr(await api.get_record("Contacts", ADA_ID)) == f"CrmRecord(id='{ADA_ID}')"


async def test_ids_are_text_even_where_zoho_writes_a_number() -> None:
    api, _ = zoho_crm(page({**ADA, "id": int(ADA_ID), "Account_Name": {"id": int(FIRM_ID), "name": "Okafor Ltd"}}))
    contact = await api.get_record("Contacts", ADA_ID)
    assert (contact.id, contact.values["Account_Name"]["id"]) == (ADA_ID, FIRM_ID)


async def test_a_record_that_is_gone_is_an_empty_answer() -> None:
    """Z10: the pair is parted, not shown as failed."""
    api, _ = zoho_crm(NOTHING)
    with pytest.raises(NotFound, match=f"no Contacts {ADA_ID}: it is deleted, merged, or not visible"):
        await api.get_record("Contacts", ADA_ID)


@pytest.mark.parametrize("record_id", ["", "../Leads", "1 2", "12/actions", "\u0661\u0662"])
async def test_what_is_no_id_never_gets_into_an_address(record_id: str) -> None:
    api, script = zoho_crm()
    with pytest.raises(ValueError, match="text of digits"):
        await api.get_record("Contacts", record_id)
    assert not script.sent


@pytest.mark.parametrize("module", ["", "Contacts/actions", "Con tacts", "../org", "Contacts?x=1"])
async def test_what_is_no_module_never_gets_into_an_address(module: str) -> None:
    api, script = zoho_crm()
    with pytest.raises(ValueError, match="API name"):
        await api.get_record(module, ADA_ID)
    with pytest.raises(ValueError, match="API name"):
        await api.insert(module, [{"Last_Name": "Okafor"}])
    assert not script.sent


async def test_a_sweep_lists_what_was_modified_since_in_a_fixed_order() -> None:
    """S62: sorting by id keeps an edit from moving a record past the reader."""
    api, script = zoho_crm(page(ADA, token="next"))
    found = await api.list_records("Contacts", FIELDS, since=SINCE)
    assert ([each.id for each in found.items], found.has_more, found.next_token) == ([ADA_ID], True, "next")
    assert script.sent[0].headers["If-Modified-Since"] == "2026-03-02T09:00:30+00:00"
    assert script.query == {"fields": "Last_Name,Email", "per_page": "200", "sort_by": "id", "sort_order": "asc"}


async def test_the_next_page_is_asked_for_by_its_token_and_the_same_parameters() -> None:
    """S60: pages by number end at 2,000 records."""
    api, script = zoho_crm(page(ADA))
    found = await api.list_records("Contacts", FIELDS, since=SINCE, page_token="next", per_page=100)
    assert (found.has_more, found.next_token) == (False, None)
    assert "If-Modified-Since" in script.sent[0].headers
    order = {"sort_by": "id", "sort_order": "asc"}
    assert script.query == {"fields": "Last_Name,Email", "per_page": "100", "page_token": "next", **order}


async def test_a_first_sweep_asks_for_everything() -> None:
    api, script = zoho_crm(page(ADA))
    await api.list_records("Contacts", FIELDS)
    assert "If-Modified-Since" not in script.sent[0].headers


@pytest.mark.parametrize("status", [204, 304])
async def test_nothing_found_and_nothing_modified_are_empty_pages(status: int) -> None:
    api, _ = zoho_crm(httpx.Response(status))
    found = await api.list_records("Contacts", FIELDS, since=SINCE)
    assert (found.items, found.has_more, found.next_token) == ([], False, None)


async def test_a_page_that_leads_nowhere_is_not_taken_for_the_last_one() -> None:
    """F35: records would be missed in silence."""
    api, _ = zoho_crm(page(ADA, more=True))
    with pytest.raises(Unavailable, match="list Contacts"):
        await api.list_records("Contacts", FIELDS)


async def test_an_instant_without_a_time_zone_is_not_guessed_at() -> None:
    api, _ = zoho_crm()
    with pytest.raises(ValueError, match="time zone"):
        await api.list_records("Contacts", FIELDS, since=datetime(2026, 3, 2))  # noqa: DTZ001


@pytest.mark.parametrize("fields", [[], ["F"] * 51, ["Last Name"], ["Email&x=1"]])
async def test_a_list_names_one_to_fifty_fields(fields: list[str]) -> None:
    api, script = zoho_crm()
    with pytest.raises(ValueError, match="Zoho CRM"):
        await api.list_records("Contacts", fields)
    assert not script.sent


@pytest.mark.parametrize("per_page", [0, 201])
async def test_a_page_has_two_hundred_records_at_most(per_page: int) -> None:
    api, _ = zoho_crm()
    with pytest.raises(ValueError, match="1 to 200 records"):
        await api.list_records("Contacts", FIELDS, per_page=per_page)


async def test_a_hundred_records_are_read_at_once_and_those_gone_are_missing() -> None:
    api, script = zoho_crm(page(ADA))
    assert [each.id for each in await api.records_by_ids("Contacts", [ADA_ID, FIRM_ID], FIELDS)] == [ADA_ID]
    assert script.query == {"ids": f"{ADA_ID},{FIRM_ID}", "fields": "Last_Name,Email", "per_page": "200"}


async def test_a_hundred_and_one_are_too_many() -> None:
    api, script = zoho_crm()
    with pytest.raises(ValueError, match="1 to 100 ids at once, not 101"):
        await api.records_by_ids("Contacts", ["1"] * 101, FIELDS)
    with pytest.raises(ValueError, match="1 to 100 records at once, not 101"):
        await api.insert("Contacts", [{"Last_Name": "Okafor"}] * 101)
    with pytest.raises(ValueError, match="not 0"):
        await api.delete("Contacts", [])
    assert not script.sent


async def test_contacts_are_found_by_email_address_whatever_its_case() -> None:
    """F2, F4: several may share one address, and all are returned for a person to see."""
    twin = {**ADA, "id": "4876876000000412002", "Email": "Ada@Okafor.test"}
    other = {**ADA, "id": "4876876000000412003", "Email": "ada@okafor.test.example"}
    api, script = zoho_crm(page(ADA, twin, other))
    found = await api.search_by_email("Contacts", " ada@okafor.test ", FIELDS)
    assert [each.id for each in found] == [ADA_ID, "4876876000000412002"]
    assert (script.sent[0].url.path, script.query["email"]) == ("/crm/v8/Contacts/search", "ada@okafor.test")


async def test_a_plus_in_an_address_reaches_zoho_as_a_plus() -> None:
    api, script = zoho_crm(NOTHING)
    assert await api.search_by_email("Contacts", "ada+books@okafor.test", FIELDS) == []
    assert b"email=ada%2Bbooks%40okafor.test" in script.sent[0].url.query


async def test_a_search_that_returns_the_whole_account_goes_to_a_person() -> None:
    """F5."""
    api, _ = zoho_crm(page(*[ADA] * 200, more=True))
    with pytest.raises(Refused, match="ignore the filter"):
        await api.search_by_email("Contacts", "ada@okafor.test", FIELDS)


async def test_an_empty_search_is_never_sent() -> None:
    """F5."""
    api, script = zoho_crm()
    with pytest.raises(ValueError, match="needs one"):
        await api.search_by_email("Contacts", "  ", FIELDS)
    assert not script.sent


async def test_a_query_sees_what_was_just_written() -> None:
    """F3: the search index lags, COQL does not."""
    text = f"select id, Last_Name from Contacts where FreshBooks_ID = {coql_text('fb-77')} limit 2"
    api, script = zoho_crm(page({"id": ADA_ID, "Last_Name": "Okafor"}, more=False), NOTHING)
    found = await api.query(text)
    assert (found.items, found.has_more) == ([{"id": ADA_ID, "Last_Name": "Okafor"}], False)
    assert script.body == {"select_query": "select id, Last_Name from Contacts where FreshBooks_ID = 'fb-77' limit 2"}
    assert (await api.query(text)).items == []


@pytest.mark.parametrize("value", ["fb-77", "ada+x@okafor.test", "Żółć & Söhne (GmbH); -- 1", "a,b"])
def test_a_value_stands_in_a_query_as_it_is(value: str) -> None:
    assert coql_text(value) == f"'{value}'"


@pytest.mark.parametrize(
    "value",
    ["", "x' or Last_Name != '", "O'Neill", "x\\", 'x"y', "x\ny", "x\x00", "%", "x\u2028y", "x\u202ey"],
)
def test_a_value_that_could_end_its_quotes_stands_in_no_query(value: str) -> None:
    """S17: how COQL escapes is not documented, and the wrong guess shows one customer's records for another's."""
    with pytest.raises(ValueError, match="cannot stand in a query") as caught:
        coql_text(value)
    assert "Neill" not in str(caught.value)


async def test_deletions_are_listed_with_their_instants() -> None:
    gone = {"id": ADA_ID, "display_name": "Ada Okafor", "type": "recycle", "deleted_time": "2026-03-08T09:10:11+03:00"}
    forgotten = {"id": FIRM_ID, "display_name": None, "type": "permanent", "deleted_time": None, "deleted_by": None}
    api, script = zoho_crm(page(gone, forgotten, more=True))
    found = await api.deleted("Contacts", since=SINCE, page=2)
    assert [(each.id, each.type) for each in found.items] == [(ADA_ID, "recycle"), (FIRM_ID, "permanent")]
    assert found.items[0].deleted_time == datetime(2026, 3, 8, 6, 10, 11, tzinfo=UTC)
    assert found.has_more
    assert "If-Modified-Since" in script.sent[0].headers
    assert script.query == {"type": "all", "page": "2", "per_page": "200"}


@pytest.mark.parametrize("status", [204, 304])
async def test_no_deletions_are_an_empty_page(status: int) -> None:
    api, _ = zoho_crm(httpx.Response(status))
    assert (await api.deleted("Contacts", since=SINCE)).items == []


async def test_records_are_counted() -> None:
    api, script = zoho_crm(httpx.Response(200, json={"count": 42}))
    assert await api.count("Contacts") == 42
    assert script.sent[0].url.path == "/crm/v8/Contacts/actions/count"
