from typing import Any

import httpx
import pytest
import time_machine

from sandbox.app import Sandbox
from tests.sandbox.conftest import CLIENTS, caller, new_client

NOON = "2026-03-02T14:00:05Z"
"""In New York it is 09:00:05, winter time."""


async def listed(freshbooks: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    response = await freshbooks.get(CLIENTS, params=query)
    assert response.status_code == 200, response.text
    clients: list[dict[str, Any]] = response.json()["response"]["result"]["clients"]
    return clients


async def emails(freshbooks: httpx.AsyncClient, **query: Any) -> list[str]:
    return sorted(each["email"] for each in await listed(freshbooks, **query))


async def changed(freshbooks: httpx.AsyncClient, client: dict[str, Any], **fields: Any) -> dict[str, Any]:
    response = await freshbooks.put(f"{CLIENTS}/{client['id']}", json={"client": fields})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["response"]["result"]["client"]
    return found


def error_of(response: httpx.Response) -> dict[str, Any]:
    error: dict[str, Any] = response.json()["response"]["errors"][0]
    return error


async def test_a_new_client_has_both_ids_and_tells_the_time_in_two_zones(freshbooks: httpx.AsyncClient) -> None:
    with time_machine.travel(NOON, tick=False):
        client = await new_client(freshbooks, fname="Nora", organization="Quist AB", currency_code="SEK")
    assert client["id"] == client["userid"]
    assert (client["signup_date"], client["updated"]) == ("2026-03-02 14:00:05", "2026-03-02 09:00:05")
    assert (client["currency_code"], client["language"], client["vis_state"]) == ("SEK", "en", 0)
    assert (client["lname"], client["note"], client["home_phone"]) == ("", None, None)
    assert client["username"]


async def test_in_summer_new_york_is_four_hours_behind(freshbooks: httpx.AsyncClient) -> None:
    with time_machine.travel("2026-07-01T14:00:05Z", tick=False):
        assert (await new_client(freshbooks, fname="Nora"))["updated"] == "2026-07-01 10:00:05"


async def test_a_client_with_only_an_email_is_named_after_it(freshbooks: httpx.AsyncClient) -> None:
    client = await new_client(freshbooks, email="nora@quist.example")
    assert (client["organization"], client["fname"], client["lname"]) == ("nora@quist.example", "", "")


async def test_two_clients_may_share_an_email(freshbooks: httpx.AsyncClient) -> None:
    ids = {(await new_client(freshbooks, email="office@quist.example"))["id"] for _ in range(2)}
    assert len(ids) == 2
    found = await listed(freshbooks, **{"search[email]": "office@quist.example"})
    assert {each["id"] for each in found} == ids


@pytest.mark.parametrize(
    ("fields", "errno"),
    [
        ({"currency_code": "XYZ"}, 1004),
        ({"email": "nobody"}, 1004),
        ({"organization": "x" * 256}, 1017),
        ({"fname": 7}, 1004),
        ({"pref_email": "yes"}, 1031),
    ],
)
async def test_a_value_that_cannot_be_stored_is_named(
    freshbooks: httpx.AsyncClient, fields: dict[str, Any], errno: int
) -> None:
    response = await freshbooks.post(CLIENTS, json={"client": fields})
    assert response.status_code == 422
    assert (error_of(response)["errno"], error_of(response)["field"]) == (errno, next(iter(fields)))
    assert await listed(freshbooks) == []


async def test_an_update_changes_only_what_it_names_and_replaces_all_contacts(freshbooks: httpx.AsyncClient) -> None:
    contacts = [{"fname": "Ada", "email": "ada@quist.example"}, {"fname": "Bo"}]
    client = await new_client(freshbooks, fname="Nora", note="capsule:party:4711", contacts=contacts)
    ada = client["contacts"][0]
    after = await changed(freshbooks, client, fname="Eleonora", contacts=[ada])
    assert (after["fname"], after["note"], after["contacts"]) == ("Eleonora", "capsule:party:4711", [ada])
    assert (await changed(freshbooks, client, contacts=[]))["contacts"] == []


@pytest.mark.parametrize("phase", [{"vis_state": 0}, {"action_anything": True}, {"ext_vis_state": 0}])
async def test_a_state_or_an_action_drops_every_other_field_without_a_word(
    freshbooks: httpx.AsyncClient, phase: dict[str, Any]
) -> None:
    client = await new_client(freshbooks, fname="Nora")
    assert (await changed(freshbooks, client, fname="Eleonora", **phase))["fname"] == "Nora"


async def test_a_deleted_client_leaves_the_list_and_still_answers_by_id(freshbooks: httpx.AsyncClient) -> None:
    """F18: deleted clients are only hidden; archived ones are listed."""
    active, archived, deleted = [await new_client(freshbooks, email=f"{each}@x.example") for each in "abc"]
    await changed(freshbooks, archived, vis_state=2)
    await changed(freshbooks, deleted, vis_state=1)
    assert await emails(freshbooks) == ["a@x.example", "b@x.example"]
    assert await emails(freshbooks, **{"search[vis_state]": 1}) == ["c@x.example"]
    response = await freshbooks.get(f"{CLIENTS}/{deleted['id']}")
    assert response.json()["response"]["result"]["client"]["vis_state"] == 1
    await changed(freshbooks, deleted, vis_state=0)
    assert len(await emails(freshbooks)) == 3
    assert active["vis_state"] == 0


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search[email]": "NORA@quist.example"}, ["nora@quist.example"]),
        ({"search[email_like]": "quist"}, ["nora@quist.example"]),
        ({"search[organization_like]": "acme"}, ["ap@acme.example"]),
        ({"search[note_like]": "party:47"}, ["nora@quist.example"]),
        ({"search[address_like]": "leeds"}, ["ap@acme.example"]),
        ({"search[phone_like]": "555"}, ["ap@acme.example"]),
        ({"search[user_like]": "nora"}, ["nora@quist.example"]),
        ({"search[has_outstanding]": "true"}, []),
        ({"has_overdue": "True"}, []),
        ({"search[updated_min]": "2026-03-03"}, []),
        ({"search[updated_max]": "2026-03-02"}, ["ap@acme.example", "nora@quist.example"]),
        # Known to be ignored, or not known at all: everything comes.
        ({"search[organization]": "Acme Ltd"}, ["ap@acme.example", "nora@quist.example"]),
        ({"search[fname]": "Nora"}, ["ap@acme.example", "nora@quist.example"]),
        ({"search[mail]": "nora@quist.example"}, ["ap@acme.example", "nora@quist.example"]),
    ],
)
async def test_a_search_finds_what_it_understands_and_ignores_the_rest(
    freshbooks: httpx.AsyncClient, query: dict[str, str], found: list[str]
) -> None:
    with time_machine.travel(NOON, tick=False):
        await new_client(freshbooks, fname="Nora", email="nora@quist.example", note="capsule:party:4711")
        phone = {"bus_phone": "+44 555 1", "p_city": "Leeds"}
        await new_client(freshbooks, organization="Acme Ltd", email="ap@acme.example", **phone)
    assert await emails(freshbooks, **query) == found


async def test_several_ids_are_asked_for_with_a_list_key_not_with_commas(freshbooks: httpx.AsyncClient) -> None:
    ids = [(await new_client(freshbooks, fname=each))["id"] for each in "abc"]
    found = await listed(freshbooks, **{"search[userids][]": [str(each) for each in ids[:2]]})
    assert {each["id"] for each in found} == set(ids[:2])
    refused = await freshbooks.get(CLIENTS, params={"search[userid]": f"{ids[0]},{ids[1]}"})
    assert error_of(refused)["errno"] == 1024


async def test_pages_have_fifteen_rows_at_most_a_hundred_and_begin_at_zero_or_one(
    freshbooks: httpx.AsyncClient,
) -> None:
    """S62."""
    for number in range(17):
        await new_client(freshbooks, fname=f"{number}")
    first = (await freshbooks.get(CLIENTS, params={"page": 0})).json()["response"]["result"]
    assert (len(first["clients"]), first["page"], first["pages"], first["total"]) == (15, 1, 2, 17)
    past = (await freshbooks.get(CLIENTS, params={"page": 9})).json()["response"]["result"]
    assert (past["clients"], past["total"]) == ([], 17)
    wide = (await freshbooks.get(CLIENTS, params={"per_page": 500})).json()["response"]["result"]
    assert wide["per_page"] == 100
    assert error_of(await freshbooks.get(CLIENTS, params={"page": "-1"}))["errno"] == 1014
    assert error_of(await freshbooks.get(CLIENTS, params={"per_page": "x"}))["errno"] == 1013


async def test_no_clients_means_no_pages(freshbooks: httpx.AsyncClient) -> None:
    empty = (await freshbooks.get(CLIENTS)).json()["response"]["result"]
    assert empty == {"clients": [], "page": 1, "pages": 0, "per_page": 15, "total": 0}


async def test_clients_are_sorted_by_a_known_key_only(freshbooks: httpx.AsyncClient) -> None:
    for name in ("b", "a", "c"):
        await new_client(freshbooks, organization=name)
    orders = {
        sort: [each["organization"] for each in await listed(freshbooks, sort=sort)]
        for sort in ("organization_name_asc", "organization_name_desc", "organization_asc")
    }
    assert orders["organization_name_asc"] == ["a", "b", "c"]
    assert orders["organization_name_desc"] == ["c", "b", "a"]
    assert orders["organization_asc"] == ["c", "a", "b"]  # unknown: newest first


async def test_balances_come_only_when_asked_for(freshbooks: httpx.AsyncClient) -> None:
    await new_client(freshbooks, fname="Nora")
    (plain,) = await listed(freshbooks)
    (with_balance,) = await listed(freshbooks, **{"include[]": "outstanding_balance"})
    assert "outstanding_balance" not in plain
    assert with_balance["outstanding_balance"] == []


async def test_a_client_or_an_account_that_does_not_exist_is_a_404(freshbooks: httpx.AsyncClient) -> None:
    unknown = await freshbooks.get(f"{CLIENTS}/1")
    assert (unknown.status_code, error_of(unknown)["errno"]) == (404, 1012)
    assert (error_of(unknown)["message"], error_of(unknown)["value"]) == ("Client not found.", "1")
    elsewhere = await freshbooks.get("/accounting/account/SBX7QZ/users/clients")
    assert elsewhere.status_code == 404


async def test_a_body_that_cannot_be_read_is_refused(freshbooks: httpx.AsyncClient) -> None:
    assert error_of(await freshbooks.post(CLIENTS, content="{"))["errno"] == 1005
    assert error_of(await freshbooks.post(CLIENTS, json={"fname": "Nora"}))["errno"] == 1001


async def test_a_scope_that_only_reads_may_not_write(sandbox: Sandbox) -> None:
    async with caller(sandbox, "freshbooks", "read_only") as reader:
        assert (await reader.get(CLIENTS)).status_code == 200
        refused = await reader.post(CLIENTS, json={"client": {"fname": "Nora"}})
    assert (refused.status_code, error_of(refused)["message"]) == (403, "Permission Denied")


async def test_success_carries_retry_after_too(freshbooks: httpx.AsyncClient) -> None:
    response = await freshbooks.get(CLIENTS)
    assert (response.status_code, response.headers["Retry-After"]) == (200, "60")
    assert (response.headers["X-RateLimit-Limit"], response.headers["X-RateLimit-Remaining"]) == ("600", "599")


async def test_a_lagging_list_hides_a_new_client_but_its_id_answers(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient
) -> None:
    """F9 of the fault plan: search and list lag."""
    sandbox.freshbooks_service.settings.change({"search_lag": [60, 90]})
    client = await new_client(freshbooks, email="nora@quist.example")
    assert await listed(freshbooks, **{"search[email]": "nora@quist.example"}) == []
    assert (await freshbooks.get(f"{CLIENTS}/{client['id']}")).status_code == 200
    with time_machine.travel("2999-01-01T00:00:00Z"):
        assert len(await listed(freshbooks)) == 1


async def test_errors_may_come_with_200(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    sandbox.freshbooks_service.settings.change({"errors_as_200": True})
    response = await freshbooks.get(f"{CLIENTS}/1")
    assert (response.status_code, error_of(response)["errno"]) == (200, 1012)


async def test_errors_may_come_in_the_style_of_grpc(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    sandbox.freshbooks_service.settings.change({"grpc_errors": True})
    body = (await freshbooks.get(f"{CLIENTS}/1")).json()
    assert (body["code"], body["details"][0]["reason"]) == (5, "1012")
    assert body["details"][0]["metadata"]["field"] == "userid"


async def test_a_plan_may_lack_the_feature(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    sandbox.freshbooks_service.settings.change({"feature_gate": True})
    response = await freshbooks.post(CLIENTS, json={"client": {"fname": "Nora"}})
    assert (response.status_code, error_of(response)["errno"]) == (200, 12001)
    assert sandbox.freshbooks_service.records.all("client") == []


async def test_a_total_may_count_more_than_is_shown(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    sandbox.freshbooks_service.settings.change({"extra_total": 16})
    result = (await freshbooks.get(CLIENTS)).json()["response"]["result"]
    assert (result["total"], result["clients"]) == (16, [])
