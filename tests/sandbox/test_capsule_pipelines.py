"""Pipelines, milestones, lost reasons, additional parties, and users with an email address."""

import httpx
import pytest

from tests.sandbox.conftest import control, new_party
from tests.sandbox.opportunities import new_opportunity, read
from tests.sandbox.test_capsule_parties import problem

SALES = ["New", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]
CONSULTING = ["Enquiry", "Proposal", "Agreed", "Declined"]


async def names(capsule: httpx.AsyncClient, path: str, key: str = "milestones", **query: str) -> list[str]:
    response = await capsule.get(path, params=query)
    assert response.status_code == 200, response.text
    return [each["name"] for each in response.json()[key]]


async def test_the_list_of_milestones_has_only_those_of_the_oldest_pipeline(capsule: httpx.AsyncClient) -> None:
    """S12: whoever trusts it does not know the stages of all other deals."""
    assert await names(capsule, "/milestones") == SALES
    assert await names(capsule, "/milestones/all") == [*SALES, *CONSULTING]
    assert await names(capsule, "/pipelines/5002/milestones") == CONSULTING


async def test_milestones_that_close_have_no_days_until_stale(capsule: httpx.AsyncClient) -> None:
    milestones = {each["name"]: each for each in (await capsule.get("/milestones")).json()["milestones"]}
    assert milestones["New"]["daysUntilStale"] == 14
    assert "daysUntilStale" not in milestones["Won"]
    assert "description" not in milestones["Won"]
    assert (milestones["Won"]["complete"], milestones["Won"]["probability"]) == (True, 100)
    assert milestones["Won"]["pipeline"] == {"id": 5001, "name": "Sales"}
    alone = await capsule.get(f"/milestones/{milestones['Won']['id']}")
    assert alone.json()["milestone"] == milestones["Won"]


async def test_a_new_milestone_belongs_to_the_oldest_pipeline_unless_told_otherwise(capsule: httpx.AsyncClient) -> None:
    draft = {"name": "On hold", "probability": 5, "complete": False}
    response = await capsule.post("/milestones", json={"milestone": draft})
    assert (response.status_code, response.json()["milestone"]["pipeline"]["name"]) == (201, "Sales")
    await capsule.post("/milestones", json={"milestone": {**draft, "pipeline": {"id": 5002}}})
    assert (await names(capsule, "/pipelines/5002/milestones"))[-1] == "On hold"
    half_won = {"name": "Half won", "probability": 50, "complete": True}
    assert problem(await capsule.post("/milestones", json={"milestone": half_won})) == (422, "invalid probability")
    assert problem(await capsule.post("/milestones", json={"milestone": {"probability": 5}}))[0] == 422


async def test_pipelines_are_found_by_name_and_several_ids(capsule: httpx.AsyncClient) -> None:
    assert await names(capsule, "/pipelines", "pipelines") == ["Sales", "Consulting"]
    assert await names(capsule, "/pipelines", "pipelines", q="cons") == ["Consulting"]
    assert await names(capsule, "/pipelines/5001,5002", "pipelines") == ["Sales", "Consulting"]
    assert (await capsule.get("/pipelines/5001")).json()["pipeline"]["openMilestoneCount"] == 4
    assert problem(await capsule.get("/pipelines/5001,17")) == (404, "pipeline not found")


async def test_an_archived_pipeline_is_in_no_list_and_its_opportunities_stay(capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule)
    await control(capsule, "records/pipeline/5001", {"archivedAt": "2026-01-02T10:00:00Z"})
    assert await names(capsule, "/pipelines", "pipelines") == ["Consulting"]
    assert await names(capsule, "/pipelines", "pipelines", includeDeleted="true") == ["Sales", "Consulting"]
    assert await names(capsule, "/milestones") == CONSULTING  # now the oldest that is left
    assert await names(capsule, "/milestones/all") == CONSULTING
    assert (await read(capsule, made["id"], embed="milestone"))["milestone"]["complete"] is False


async def test_a_milestone_that_is_renamed_shows_its_name_everywhere(capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule)
    await control(capsule, "records/milestone/31003", {"name": "Quoted"})
    assert (await read(capsule, made["id"]))["milestone"]["name"] == "Quoted"


async def test_reasons_say_whether_they_count(capsule: httpx.AsyncClient) -> None:
    reasons = (await capsule.get("/lostreasons")).json()["lostReasons"]
    assert {each["name"]: each["includedForConversion"] for each in reasons} == {
        "Price": True,
        "Timing": True,
        "Duplicate": False,
    }
    assert (await capsule.get("/lostreasons/7001")).json()["lostReason"]["name"] == "Price"
    assert problem(await capsule.get("/lostreasons/17")) == (404, "lost reason not found")


async def test_an_opportunity_has_additional_parties_and_stands_in_the_lists_of_all(capsule: httpx.AsyncClient) -> None:
    """S41: the contacts associated with it."""
    made = await new_opportunity(capsule)
    firm, ida = made["party"]["id"], (await new_party(capsule, type="person", firstName="Ida"))["id"]
    added = await capsule.post(f"/opportunities/{made['id']}/parties/{ida}")
    assert (added.status_code, added.content) == (204, b"")
    parties = (await capsule.get(f"/opportunities/{made['id']}/parties", params={"embed": "tags"})).json()["parties"]
    assert [(each["firstName"], each["tags"]) for each in parties] == [("Ida", [])]
    for party_id in (firm, ida):
        listed = (await capsule.get(f"/parties/{party_id}/opportunities")).json()["opportunities"]
        assert [each["id"] for each in listed] == [made["id"]]
    assert (await capsule.delete(f"/opportunities/{made['id']}/parties/{ida}")).status_code == 204
    assert (await capsule.get(f"/opportunities/{made['id']}/parties")).json()["parties"] == []
    assert (await capsule.get(f"/parties/{ida}/opportunities")).json()["opportunities"] == []


async def test_a_party_is_added_once_and_the_main_one_not_at_all(capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule)
    ida = (await new_party(capsule, type="person", firstName="Ida"))["id"]
    path = f"/opportunities/{made['id']}/parties"
    await capsule.post(f"{path}/{ida}")
    twice, main = await capsule.post(f"{path}/{ida}"), await capsule.post(f"{path}/{made['party']['id']}")
    assert problem(twice) == (422, "party is already a contact for this opportunity")
    assert problem(main) == (422, "party is already related to this opportunity")
    assert problem(await capsule.post(f"{path}/17")) == (404, "party not found")
    assert problem(await capsule.delete(f"{path}/17")) == (404, "party not found")


async def test_a_user_s_email_address_is_that_of_the_user_s_own_party(capsule: httpx.AsyncClient) -> None:
    """S42: users have no address of their own."""
    jonas = (await capsule.get("/users")).json()["users"][1]
    assert "email" not in jonas
    assert jonas["party"].keys() == {"id", "type", "firstName", "lastName", "pictureURL"}
    own = (await capsule.get(f"/parties/{jonas['party']['id']}")).json()["party"]
    assert [row["address"] for row in own["emailAddresses"]] == ["jonas.weiss@sandbox.example"]
    embedded = (await capsule.get("/users/6002", params={"embed": "party"})).json()["user"]["party"]
    assert embedded["emailAddresses"] == own["emailAddresses"]


@pytest.mark.parametrize("path", ["/parties", "/parties/search?q=ann", "/parties?since=2020-01-01T00:00:00Z"])
async def test_the_users_own_parties_are_in_no_list(capsule: httpx.AsyncClient, path: str) -> None:
    assert (await capsule.get(path)).json()["parties"] == []


async def test_a_user_may_have_an_address_that_nobody_else_knows_or_none(capsule: httpx.AsyncClient) -> None:
    """S42: an owner without a counterpart."""
    own = (await capsule.get("/users/6001")).json()["user"]["party"]["id"]
    await control(capsule, f"records/user_party/{own}", {"emailAddresses": []})
    assert (await capsule.get(f"/parties/{own}")).json()["party"]["emailAddresses"] == []
