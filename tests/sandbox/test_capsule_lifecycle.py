"""How parties end, merge, hide and come back."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox, build_sandbox
from tests.sandbox.conftest import CAPSULE, Receiver, caller, changed_party, control, new_party
from tests.sandbox.test_capsule_hooks import subscribe

LONG_AGO = {"since": "2020-01-01T00:00:00Z"}


async def deleted(capsule: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await capsule.get("/parties/deleted", params=LONG_AGO)).json()
    return found


async def party(capsule: httpx.AsyncClient, party_id: int) -> dict[str, Any]:
    """Return a party with tags and fields."""
    response = await capsule.get(f"/parties/{party_id}", params={"embed": "tags,fields"})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["party"]
    return found


def heard(receiver: Receiver) -> list[tuple[str, int]]:
    bodies = [json.loads(each.content) for each in receiver.received]
    return [(each["event"], each["payload"][0]["id"]) for each in bodies]


async def listen(capsule: httpx.AsyncClient) -> None:
    for verb in ("created", "updated", "deleted"):
        await subscribe(capsule, f"party/{verb}")


async def two_firms(capsule: httpx.AsyncClient) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return Acme Ltd and its double: some of what they have is the same, some is not."""
    winner = await new_party(
        capsule,
        emailAddresses=[{"address": "ap@acme.example"}],
        fields=[{"definition": 731, "value": "GB1"}],
        tags=[{"name": "VIP"}],
    )
    loser = await new_party(
        capsule,
        name="Acme Limited",
        about="pays late",
        emailAddresses=[{"address": "AP@acme.example"}, {"address": "ceo@acme.example", "type": "Work"}],
        phoneNumbers=[{"number": "+44 555 1"}],
        addresses=[{"city": "Leeds"}],
        websites=[{"address": "acme.example"}],
        fields=[{"definition": 731, "value": "GB2"}, {"definition": 732, "value": "GBP"}],
        tags=[{"name": "VIP"}, {"name": "Fresh"}],
    )
    return winner, loser


async def test_of_two_merged_parties_one_gets_what_it_lacks_and_the_other_is_gone(capsule: httpx.AsyncClient) -> None:
    """F17."""
    winner, loser = await two_firms(capsule)
    await control(capsule, f"records/party/{winner['id']}/merge", {"loser": loser["id"]})
    merged = await party(capsule, winner["id"])
    assert (merged["name"], merged["about"]) == ("Acme Ltd", "pays late")
    assert [each["address"] for each in merged["emailAddresses"]] == ["ap@acme.example", "ceo@acme.example"]
    assert merged["phoneNumbers"][0]["number"] == "+44 555 1"
    assert (merged["addresses"][0]["city"], merged["websites"][0]["address"]) == ("Leeds", "acme.example")
    assert {row["definition"]["id"]: row["value"] for row in merged["fields"]} == {731: "GB1", 732: "GBP"}
    assert [each["name"] for each in merged["tags"]] == ["VIP", "Fresh"]
    assert (await capsule.get(f"/parties/{loser['id']}")).status_code == 404
    assert [each["id"] for each in (await deleted(capsule))["parties"]] == [loser["id"]]


async def test_the_people_of_a_merged_firm_work_for_the_other_one(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    winner, loser = await two_firms(capsule)
    ida = await new_party(capsule, type="person", firstName="Ida", organisation={"id": loser["id"]})
    await listen(capsule)
    await control(capsule, f"records/party/{winner['id']}/merge", {"loser": loser["id"]})
    await sandbox.settle()
    assert (await party(capsule, ida["id"]))["organisation"]["id"] == winner["id"]
    people = (await capsule.get(f"/parties/{winner['id']}/people")).json()["parties"]
    assert [each["firstName"] for each in people] == ["Ida"]
    assert sorted(heard(receiver)) == [
        ("party/deleted", loser["id"]),
        ("party/updated", winner["id"]),
        ("party/updated", ida["id"]),
    ]
    assert {each["via"] for each in list(sandbox.ledger.of("capsule", kind="party"))[-3:]} == {"control"}


async def test_a_party_is_merged_only_with_another_one_of_its_type(capsule: httpx.AsyncClient) -> None:
    firm = await new_party(capsule)
    ida = await new_party(capsule, type="person", firstName="Ida")
    statuses = []
    for loser in (firm["id"], ida["id"], 1):
        url = f"{CAPSULE}/_sandbox/records/party/{firm['id']}/merge"
        statuses.append((await capsule.post(url, json={"loser": loser})).status_code)
    assert statuses == [422, 422, 404]
    assert (await deleted(capsule))["parties"] == []


async def test_support_brings_a_deleted_party_back_under_its_id(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    first, gone, last = [await new_party(capsule, name=each) for each in ("First", "Gone", "Last")]
    await capsule.delete(f"/parties/{gone['id']}")
    await listen(capsule)
    await control(capsule, f"records/party/{gone['id']}/restore")
    await sandbox.settle()
    assert (await party(capsule, gone["id"]))["name"] == "Gone"
    listed = (await capsule.get("/parties")).json()["parties"]
    assert [each["id"] for each in listed] == [first["id"], gone["id"], last["id"]]
    assert await deleted(capsule) == {"parties": []}
    assert heard(receiver) == [("party/updated", gone["id"])]
    again = await capsule.post(f"{CAPSULE}/_sandbox/records/party/{gone['id']}/restore")
    assert again.status_code == 404


async def test_a_restored_firm_does_not_get_its_people_back(capsule: httpx.AsyncClient) -> None:
    ida = await new_party(capsule, type="person", firstName="Ida", organisation={"name": "Berg Studio"})
    firm = ida["organisation"]["id"]
    await capsule.delete(f"/parties/{firm}")
    await control(capsule, f"records/party/{firm}/restore")
    assert (await party(capsule, ida["id"]))["organisation"] is None


async def test_a_restricted_party_is_lost_to_us_and_not_called_deleted(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    """F16, F19: losing sight of a party is no deletion, and no hook tells of it."""
    shown, hidden = await new_party(capsule, name="Shown"), await new_party(capsule, name="Private")
    await listen(capsule)
    await control(capsule, f"records/party/{hidden['id']}/restrict")
    await control(capsule, f"records/party/{hidden['id']}", {"about": "a secret"})
    await sandbox.settle()
    assert heard(receiver) == []
    found = await deleted(capsule)
    assert found["parties"] == []
    (lost,) = found["restrictedParties"]
    assert (lost["id"], lost["name"], lost["type"], lost["isRestricted"]) == (
        hidden["id"],
        "Private",
        "organisation",
        True,
    )
    by_name = {"filter": {"conditions": [{"field": "name", "operator": "is", "value": "Private"}]}}
    for response in (
        await capsule.get("/parties"),
        await capsule.get("/parties", params=LONG_AGO),
        await capsule.get("/parties/search", params={"q": ""}),
        await capsule.post("/parties/filters/results", json={"filter": {"conditions": []}}),
    ):
        assert [each["id"] for each in response.json()["parties"]] == [shown["id"]]
    assert (await capsule.post("/parties/filters/results", json=by_name)).json()["parties"] == []
    for method in ("GET", "PUT", "DELETE"):
        refused = await capsule.request(method, f"/parties/{hidden['id']}", json={"party": {"about": "x"}})
        assert refused.status_code == 404
    assert (await capsule.get(f"/parties/{shown['id']},{hidden['id']}")).status_code == 404


async def test_a_restriction_that_is_lifted_shows_the_party_as_it_was(capsule: httpx.AsyncClient) -> None:
    before = await new_party(capsule)
    await control(capsule, f"records/party/{before['id']}/restrict")
    assert await control(capsule, f"records/party/{before['id']}", method="GET") != before
    await control(capsule, f"records/party/{before['id']}/unrestrict")
    assert await party(capsule, before["id"]) == before
    assert await deleted(capsule) == {"parties": []}


async def test_a_restriction_is_told_once_and_only_since_it_was_made(capsule: httpx.AsyncClient) -> None:
    hidden = await new_party(capsule)
    await control(capsule, f"records/party/{hidden['id']}/restrict")
    second = await capsule.get("/parties/deleted", params={**LONG_AGO, "page": 2})
    later = await capsule.get("/parties/deleted", params={"since": "2999-01-01T00:00:00Z"})
    assert [each.json() for each in (second, later)] == [{"parties": []}] * 2


async def test_a_person_moves_to_another_employer(capsule: httpx.AsyncClient) -> None:
    ida = await new_party(capsule, type="person", firstName="Ida", organisation={"name": "Berg Studio"})
    acme = await new_party(capsule)
    await changed_party(capsule, ida["id"], organisation={"id": acme["id"]})
    for firm, people in ((ida["organisation"]["id"], []), (acme["id"], ["Ida"])):
        found = (await capsule.get(f"/parties/{firm}/people")).json()["parties"]
        assert [each["firstName"] for each in found] == people


@pytest.mark.parametrize("deed", ["merge", "restore", "restrict"])
async def test_what_people_did_outlives_a_restart(tmp_path: Path, deed: str) -> None:
    path = tmp_path / "ledger.jsonl"
    before = build_sandbox(path)
    async with caller(before, "capsule") as capsule:
        winner, loser = await two_firms(capsule)
        if deed == "restore":
            await capsule.delete(f"/parties/{winner['id']}")
        await control(capsule, f"records/party/{winner['id']}/{deed}", {"loser": loser["id"]})
        expected = await deleted(capsule), (await capsule.get("/parties")).json()
    await before.close()
    after = build_sandbox(path)
    async with caller(after, "capsule") as capsule:
        assert (await deleted(capsule), (await capsule.get("/parties")).json()) == expected
    await after.close()
