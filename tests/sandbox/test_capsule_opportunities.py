"""Opportunities of Capsule's stand-in, oddity by oddity."""

from typing import Any

import httpx
import pytest
import time_machine

from tests.sandbox.conftest import caller, new_party
from tests.sandbox.opportunities import (
    AGREED,
    ENQUIRY,
    EVERYTHING,
    LOST,
    NEW,
    PROPOSAL,
    WON,
    changed,
    ids,
    new_opportunity,
    put,
    read,
)
from tests.sandbox.test_capsule_parties import problem

USD = {"amount": 1250.5, "currency": "USD"}


async def test_a_new_opportunity_is_fixed_open_and_of_the_token_s_user(capsule: httpx.AsyncClient) -> None:
    """S41: stage, value and party stand where an estimate looks for them."""
    party = await new_party(capsule, name="Acme Ltd", owner={"id": 6002})
    draft = {"party": {"id": party["id"]}, "name": "Website rebuild", "milestone": {"id": PROPOSAL}, "value": USD}
    with time_machine.travel("2026-01-02T10:00:00Z", tick=False):
        response = await capsule.post("/opportunities", json={"opportunity": draft})
    made = response.json()["opportunity"]
    assert response.status_code == 201
    assert response.headers["Location"] == f"http://capsule.test/api/v2/opportunities/{made['id']}"
    assert made == {
        "id": made["id"],
        "party": {
            "id": party["id"],
            "type": "organisation",
            "name": "Acme Ltd",
            "pictureURL": party["pictureURL"],
        },
        "name": "Website rebuild",
        "description": None,
        "owner": made["owner"],
        "team": None,
        "milestone": {"id": PROPOSAL, "name": "Proposal"},
        "value": USD,
        "expectedCloseOn": None,
        "probability": 50,
        "durationBasis": "FIXED",
        "duration": None,
        "closedOn": None,
        "lostReason": None,
        "createdAt": "2026-01-02T10:00:00Z",
        "updatedAt": "2026-01-02T10:00:00Z",
        "lastContactedAt": None,
        "lastStageChangedAt": "2026-01-02T10:00:00Z",
        "lastOpenMilestone": {"id": PROPOSAL, "name": "Proposal"},
    }
    assert made["owner"]["name"] == "Ann Bell"  # not the party's owner, Jonas


@pytest.mark.parametrize(
    ("harm", "answer"),
    [
        ({"party": None}, (422, "party is required")),
        ({"party": {"id": 17}}, (404, "party not found")),
        ({"name": ""}, (422, "name is required")),
        ({"milestone": None}, (422, "milestone is required")),
        ({"milestone": {"id": 17}}, (404, "milestone not found")),
        ({"owner": None, "team": None}, (422, "owner or team is required")),
        ({"value": {"amount": 100}}, (422, "currency is required")),
        ({"value": {"amount": 100, "currency": "XTS"}}, (422, "unknown currency")),
        ({"value": {"amount": "100", "currency": "USD"}}, (422, "invalid amount")),
        ({"duration": 3}, (422, "duration must be empty for a fixed value")),
        ({"durationBasis": "FORTNIGHT"}, (422, "unknown duration basis")),
        ({"probability": 101}, (422, "invalid probability")),
        ({"expectedCloseOn": "2026-02-30"}, (422, "invalid date")),
        ({"lostReason": {"id": 17}}, (404, "lost reason not found")),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_kept(
    capsule: httpx.AsyncClient, harm: dict[str, Any], answer: tuple[int, str]
) -> None:
    party = await new_party(capsule)
    draft = {"party": {"id": party["id"]}, "name": "Website rebuild", "milestone": {"id": PROPOSAL}, **harm}
    assert problem(await capsule.post("/opportunities", json={"opportunity": draft})) == answer
    assert await ids(capsule, "/opportunities") == []


async def test_a_put_leaves_what_it_does_not_name(capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule, description="as discussed", value=USD, expectedCloseOn="2026-02-01")
    after = await changed(capsule, made["id"], name="Website relaunch", expectedCloseOn=None)
    assert (after["name"], after["description"]) == ("Website relaunch", "as discussed")
    assert (after["value"], after["expectedCloseOn"]) == (USD, None)


async def test_a_party_can_be_exchanged_and_not_taken_away(capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule)
    other = await new_party(capsule, name="Berg AB")
    assert problem(await put(capsule, made["id"], party=None)) == (422, "party is required")
    assert (await changed(capsule, made["id"], party={"id": other["id"]}))["party"]["name"] == "Berg AB"


async def test_an_empty_list_says_nothing_and_equal_values_move_the_date(capsule: httpx.AsyncClient) -> None:
    with time_machine.travel("2026-01-02T10:00:00Z", tick=False):
        made = await new_opportunity(capsule)
    with time_machine.travel("2026-01-02T11:00:00Z", tick=False):
        assert (await changed(capsule, made["id"], tags=[], closedOn="2020-01-01"))["updatedAt"] == made["updatedAt"]
        assert (await changed(capsule, made["id"], name=made["name"]))["updatedAt"] == "2026-01-02T11:00:00Z"


async def test_winning_sets_the_day_the_probability_and_remembers_the_last_open_milestone(
    capsule: httpx.AsyncClient,
) -> None:
    """S12, S20: a stage change has consequences that nobody sent. The day is that of the account, in Berlin."""
    made = await new_opportunity(capsule, probability=60)
    with time_machine.travel("2026-01-31T23:30:00Z", tick=False):
        won = await changed(capsule, made["id"], milestone={"id": WON})
    assert (won["closedOn"], won["probability"]) == ("2026-02-01", 100)
    assert (won["milestone"]["name"], won["lastOpenMilestone"]["name"]) == ("Won", "Proposal")
    assert won["lastStageChangedAt"] == "2026-01-31T23:30:00Z"


async def test_reopening_takes_the_day_away_and_the_probability_is_the_milestone_s(capsule: httpx.AsyncClient) -> None:
    """F7: what was won can be open again, and won again."""
    made = await new_opportunity(capsule)
    await changed(capsule, made["id"], milestone={"id": WON})
    again = await changed(capsule, made["id"], milestone={"id": NEW})
    assert (again["closedOn"], again["probability"], again["lastOpenMilestone"]["name"]) == (None, 10, "New")
    assert (await changed(capsule, made["id"], milestone={"id": WON}))["probability"] == 100


async def test_a_closed_opportunity_keeps_its_probability_and_its_value_can_still_change(
    capsule: httpx.AsyncClient,
) -> None:
    made = await new_opportunity(capsule, value=USD)
    sent_along = await put(capsule, made["id"], milestone={"id": WON}, probability=90)
    assert problem(sent_along) == (422, "probability can be updated only for open opportunity")
    assert (await read(capsule, made["id"]))["milestone"]["name"] == "Proposal"
    await changed(capsule, made["id"], milestone={"id": WON})
    assert problem(await put(capsule, made["id"], probability=90))[0] == 422
    dearer = {"amount": 1300, "currency": "USD"}
    assert (await changed(capsule, made["id"], value=dearer))["value"] == dearer


async def test_a_reason_is_kept_only_by_what_is_lost(capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule, lostReason={"id": 7001})
    assert made["lostReason"] is None
    lost = await changed(capsule, made["id"], milestone={"id": LOST}, lostReason={"id": 7001})
    assert (lost["lostReason"], lost["probability"]) == ({"id": 7001, "name": "Price"}, 0)
    assert (await changed(capsule, made["id"], milestone={"id": PROPOSAL}))["lostReason"] is None


async def test_a_milestone_of_another_pipeline_moves_the_opportunity_there_without_a_word(
    capsule: httpx.AsyncClient,
) -> None:
    made = await new_opportunity(capsule)
    await changed(capsule, made["id"], milestone={"id": ENQUIRY})
    milestone = (await read(capsule, made["id"], embed="milestone"))["milestone"]
    assert (milestone["pipeline"]["name"], milestone["complete"]) == ("Consulting", False)
    assert (await changed(capsule, made["id"], milestone={"id": AGREED}))["probability"] == 100


async def test_an_amount_asks_for_its_currency_and_a_currency_stays_without_an_amount(
    capsule: httpx.AsyncClient,
) -> None:
    """S39, S40, F26."""
    made = await new_opportunity(capsule)
    assert made["value"] == {"amount": None, "currency": "EUR"}  # the user's own
    assert problem(await put(capsule, made["id"], value={"amount": 5})) == (422, "currency is required")
    await changed(capsule, made["id"], value={"amount": 0.125, "currency": "KWD"})
    cleared = await changed(capsule, made["id"], value={"amount": None})
    assert cleared["value"] == {"amount": None, "currency": "KWD"}


async def test_a_price_per_month_has_a_duration_which_ends_with_a_fixed_price(capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule, value=USD, durationBasis="MONTH", duration=12)
    assert (made["value"], made["durationBasis"], made["duration"]) == (USD, "MONTH", 12)  # the amount is per month
    fixed = await changed(capsule, made["id"], durationBasis="FIXED")
    assert (fixed["durationBasis"], fixed["duration"]) == ("FIXED", None)


async def test_an_owner_sent_without_a_team_clears_the_team(capsule: httpx.AsyncClient) -> None:
    """S42."""
    made = await new_opportunity(capsule, owner={"id": 6002}, team={"id": 810})
    assert made["team"] == {"id": 810, "name": "Sales"}
    assert (await changed(capsule, made["id"], owner={"id": 6001}))["team"] is None
    kept = await changed(capsule, made["id"], team={"id": 811})
    assert (kept["owner"]["username"], kept["team"]["name"]) == ("ann", "Support")
    both = await put(capsule, made["id"], owner={"id": 6002}, team={"id": 811})
    assert problem(both) == (422, "owner is not a member of the team")
    assert (await changed(capsule, made["id"], owner=None, team={"id": 811}))["owner"] is None
    assert problem(await put(capsule, made["id"], owner=None)) == (422, "owner or team is required")


async def test_tags_fields_party_and_milestone_are_shown_on_demand(capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule, tags=[{"name": "Retainer"}], fields=[{"definition": 731, "value": "PO-7"}])
    plain, full = await read(capsule, made["id"]), await read(capsule, made["id"], **EVERYTHING)
    assert not {"tags", "fields", "missingImportantFields"} & plain.keys()
    assert [each["name"] for each in full["tags"]] == ["Retainer"]
    assert [(row["definition"]["name"], row["value"]) for row in full["fields"]] == [("Order reference", "PO-7")]
    assert full["party"]["emailAddresses"] == []
    assert (full["milestone"]["complete"], full["milestone"]["probability"]) == (False, 50)
    assert (await read(capsule, made["id"], embed="missingImportantFields"))["missingImportantFields"] is False


async def test_the_ids_of_fields_and_tags_mean_other_things_than_for_parties(capsule: httpx.AsyncClient) -> None:
    """S64: 731 is the VAT number of a party and the order reference of an opportunity."""
    names = {}
    for many in ("parties", "opportunities"):
        definitions = (await capsule.get(f"/{many}/fields/definitions")).json()["definitions"]
        tags = (await capsule.get(f"/{many}/tags")).json()["tags"]
        names[many] = (definitions[0]["id"], definitions[0]["name"], tags[0]["id"], tags[0]["name"])
    assert names["parties"] == (731, "VAT number", 91_001, "Customer")
    assert names["opportunities"] == (731, "Order reference", 91_001, "Retainer")


async def test_a_field_can_be_made_for_opportunities_alone_and_takes_its_values_along(
    capsule: httpx.AsyncClient,
) -> None:
    draft = {"name": "Invoice number", "type": "text", "captureRule": "person"}
    response = await capsule.post("/opportunities/fields/definitions", json={"definition": draft})
    definition = response.json()["definition"]
    assert (response.status_code, definition["id"]) == (201, 737)
    assert "captureRule" not in definition
    assert (
        response.headers["Location"]
        == f"http://capsule.test/api/v2/opportunities/fields/definitions/{definition['id']}"
    )
    made = await new_opportunity(capsule, fields=[{"definition": definition["id"], "value": "INV-1"}])
    assert (await capsule.get("/parties/fields/definitions/737")).json()["definition"]["name"] == "Interests"
    await capsule.delete(f"/opportunities/fields/definitions/{definition['id']}")
    assert (await read(capsule, made["id"], embed="fields"))["fields"] == []


async def test_numbers_come_back_as_text_and_false_leaves_no_row(capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(
        capsule, fields=[{"definition": 735, "value": 99.5}, {"definition": 733, "value": True}]
    )
    assert [row["value"] for row in made["fields"]] == ["99.5", True]
    after = await changed(capsule, made["id"], fields=[{"definition": 733, "value": False}])
    assert [row["value"] for row in after["fields"]] == ["99.5"]


async def test_a_deleted_tag_leaves_every_opportunity(capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule, tags=[{"id": 91_001}])
    assert (await capsule.delete("/opportunities/tags/91001")).status_code == 204
    assert (await read(capsule, made["id"], embed="tags"))["tags"] == []
    gone = await put(capsule, made["id"], tags=[{"id": 91_001, "_delete": True}])
    assert problem(gone) == (422, "tag not found to delete")
    assert (await capsule.get("/parties/tags/91001")).status_code == 200


async def test_up_to_ten_opportunities_come_at_once_if_every_one_is_there(capsule: httpx.AsyncClient) -> None:
    made = [(await new_opportunity(capsule, name=name))["id"] for name in "AB"]
    both = ",".join(map(str, made))
    assert await ids(capsule, f"/opportunities/{both}") == made
    assert (await capsule.get(f"/opportunities/{both},17")).status_code == 404
    eleven = ",".join(["1"] * 11)
    assert problem(await capsule.get(f"/opportunities/{eleven}")) == (422, "too many ids")


async def test_pages_follow_the_ids_and_say_whether_there_is_more(capsule: httpx.AsyncClient) -> None:
    made = [(await new_opportunity(capsule, name=name))["id"] for name in "ABC"]
    first = await capsule.get("/opportunities", params={"perPage": 2, "embed": "tags"})
    assert [each["id"] for each in first.json()["opportunities"]] == made[:2]
    assert first.headers["X-Pagination-Has-More"] == "true"
    assert "/api/v2/opportunities?perPage=2&embed=tags&page=2" in first.headers["Link"]
    assert await ids(capsule, "/opportunities", perPage=2, page=2) == made[2:]
    assert first.json()["opportunities"][0]["tags"] == []


async def test_since_shows_what_changed_later(capsule: httpx.AsyncClient) -> None:
    with time_machine.travel("2026-01-02T10:00:00Z", tick=False):
        old = await new_opportunity(capsule)
    with time_machine.travel("2026-01-02T10:00:05Z", tick=False):
        new = await new_opportunity(capsule)
    assert await ids(capsule, "/opportunities", since="2026-01-02T10:00:00Z") == [new["id"]]
    assert await ids(capsule, "/opportunities", since="2026-01-02T09:59:59Z") == [old["id"], new["id"]]


async def test_search_looks_for_part_of_a_name(capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule, name="Möbel für den Empfang")
    await new_opportunity(capsule)
    assert await ids(capsule, "/opportunities/search", q="MÖBEL") == [made["id"]]


async def test_the_deleted_are_listed_since_an_instant_that_must_be_said(capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule)
    assert (await capsule.delete(f"/opportunities/{made['id']}")).status_code == 204
    assert (await capsule.delete(f"/opportunities/{made['id']}")).status_code == 404
    assert problem(await capsule.get("/opportunities/deleted")) == (422, "since is required")
    gone = (await capsule.get("/opportunities/deleted", params={"since": "2020-01-01T00:00:00Z"})).json()
    assert [each["id"] for each in gone["opportunities"]] == [made["id"]]
    assert await ids(capsule, "/opportunities") == []


async def test_a_token_that_may_only_read_filters_and_writes_nothing(sandbox: Any, capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule)
    async with caller(sandbox, "capsule", "read_only") as reader:
        query = {"filter": {"conditions": [{"field": "status", "operator": "is", "value": "open"}]}}
        found = await reader.post("/opportunities/filters/results", json=query)
        assert [each["id"] for each in found.json()["opportunities"]] == [made["id"]]
        assert (await reader.put(f"/opportunities/{made['id']}", json={"opportunity": {}})).status_code == 403
