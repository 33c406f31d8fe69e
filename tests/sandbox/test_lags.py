"""Lists and searches that lag behind, each by itself, and a clock that is wrong."""

from typing import Any

import httpx
import pytest
import time_machine

from tests.sandbox.conftest import CAPSULE, CLIENTS, FRESHBOOKS, changed_party, control, new_client, new_party

LOOKS = {
    "list": {},
    "email": {"search[email]": "nora@quist.example"},
    "note_like": {"search[note_like]": "party:4711"},
    "organization_like": {"search[organization_like]": "quist"},
    "updated_min": {"search[updated_min]": "2020-01-01"},
}


async def clients(freshbooks: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await freshbooks.get(CLIENTS, params=query)).json()["response"]["result"]["clients"]
    return found


@pytest.mark.parametrize("slow", LOOKS)
async def test_one_way_of_looking_may_lag_alone(freshbooks: httpx.AsyncClient, slow: str) -> None:
    """The lookup by email may know a client that the lookup by note does not know yet."""
    await control(freshbooks, "settings", {"lags": {slow: 60}})
    client = await new_client(
        freshbooks, organization="Quist AB", email="nora@quist.example", note="capsule:party:4711"
    )
    seen = {name: [each["id"] for each in await clients(freshbooks, **query)] for name, query in LOOKS.items()}
    assert seen == {name: [] if name == slow else [client["id"]] for name in LOOKS}


async def test_a_way_that_is_named_obeys_its_own_lag_and_the_others_the_common_one(
    freshbooks: httpx.AsyncClient,
) -> None:
    await control(freshbooks, "settings", {"search_lag": 60, "lags": {"email": 0}})
    await new_client(freshbooks, email="nora@quist.example")
    assert len(await clients(freshbooks, **LOOKS["email"])) == 1
    assert await clients(freshbooks) == []
    both = {**LOOKS["email"], "search[updated_min]": "2020-01-01"}
    assert await clients(freshbooks, **both) == []


async def test_capsule_s_filters_may_lag_behind_its_list(capsule: httpx.AsyncClient) -> None:
    """S15: the lookup by our reference in a custom field."""
    await control(capsule, "settings", {"lags": {"filter": [60, 90]}})
    await new_party(capsule, fields=[{"definition": 731, "value": "GB1"}])
    query = {"filter": {"conditions": [{"field": "custom:731", "operator": "is", "value": "GB1"}]}}
    assert len((await capsule.get("/parties")).json()["parties"]) == 1
    assert len((await capsule.get("/parties/search", params={"q": "acme"})).json()["parties"]) == 1
    assert (await capsule.post("/parties/filters/results", json=query)).json()["parties"] == []


async def test_a_look_that_does_not_exist_cannot_lag(capsule: httpx.AsyncClient, freshbooks: httpx.AsyncClient) -> None:
    for client, base, name in ((capsule, CAPSULE, "email"), (freshbooks, FRESHBOOKS, "mail")):
        assert (await client.post(f"{base}/_sandbox/settings", json={"lags": {name: 1}})).status_code == 422


async def test_a_change_may_be_late_in_the_list_since_an_instant(capsule: httpx.AsyncClient) -> None:
    """F15: a sweep that takes the present for its cursor misses it."""
    with time_machine.travel("2026-03-02T10:00:00Z", tick=False) as traveller:
        party = await new_party(capsule, name="Old Ltd", emailAddresses=[{"address": "old@acme.example"}])
        await control(capsule, "settings", {"update_lag": 60})
        traveller.shift(10)
        row = party["emailAddresses"][0]["id"]
        renamed = {"name": "New Ltd", "emailAddresses": [{"id": row, "address": "new@acme.example"}]}
        await changed_party(capsule, party["id"], **renamed)
        traveller.shift(10)
        query = {"since": "2026-03-02T10:00:05Z"}
        assert (await capsule.get("/parties", params=query)).json()["parties"] == []
        assert (await capsule.get("/parties")).json()["parties"][0]["name"] == "Old Ltd"
        assert (await capsule.get(f"/parties/{party['id']}")).json()["party"]["name"] == "New Ltd"
        assert [await with_email(capsule, each) for each in ("old", "new")] == [1, 0]
        traveller.shift(51)
        assert len((await capsule.get("/parties", params=query)).json()["parties"]) == 1
        assert [await with_email(capsule, each) for each in ("old", "new")] == [0, 1]


async def with_email(capsule: httpx.AsyncClient, name: str) -> int:
    condition = {"field": "email", "operator": "is", "value": f"{name}@acme.example"}
    response = await capsule.post("/parties/filters/results", json={"filter": {"conditions": [condition]}})
    return len(response.json()["parties"])


async def test_a_deleted_party_may_haunt_the_list_for_a_while(capsule: httpx.AsyncClient) -> None:
    """F16."""
    first, ghost, last = [await new_party(capsule, name=each) for each in ("First", "Ghost", "Last")]
    await control(capsule, "settings", {"update_lag": 60})
    await capsule.delete(f"/parties/{ghost['id']}")
    listed = (await capsule.get("/parties")).json()["parties"]
    assert [each["id"] for each in listed] == [first["id"], ghost["id"], last["id"]]
    assert (await capsule.get(f"/parties/{ghost['id']}")).status_code == 404
    await control(capsule, "settings", {"update_lag": 0})
    assert len((await capsule.get("/parties")).json()["parties"]) == 2


async def test_capsule_s_clock_may_be_ahead_of_ours(capsule: httpx.AsyncClient) -> None:
    await control(capsule, "settings", {"clock_skew": 3600})
    with time_machine.travel("2026-03-02T10:30:00Z", tick=False):
        response = await capsule.post("/parties", json={"party": {"type": "organisation", "name": "Acme"}})
        party = response.json()["party"]
        assert (party["createdAt"], party["updatedAt"]) == ("2026-03-02T11:30:00Z", "2026-03-02T11:30:00Z")
        assert int(response.headers["X-RateLimit-Reset"]) == 1_772_452_800  # 12:00:00, an hour after our 11:00:00
        await capsule.delete(f"/parties/{party['id']}")
        gone = (await capsule.get("/parties/deleted", params={"since": "2026-03-02T11:00:00Z"})).json()["parties"]
    assert gone == [{"id": party["id"], "deletedAt": "2026-03-02T11:30:00Z"}]


async def test_freshbooks_clock_may_be_behind_ours(freshbooks: httpx.AsyncClient) -> None:
    """Minutes before midnight in New York its day is still yesterday."""
    await control(freshbooks, "settings", {"clock_skew": -600})
    with time_machine.travel("2026-03-02T05:05:00Z", tick=False):
        client = await new_client(freshbooks, fname="Nora")
    assert (client["signup_date"], client["updated"]) == ("2026-03-02 04:55:00", "2026-03-01 23:55:00")


async def test_of_several_changes_the_first_unseen_one_hides_all_later_ones(capsule: httpx.AsyncClient) -> None:
    with time_machine.travel("2026-03-02T10:00:00Z", tick=False) as traveller:
        party = await new_party(capsule, name="First")
        await control(capsule, "settings", {"update_lag": 60})
        seen = []
        for name in ("Second", "Third"):
            traveller.shift(20)
            await changed_party(capsule, party["id"], name=name)
        for seconds in (0, 41, 20):  # 40, 81 and 101 seconds after the start
            traveller.shift(seconds)
            seen.append((await capsule.get("/parties")).json()["parties"][0]["name"])
    assert seen == ["First", "Second", "Third"]


async def test_a_new_record_that_changes_at_once_is_not_seen_any_sooner(freshbooks: httpx.AsyncClient) -> None:
    await control(freshbooks, "settings", {"search_lag": 60})
    client = await new_client(freshbooks, fname="Nora")
    await freshbooks.put(f"{CLIENTS}/{client['id']}", json={"client": {"fname": "Eleonora"}})
    assert await clients(freshbooks) == []
