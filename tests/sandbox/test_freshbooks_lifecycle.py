"""The life of a client: active, archived, deleted and back; what lists and hooks tell of it; Eastern days."""

from typing import Any

import httpx
import pytest
import time_machine

from sandbox.app import Sandbox
from tests.sandbox.conftest import CLIENTS, Receiver, new_client
from tests.sandbox.test_freshbooks_callbacks import forms, verified
from tests.sandbox.test_freshbooks_clients import changed, listed

ACTIVE, DELETED, ARCHIVED = 0, 1, 2


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ((ARCHIVED, ACTIVE), ["client.update", "client.update"]),
        ((DELETED, ACTIVE), ["client.delete", "client.update"]),
        ((DELETED, ARCHIVED), ["client.delete", "client.update"]),
        ((ARCHIVED, DELETED, DELETED), ["client.update", "client.delete", "client.update"]),
    ],
)
async def test_archiving_is_an_update_and_so_is_coming_back(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver, path: tuple[int, ...], told: list[str]
) -> None:
    """F18: only the step into deletion is told as a deletion."""
    client = await new_client(freshbooks, fname="Nora")
    await verified(sandbox, freshbooks, receiver)
    for state in path:
        assert (await changed(freshbooks, client, vis_state=state))["vis_state"] == state
        await sandbox.settle()
    assert [each["name"] for each in forms(receiver)] == told


async def test_every_step_moves_the_date_and_drops_what_comes_with_it(freshbooks: httpx.AsyncClient) -> None:
    with time_machine.travel("2026-03-02T14:00:00Z", tick=False):
        client = await new_client(freshbooks, fname="Nora")
    with time_machine.travel("2026-03-02T15:00:00Z", tick=False):
        after = await changed(freshbooks, client, vis_state=ARCHIVED, fname="Eleonora")
    assert (after["vis_state"], after["fname"], after["updated"]) == (ARCHIVED, "Nora", "2026-03-02 10:00:00")


@pytest.mark.parametrize("wrong", [3, -1, "1", None, True, 1.0])
async def test_a_state_that_does_not_exist_changes_nothing(freshbooks: httpx.AsyncClient, wrong: Any) -> None:
    client = await new_client(freshbooks, fname="Nora")
    refused = await freshbooks.put(f"{CLIENTS}/{client['id']}", json={"client": {"vis_state": wrong}})
    assert (refused.status_code, refused.json()["response"]["errors"][0]["field"]) == (422, "vis_state")
    assert (await listed(freshbooks))[0]["vis_state"] == ACTIVE


async def test_each_state_can_be_listed_alone(freshbooks: httpx.AsyncClient) -> None:
    for state, name in ((ACTIVE, "a"), (DELETED, "d"), (ARCHIVED, "r")):
        client = await new_client(freshbooks, fname=name)
        if state != ACTIVE:
            await changed(freshbooks, client, vis_state=state)
    found = {
        state: [each["fname"] for each in await listed(freshbooks, **{"search[vis_state]": state})]
        for state in (0, 1, 2)
    }
    assert found == {ACTIVE: ["a"], DELETED: ["d"], ARCHIVED: ["r"]}
    assert sorted(each["fname"] for each in await listed(freshbooks)) == ["a", "r"]


async def test_a_deleted_client_is_found_by_email_only_where_its_state_is_asked_for(
    freshbooks: httpx.AsyncClient,
) -> None:
    client = await new_client(freshbooks, email="nora@quist.example")
    await changed(freshbooks, client, vis_state=DELETED)
    by_email = {"search[email]": "nora@quist.example"}
    assert await listed(freshbooks, **by_email) == []
    assert [each["id"] for each in await listed(freshbooks, **by_email, **{"search[vis_state]": 1})] == [client["id"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search[organization_like]": "QUIST"}, ["Nora"]),
        ({"search[fname_like]": "or"}, ["Nora", "Tor"]),
        ({"search[lname_like]": "lund"}, ["Tor"]),
        ({"search[fname_like]": "or", "search[lname_like]": "berg"}, ["Nora"]),
        ({"search[email]": "tor@lund.example", "search[fname_like]": "nora"}, []),
        ({"search[organization_like]": "nobody"}, []),
    ],
)
async def test_a_part_of_a_name_finds_a_client_and_several_keys_must_all_fit(
    freshbooks: httpx.AsyncClient, query: dict[str, str], found: list[str]
) -> None:
    await new_client(freshbooks, fname="Nora", lname="Berg", organization="Quist AB")
    await new_client(freshbooks, fname="Tor", lname="Lundqvist", email="tor@lund.example")
    assert sorted(each["fname"] for each in await listed(freshbooks, **query)) == found


async def test_a_search_knows_a_client_by_its_present_values_alone(freshbooks: httpx.AsyncClient) -> None:
    client = await new_client(freshbooks, fname="Nora", email="old@quist.example")
    keys = ("search[email]", "search[email_like]")
    for key in keys:
        assert len(await listed(freshbooks, **{key: "old@quist.example"})) == 1
    await changed(freshbooks, client, email="new@quist.example")
    for key in keys:
        assert await listed(freshbooks, **{key: "old@quist.example"}) == []
        assert len(await listed(freshbooks, **{key: "new@quist.example"})) == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search[updated_min]": "2026-03-02"}, ["evening", "midnight"]),
        ({"search[updated_min]": "2026-03-03"}, ["midnight"]),
        ({"search[updated_max]": "2026-03-02"}, ["evening"]),
        ({"search[updated_min]": "2026-03-02", "search[updated_max]": "2026-03-02"}, ["evening"]),
    ],
)
async def test_days_are_those_of_new_york(
    freshbooks: httpx.AsyncClient, query: dict[str, str], found: list[str]
) -> None:
    """At 04:59 in London it is still the evening before in New York."""
    for instant, name in (("2026-03-03T04:59:59Z", "evening"), ("2026-03-03T05:00:00Z", "midnight")):
        with time_machine.travel(instant, tick=False):
            await new_client(freshbooks, fname=name)
    assert sorted(each["fname"] for each in await listed(freshbooks, **query)) == found


@pytest.mark.parametrize("ignored", ["organization_asc", "fname_asc", "lname_desc", "updated", "nonsense", ""])
async def test_a_sort_key_that_is_ignored_leaves_the_newest_first(freshbooks: httpx.AsyncClient, ignored: str) -> None:
    for name in ("b", "a", "c"):
        await new_client(freshbooks, fname=name, lname=name, organization=name)
    assert [each["fname"] for each in await listed(freshbooks, sort=ignored)] == ["c", "a", "b"]


async def test_a_number_without_end_finds_nobody(freshbooks: httpx.AsyncClient) -> None:
    await new_client(freshbooks, fname="Nora")
    assert await listed(freshbooks, **{"search[userid]": "9" * 5000}) == []


async def test_pages_of_one_list_change_with_the_clients(freshbooks: httpx.AsyncClient) -> None:
    """A list is worked out once for all its pages, but never again after a change."""
    for name in "abc":
        await new_client(freshbooks, fname=name)
    pages = {"per_page": 2, "sort": "fullname_asc"}
    first = await listed(freshbooks, **pages)
    assert [each["fname"] for each in first] == ["a", "b"]
    await changed(freshbooks, first[0], fname="z")
    both = [each["fname"] for page in (1, 2) for each in await listed(freshbooks, **pages, page=page)]
    assert both == ["b", "c", "z"]
    await changed(freshbooks, first[1], vis_state=DELETED)
    assert [each["fname"] for each in await listed(freshbooks, **pages)] == ["c", "z"]
