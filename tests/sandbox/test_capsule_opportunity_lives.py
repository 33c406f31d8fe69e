"""What is told of opportunities, how they end and come back, and what faults do to them."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.app import Sandbox, build_sandbox
from tests.sandbox.conftest import CAPSULE, Receiver, caller, control, new_party
from tests.sandbox.opportunities import AGREED, ENQUIRY, LOST, PROPOSAL, WON, changed, ids, new_opportunity, put, read
from tests.sandbox.test_capsule_hooks import subscribe
from tests.sandbox.test_nonsense import JSON

VERBS = ("created", "updated", "deleted", "closed", "moved")


async def listen(capsule: httpx.AsyncClient) -> None:
    for verb in VERBS:
        await subscribe(capsule, f"opportunity/{verb}")


def heard(receiver: Receiver) -> list[str]:
    """Return the verbs that were told, and forget them."""
    verbs = [json.loads(each.content)["event"].removeprefix("opportunity/") for each in receiver.received]
    receiver.received.clear()
    return verbs


async def test_a_move_is_told_as_an_update_and_a_move_and_winning_as_closing_too(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    """S12, S20: a stage change is told at once."""
    await listen(capsule)
    made = await new_opportunity(capsule)
    steps: list[tuple[dict[str, Any], list[str]]] = [
        ({"name": "Relaunch"}, ["updated"]),
        ({"milestone": {"id": PROPOSAL}}, ["updated"]),  # it stands there already
        ({"milestone": {"id": ENQUIRY}}, ["updated", "moved"]),
        ({"milestone": {"id": WON}}, ["updated", "moved", "closed"]),
        ({"milestone": {"id": LOST}}, ["updated", "moved", "closed"]),
        ({"milestone": {"id": PROPOSAL}}, ["updated", "moved"]),
    ]
    await sandbox.settle()
    assert heard(receiver) == ["created"]
    for changes, told in steps:
        await changed(capsule, made["id"], **changes)
        await sandbox.settle()
        assert sorted(heard(receiver)) == sorted(told)
    await capsule.delete(f"/opportunities/{made['id']}")
    await sandbox.settle()
    assert json.loads(receiver.received[0].content) == {
        "event": "opportunity/deleted",
        "payload": [{"id": made["id"]}],
    }


async def test_an_opportunity_that_is_created_won_is_told_as_closed(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    """F38: whoever waits for a move would never invoice it."""
    await listen(capsule)
    await new_opportunity(capsule, milestone={"id": AGREED})
    await sandbox.settle()
    assert sorted(heard(receiver)) == ["closed", "created"]


async def test_a_delivery_shows_the_opportunity_with_the_hook_s_embeds(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    await subscribe(capsule, "opportunity/closed", embed="fields,milestone")
    await new_opportunity(capsule, milestone={"id": WON}, fields=[{"definition": 731, "value": "PO-1"}])
    await sandbox.settle()
    told = json.loads(receiver.received[0].content)["payload"][0]
    assert (told["milestone"]["complete"], told["fields"][0]["value"]) == (True, "PO-1")
    assert "tags" not in told


async def test_news_of_opportunities_is_lost_and_doubled_as_the_knobs_say(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    """F6 and F13, as for parties."""
    await listen(capsule)
    sandbox.capsule_service.settings.change({"hooks": {"duplicates": 2}})
    made = await new_opportunity(capsule)
    await sandbox.settle()
    assert heard(receiver) == ["created", "created"]
    sandbox.capsule_service.settings.change({"hooks": {"drop": 1.0}})
    await changed(capsule, made["id"], milestone={"id": WON})
    await sandbox.settle()
    assert heard(receiver) == []


async def test_a_deleted_party_takes_its_opportunities_and_notes_along(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    """F16: the opportunities end as well, and each is told and listed as deleted."""
    made = await new_opportunity(capsule)
    elsewhere = await new_opportunity(capsule, name="Other firm's")
    firm = made["party"]["id"]
    await capsule.post(f"/opportunities/{elsewhere['id']}/parties/{firm}")
    for parent in ({"opportunity": {"id": made["id"]}}, {"party": {"id": firm}}):
        await capsule.post("/entries", json={"entry": {"type": "note", "content": "A", **parent}})
    await subscribe(capsule, "opportunity/deleted")
    await capsule.delete(f"/parties/{firm}")
    await sandbox.settle()
    assert [json.loads(each.content)["payload"] for each in receiver.received] == [[{"id": made["id"]}]]
    assert await ids(capsule, "/opportunities") == [elsewhere["id"]]
    gone = (await capsule.get("/opportunities/deleted", params={"since": "2020-01-01T00:00:00Z"})).json()
    assert [each["id"] for each in gone["opportunities"]] == [made["id"]]
    assert (await control(capsule, "records/entry", method="GET"))["records"] == []
    assert (await capsule.get(f"/opportunities/{elsewhere['id']}/parties")).json()["parties"] == []


async def test_the_opportunities_of_a_merged_party_go_to_the_other_one(capsule: httpx.AsyncClient) -> None:
    """F17: a merge re-points them, and nothing says so."""
    winner, loser = await new_party(capsule), await new_party(capsule, name="Acme Limited")
    its = await new_opportunity(capsule, party={"id": loser["id"]})
    other = await new_opportunity(capsule, party={"id": winner["id"]})
    await capsule.post(f"/opportunities/{other['id']}/parties/{loser['id']}")
    await capsule.post("/entries", json={"entry": {"type": "note", "content": "A", "party": {"id": loser["id"]}}})
    await control(capsule, f"records/party/{winner['id']}/merge", {"loser": loser["id"]})
    assert (await read(capsule, its["id"]))["party"]["id"] == winner["id"]
    assert (await capsule.get(f"/opportunities/{other['id']}/parties")).json()["parties"] == []
    assert len((await capsule.get(f"/parties/{winner['id']}/entries")).json()["entries"]) == 1


async def test_support_brings_a_deleted_opportunity_back_if_its_party_is_there(capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule, fields=[{"definition": 731, "value": "PO-1"}])
    await capsule.delete(f"/opportunities/{made['id']}")
    back = await control(capsule, f"records/opportunity/{made['id']}/restore")
    assert (back["id"], back["fields"][0]["value"]) == (made["id"], "PO-1")
    gone = (await capsule.get("/opportunities/deleted", params={"since": "2020-01-01T00:00:00Z"})).json()
    assert gone["opportunities"] == []
    await capsule.delete(f"/parties/{made['party']['id']}")
    refused = await capsule.post(f"{CAPSULE}/_sandbox/records/opportunity/{made['id']}/restore")
    assert refused.status_code == 404


async def test_an_opportunity_that_is_hidden_from_us_is_no_deletion(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    """F16."""
    made = await new_opportunity(capsule)
    await listen(capsule)
    await control(capsule, f"records/opportunity/{made['id']}/restrict")
    assert (await capsule.get(f"/opportunities/{made['id']}")).status_code == 404
    assert await ids(capsule, "/opportunities") == []
    log = (await capsule.get("/opportunities/deleted", params={"since": "2020-01-01T00:00:00Z"})).json()
    assert log == {
        "opportunities": [],
        "restrictedOpportunities": [{"id": made["id"], "name": "Website rebuild", "isRestricted": True}],
    }
    await control(capsule, f"records/opportunity/{made['id']}/unrestrict")
    assert await ids(capsule, "/opportunities") == [made["id"]]
    await sandbox.settle()
    assert heard(receiver) == []


async def test_people_create_move_and_delete_opportunities_in_the_web_interface(
    sandbox: Sandbox, capsule: httpx.AsyncClient, receiver: Receiver
) -> None:
    await listen(capsule)
    party = await new_party(capsule)
    draft = {"party": {"id": party["id"]}, "name": "Fair stand", "milestone": {"id": PROPOSAL}}
    made = await control(capsule, "records/opportunity", draft)
    won = await control(capsule, "records/opportunity", {"id": made["id"], "milestone": {"id": WON}}, "PUT")
    assert (won["probability"], won["tags"], won["fields"], won["parties"]) == (100, [], [], [])
    await control(capsule, f"records/opportunity/{made['id']}", method="DELETE")
    await sandbox.settle()
    assert sorted(heard(receiver)) == ["closed", "created", "deleted", "moved", "updated"]
    written = list(sandbox.ledger.of("capsule", kind="opportunity"))
    assert [(each["operation"], each["via"]) for each in written] == [
        ("create", "control"),
        ("update", "control"),
        ("delete", "control"),
    ]


async def test_lists_search_and_filters_may_miss_a_new_opportunity(capsule: httpx.AsyncClient) -> None:
    await control(capsule, "settings", {"search_lag": 60})
    made = await new_opportunity(capsule)
    assert (await capsule.get(f"/opportunities/{made['id']}")).status_code == 200
    assert await ids(capsule, "/opportunities") == []
    assert await ids(capsule, "/opportunities/search", q="website") == []
    assert await ids(capsule, f"/parties/{made['party']['id']}/opportunities") == []
    query: dict[str, Any] = {"filter": {"conditions": []}}
    assert (await capsule.post("/opportunities/filters/results", json=query)).json()["opportunities"] == []


@pytest.mark.parametrize(("fault", "milestone"), [("cut_before", "Proposal"), ("commit_then_cut", "Won")])
async def test_a_lost_answer_does_not_tell_whether_the_opportunity_has_moved(
    capsule: httpx.AsyncClient, fault: str, milestone: str
) -> None:
    made = await new_opportunity(capsule)
    rule = {"path": "/opportunities/", "method": "PUT", "fault": fault, "times": 1}
    await control(capsule, "faults", rule)
    with pytest.raises(httpx.RemoteProtocolError):
        await put(capsule, made["id"], milestone={"id": WON})
    assert (await read(capsule, made["id"]))["milestone"]["name"] == milestone


async def test_a_restart_from_the_ledger_finds_opportunities_and_notes_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    before = build_sandbox(path, records=20)
    async with caller(before, "capsule") as capsule:
        made = await new_opportunity(capsule, tags=[{"name": "Fresh"}], fields=[{"definition": 731, "value": "PO-1"}])
        await changed(capsule, made["id"], milestone={"id": WON})
        gone = await new_opportunity(capsule)
        await capsule.delete(f"/opportunities/{gone['id']}")
        entry = {"type": "note", "content": "A", "opportunity": {"id": made["id"]}}
        await capsule.post("/entries", json={"entry": entry})
    tables = json.loads(json.dumps(before.capsule_service.records.tables))
    await before.close()
    after = build_sandbox(path, records=20)
    assert json.loads(json.dumps(after.capsule_service.records.tables)) == tables
    async with caller(after, "capsule") as capsule:
        assert (await new_opportunity(capsule))["id"] == gone["id"] + 1
    await after.close()


KEYS = """
    party id name description owner team milestone value amount currency expectedCloseOn probability durationBasis
    duration lostReason tags fields definition _delete type content entryAt opportunity kase pipeline complete
    conditions field operator orderBy direction
"""
KNOWN = st.sampled_from([{"id": PROPOSAL}, {"id": WON}, {"amount": 5, "currency": "USD"}, "USD", "MONTH", 7, "status"])


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    bodies=st.lists(st.dictionaries(st.sampled_from(KEYS.split()), JSON | KNOWN, max_size=6), min_size=4, max_size=4)
)
async def test_whatever_is_sent_is_taken_or_refused_but_never_breaks_the_sandbox(bodies: list[dict[str, Any]]) -> None:
    built = build_sandbox()
    async with caller(built, "capsule") as capsule:
        made = await new_opportunity(capsule)
        calls = [
            ("POST", "/opportunities", "opportunity"),
            ("PUT", f"/opportunities/{made['id']}", "opportunity"),
            ("POST", "/opportunities/filters/results", "filter"),
            ("POST", "/entries", "entry"),
            ("POST", "/milestones", "milestone"),
        ]
        for body in bodies:
            whole = {"party": made["party"], "name": "A", "milestone": {"id": PROPOSAL}, **body}
            for method, path, key in calls:
                content = json.dumps({key: whole if path == "/opportunities" else body})
                assert (await capsule.request(method, path, content=content)).status_code < 500
            assert (await capsule.get("/opportunities", params={"embed": "tags,fields,party"})).status_code == 200
    await built.close()
