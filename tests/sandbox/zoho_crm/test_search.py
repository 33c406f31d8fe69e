"""Search, which lags behind, and queries, which do not."""

from typing import Any

import httpx
import pytest
import time_machine

from tests.sandbox.zoho_crm.conftest import account, contact, insert, told

WHEN = "2026-03-02T10:00:00Z"


async def found(zoho: httpx.AsyncClient, module: str = "Contacts", **params: str) -> list[str]:
    """Return the last names that a search finds, sorted."""
    response = await zoho.get(f"/{module}/search", params=params)
    if response.status_code == 204:
        assert response.content == b""
        return []
    assert response.status_code == 200, response.text
    return sorted(each["Last_Name"] for each in response.json()["data"])


async def query(zoho: httpx.AsyncClient, text: Any, **more: Any) -> httpx.Response:
    return await zoho.post("/coql", json={"select_query": text, **more})


async def rows(zoho: httpx.AsyncClient, where: str) -> list[str]:
    """Return the last names that a query finds, by id."""
    response = await query(zoho, f"select Last_Name from Contacts where {where}")
    return [each["Last_Name"] for each in response.json()["data"]] if response.status_code == 200 else []


@pytest.fixture
async def people(zoho: httpx.AsyncClient) -> list[str]:
    """Give three contacts, of which the first belongs to an account."""
    firm = await account(zoho, "Okafor Ltd")
    return await insert(
        zoho,
        "Contacts",
        {"Last_Name": "Okafor", "First_Name": "Ada", "Email": "ada@okafor.example", "Account_Name": {"id": firm}},
        {"Last_Name": "O'Neill (jr)", "Phone": "030 17", "Date_of_Birth": "1990-02-01"},
        {"Last_Name": "Groß", "Email": "info@gross.example", "Secondary_Email": "ada@okafor.example"},
    )


@pytest.mark.parametrize(
    ("criteria", "names"),
    [
        ("(Last_Name:equals:okafor)", ["Okafor"]),
        ("Last_Name:equals:Okafor", ["Okafor"]),
        ("((Last_Name:starts_with:Ok)and(Email:starts_with:ada))", ["Okafor"]),
        ("((Last_Name:equals:Okafor)or(Last_Name:equals:Groß))", ["Groß", "Okafor"]),
        ("(((Last_Name:equals:Okafor)or(Last_Name:equals:Groß))and(Email:starts_with:info))", ["Groß"]),
        (r"(Last_Name:equals:O'Neill \(jr\))", ["O'Neill (jr)"]),
        ("(Last_Name:in:Okafor,Groß)", ["Groß", "Okafor"]),
        ("(Last_Name:not_equal:Okafor)", ["Groß", "O'Neill (jr)"]),
        ("(Date_of_Birth:between:1990-01-01,1990-12-31)", ["O'Neill (jr)"]),
        ("(Account_Name:equals:Okafor Ltd)", ["Okafor"]),
        ("(Created_Time:greater_than:2020-01-01T00:00:00+00:00)", ["Groß", "O'Neill (jr)", "Okafor"]),
        ("(Last_Name:equals:Nobody)", []),
    ],
)
async def test_contacts_are_found_by_criteria(
    zoho: httpx.AsyncClient, people: list[str], criteria: str, names: list[str]
) -> None:
    assert await found(zoho, criteria=criteria) == names


async def test_an_email_address_a_phone_number_or_a_word_finds_too(zoho: httpx.AsyncClient, people: list[str]) -> None:
    assert await found(zoho, email="ADA@okafor.example") == ["Groß", "Okafor"]
    assert await found(zoho, phone="030 17") == ["O'Neill (jr)"]
    assert await found(zoho, word="neill") == ["O'Neill (jr)"]


async def test_of_several_ways_only_the_first_counts(zoho: httpx.AsyncClient, people: list[str]) -> None:
    assert await found(zoho, word="Groß", criteria="(Last_Name:equals:Okafor)") == ["Okafor"]


async def test_a_search_for_nothing_is_refused(zoho: httpx.AsyncClient) -> None:
    response = await zoho.get("/Contacts/search")
    assert (response.status_code, response.json()["code"]) == (400, "EXPECTED_PARAM_MISSING")
    assert response.json()["details"] == {"param_names": ["criteria", "email", "phone", "word"]}


@pytest.mark.parametrize(
    ("criteria", "detail"),
    [
        ("(Last_Name:resembles:Okafor)", "operator"),
        ("(Nonsense:equals:1)", "column_name"),
        ("(Last_Name:equals:Okafor", "reason"),
        ("(Last_Name:equals:A)(Last_Name:equals:B)", "reason"),
        ("(Modified_Time:greater_than:yesterday)", "column_name"),
        ("(Last_Name:between:A)", "operator"),
        ("(" + "or".join(["(Last_Name:equals:A)"] * 11) + ")", "reason"),
    ],
)
async def test_criteria_that_cannot_be_read_are_refused(zoho: httpx.AsyncClient, criteria: str, detail: str) -> None:
    response = await zoho.get("/Contacts/search", params={"criteria": criteria})
    assert (response.status_code, response.json()["code"]) == (400, "INVALID_QUERY")
    assert response.json()["details"][detail]


async def test_equals_finds_a_word_among_others_where_that_is_set(zoho: httpx.AsyncClient) -> None:
    await contact(zoho, "van Buren")
    assert await found(zoho, criteria="(Last_Name:equals:Buren)") == []
    await told(zoho, "settings", {"equals_contains": True})
    assert await found(zoho, criteria="(Last_Name:equals:Buren)") == ["van Buren"]


async def test_a_search_ends_at_two_thousand_rows(zoho: httpx.AsyncClient) -> None:
    response = await zoho.get("/Contacts/search", params={"word": "x", "page": "11"})
    assert (response.status_code, response.json()["code"]) == (400, "LIMIT_REACHED")


async def test_a_search_misses_a_new_contact_for_a_while_and_a_query_does_not(zoho: httpx.AsyncClient) -> None:
    """F7: search must not be what decides whether a lost create happened."""
    await told(zoho, "settings", {"search_lag": 30})
    with time_machine.travel(WHEN, tick=False) as traveller:
        await contact(zoho)
        assert await found(zoho, criteria="(Last_Name:equals:Okafor)") == []
        assert (await zoho.get("/Contacts/actions/count", params={"word": "Okafor"})).json() == {"count": 0}
        assert await rows(zoho, "Last_Name = 'Okafor'") == ["Okafor"]
        assert (await zoho.get("/Contacts", params={"fields": "Last_Name"})).status_code == 200
        traveller.shift(31)
        assert await found(zoho, criteria="(Last_Name:equals:Okafor)") == ["Okafor"]


async def test_a_search_shows_a_changed_contact_as_it_was_for_a_while(zoho: httpx.AsyncClient) -> None:
    with time_machine.travel(WHEN, tick=False) as traveller:
        person = await contact(zoho)
        await told(zoho, "settings", {"update_lag": 30})
        traveller.shift(60)
        await zoho.put(f"/Contacts/{person}", json={"data": [{"Last_Name": "Smith"}]})
        assert await found(zoho, word="Okafor") == ["Okafor"]
        traveller.shift(31)
        assert (await found(zoho, word="Okafor"), await found(zoho, word="Smith")) == ([], ["Smith"])


async def test_a_search_by_email_address_knows_the_old_address_for_a_while(zoho: httpx.AsyncClient) -> None:
    with time_machine.travel(WHEN, tick=False) as traveller:
        person = await contact(zoho, Email="old@okafor.example")
        await told(zoho, "settings", {"update_lag": 30})
        traveller.shift(60)
        await zoho.put(f"/Contacts/{person}", json={"data": [{"Email": "new@okafor.example"}]})
        by_address = [await found(zoho, email=f"{name}@okafor.example") for name in ("old", "new")]
        assert by_address == [["Okafor"], []]
        assert await rows(zoho, "Email = 'new@okafor.example'") == ["Okafor"]
        assert await rows(zoho, "Email = 'old@okafor.example'") == []
        traveller.shift(31)
        by_address = [await found(zoho, email=f"{name}@okafor.example") for name in ("old", "new")]
        assert by_address == [[], ["Okafor"]]


async def test_lists_lag_only_where_they_are_told_to(zoho: httpx.AsyncClient) -> None:
    await told(zoho, "settings", {"lags": {"list": 30}})
    with time_machine.travel(WHEN, tick=False) as traveller:
        await contact(zoho)
        assert (await zoho.get("/Contacts", params={"fields": "id"})).status_code == 204
        traveller.shift(31)
        assert (await zoho.get("/Contacts", params={"fields": "id"})).status_code == 200


async def test_records_are_counted_all_or_by_a_search(zoho: httpx.AsyncClient, people: list[str]) -> None:
    path = "/Contacts/actions/count"
    assert (await zoho.get(path)).json() == {"count": 3}
    assert (await zoho.get(path, params={"email": "ada@okafor.example"})).json() == {"count": 2}


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("Last_Name = 'okafor'", ["Okafor"]),
        ("Last_Name = 'O\\'Neill (jr)'", ["O'Neill (jr)"]),
        ("Last_Name = 'O''Neill (jr)'", ["O'Neill (jr)"]),
        ("Last_Name like '%neill%'", ["O'Neill (jr)"]),
        ("Last_Name not like 'O%'", ["Groß"]),
        ("Email is null", ["O'Neill (jr)"]),
        ("Email is not null and Phone is null", ["Okafor", "Groß"]),
        ("Last_Name in ('Okafor', 'Groß')", ["Okafor", "Groß"]),
        ("Last_Name not in ('Okafor', 'Groß')", ["O'Neill (jr)"]),
        ("Date_of_Birth between '1990-01-01' and '1990-12-31'", ["O'Neill (jr)"]),
        ("Account_Name.Account_Name = 'Okafor Ltd'", ["Okafor"]),
        ("Last_Name != 'Okafor' and (Phone is not null or Email like 'info%')", ["O'Neill (jr)", "Groß"]),
        ("Modified_Time >= '2020-01-01T00:00:00+00:00'", ["Okafor", "O'Neill (jr)", "Groß"]),
        ("Last_Name = 'Nobody'", []),
        ("Email = 'ADA@okafor.example'", ["Okafor"]),
        ("Email = 'ada@okafor.example' or Secondary_Email = 'ada@okafor.example'", ["Okafor", "Groß"]),
        ("Email = 'ada@okafor.example' or Phone = '030 17'", ["Okafor", "O'Neill (jr)"]),
        ("Email in ('ada@okafor.example', 'info@gross.example') and Last_Name = 'Groß'", ["Groß"]),
        ("id in ('17', '4876876000300000002')", ["O'Neill (jr)"]),
        ("Account_Name.id = '4876876000200000001'", ["Okafor"]),
        ("Account_Name = '4876876000200000001'", ["Okafor"]),
    ],
)
async def test_contacts_are_found_by_a_query(
    zoho: httpx.AsyncClient, people: list[str], where: str, names: list[str]
) -> None:
    assert await rows(zoho, where) == names


async def test_a_query_gives_what_was_selected_and_always_the_id(zoho: httpx.AsyncClient, people: list[str]) -> None:
    text = "select Last_Name, Account_Name, Account_Name.Account_Name from Contacts where Email = 'ada@okafor.example'"
    body = (await query(zoho, text, include_meta=["fields"])).json()
    row = body["data"][0]
    assert (row["id"], row["Account_Name.Account_Name"]) == (people[0], "Okafor Ltd")
    assert row["Account_Name"]["name"] == "Okafor Ltd"
    assert body["info"] == {"count": 1, "more_records": False}
    assert body["fields"]["Last_Name"] == {"data_type": "text"}


async def test_a_query_is_sorted_and_cut_in_both_ways_of_writing_it(zoho: httpx.AsyncClient, people: list[str]) -> None:
    seen = []
    for limit in ("limit 1, 1", "limit 1 offset 1"):
        text = f"select Last_Name from Contacts where id is not null order by Last_Name desc, id asc {limit}"
        body = (await query(zoho, text)).json()
        seen.append((body["data"][0]["Last_Name"], body["info"]["more_records"]))
    assert seen == [("O'Neill (jr)", True)] * 2


async def test_a_query_that_finds_nothing_has_no_body(zoho: httpx.AsyncClient) -> None:
    response = await query(zoho, "select id from Contacts where id is not null")
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("select id from Contacts", "SYNTAX_ERROR"),
        ("select id from Contacts where", "SYNTAX_ERROR"),
        ("select id from Contacts where Last_Name ~ 'x'", "SYNTAX_ERROR"),
        ("select id from Contacts where Last_Name not = 'x'", "SYNTAX_ERROR"),
        ("select id from Contacts where Last_Name = Okafor", "SYNTAX_ERROR"),
        ("select id from Contacts where id is null nonsense", "SYNTAX_ERROR"),
        ("select id from Customers where id is null", "INVALID_MODULE"),
        ("select Nonsense from Contacts where id is null", "INVALID_QUERY"),
        ("select id from Contacts where Nonsense = 'x'", "INVALID_QUERY"),
        ("select id from Contacts where Modified_Time > 'lately'", "INVALID_QUERY"),
        ("select id from Contacts where id is null limit 0", "INVALID_DATA"),
        ("select id from Contacts where id is null limit 2001", "LIMIT_EXCEEDED"),
        ("select id from Contacts where id is null limit 100000, 1", "LIMIT_EXCEEDED"),
        ("", "MANDATORY_NOT_FOUND"),
        (17, "MANDATORY_NOT_FOUND"),
    ],
)
async def test_a_query_that_cannot_be_answered_says_why(zoho: httpx.AsyncClient, text: Any, code: str) -> None:
    response = await query(zoho, text)
    assert (response.status_code, response.json()["code"]) == (400, code)


async def test_a_query_without_a_condition_is_told_which_clause_is_missing(zoho: httpx.AsyncClient) -> None:
    assert (await query(zoho, "select id from Contacts")).json()["details"] == {"clause": "where"}
