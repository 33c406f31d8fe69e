"""Notes on opportunities and parties."""

from typing import Any

import httpx
import pytest
import time_machine

from sandbox.app import Sandbox
from tests.sandbox.conftest import caller, control, new_party
from tests.sandbox.opportunities import new_opportunity, read
from tests.sandbox.test_capsule_parties import problem


async def write(capsule: httpx.AsyncClient, **entry: Any) -> dict[str, Any]:
    response = await capsule.post("/entries", json={"entry": {"type": "note", **entry}})
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()["entry"]
    assert response.headers["Location"] == f"http://capsule.test/api/v2/entries/{found['id']}"
    return found


async def contents(capsule: httpx.AsyncClient, path: str, **query: Any) -> list[str]:
    return [each["content"] for each in (await capsule.get(path, params=query)).json()["entries"]]


async def test_a_note_is_by_the_token_s_user_and_stands_with_its_opportunity_newest_first(
    capsule: httpx.AsyncClient,
) -> None:
    """S38: where the invoice is told of."""
    made = await new_opportunity(capsule)
    with time_machine.travel("2026-01-31T09:05:00Z", tick=False):
        note = await write(capsule, content="Invoice 0042 created", opportunity={"id": made["id"]})
    await write(capsule, content="Invoice 0042 paid", opportunity={"id": made["id"]})
    assert (note["type"], note["activityType"]["id"], note["creator"]["username"]) == ("note", -1, "ann")
    assert note["opportunity"] == {"id": made["id"], "name": "Website rebuild"}
    assert (note["entryAt"], note["party"], note["kase"]) == ("2026-01-31T09:05:00Z", None, None)
    assert "attachments" not in note
    path = f"/opportunities/{made['id']}/entries"
    assert await contents(capsule, path) == ["Invoice 0042 paid", "Invoice 0042 created"]
    assert await contents(capsule, path, perPage=1, page=2) == ["Invoice 0042 created"]


async def test_a_note_sent_twice_stands_there_twice(capsule: httpx.AsyncClient) -> None:
    """F7: nothing recognises a repeated note but the marker in its text."""
    made = await new_opportunity(capsule)
    for _ in range(2):
        await write(capsule, content="Invoice 0042 [ll:7f3a]", opportunity={"id": made["id"]})
    assert len(await contents(capsule, f"/opportunities/{made['id']}/entries")) == 2


async def test_a_note_makes_its_opportunity_look_changed(capsule: httpx.AsyncClient) -> None:
    """Loop hazard: our own note comes back as news of the opportunity."""
    with time_machine.travel("2026-01-02T10:00:00Z", tick=False):
        made = await new_opportunity(capsule)
    with time_machine.travel("2026-01-31T09:05:00Z", tick=False):
        await write(capsule, content="Invoice 0042", opportunity={"id": made["id"]})
    after = await read(capsule, made["id"])
    assert (after["updatedAt"], after["lastContactedAt"]) == ("2026-01-31T09:05:00Z", "2026-01-31T09:05:00Z")


async def test_only_the_text_of_a_note_changes_and_a_deleted_note_is_gone(capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule)
    note = await write(capsule, content="draft", opportunity={"id": made["id"]})
    path = f"/entries/{note['id']}"
    edited = await capsule.put(path, json={"entry": {"content": "final", "type": "email"}})
    assert (edited.json()["entry"]["content"], edited.json()["entry"]["type"]) == ("final", "note")
    assert (await capsule.put(path, json={"entry": {"type": "email"}})).json()["entry"]["content"] == "final"
    assert problem(await capsule.put(path, json={"entry": {"content": " "}})) == (422, "content is required")
    assert (await capsule.delete(path)).status_code == 204
    assert problem(await capsule.get(path)) == (404, "entry not found")


@pytest.mark.parametrize(
    ("harm", "answer"),
    [
        ({"opportunity": None}, (422, "entry must be linked to either a party, opportunity or kase")),
        ({"party": {"id": 7}}, (422, "entry must be linked to either a party, opportunity or kase")),
        ({"opportunity": [{"id": 7}]}, (422, "entry must be linked to either a party, opportunity or kase")),
        ({"opportunity": {"id": 17}}, (404, "opportunity not found")),
        ({"opportunity": None, "kase": {"id": 17}}, (404, "kase not found")),
        ({"type": "email"}, (422, "only notes can be created")),
        ({"content": ""}, (422, "content is required")),
        ({"entryAt": "yesterday"}, (422, "invalid date and time")),
    ],
)
async def test_a_note_has_a_text_and_exactly_one_record(
    capsule: httpx.AsyncClient, harm: dict[str, Any], answer: tuple[int, str]
) -> None:
    made = await new_opportunity(capsule)
    draft = {"type": "note", "content": "Invoice 0042", "opportunity": {"id": made["id"]}, **harm}
    assert problem(await capsule.post("/entries", json={"entry": draft})) == answer
    assert await contents(capsule, f"/opportunities/{made['id']}/entries") == []


async def test_several_entries_cannot_be_had_at_once(capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule)
    both = [await write(capsule, content=text, opportunity={"id": made["id"]}) for text in "AB"]
    assert (await capsule.get(f"/entries/{both[0]['id']},{both[1]['id']}")).status_code == 404


async def test_the_notes_of_people_are_not_those_of_their_organisation(capsule: httpx.AsyncClient) -> None:
    firm = await new_party(capsule)
    ida = await new_party(capsule, type="person", firstName="Ida", organisation={"id": firm["id"]})
    await write(capsule, content="called", party={"id": ida["id"]})
    assert await contents(capsule, f"/parties/{firm['id']}/entries") == []
    assert await contents(capsule, f"/parties/{ida['id']}/entries") == ["called"]


async def test_an_embed_shows_the_whole_opportunity(capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule)
    note = await write(capsule, content="A", opportunity={"id": made["id"]})
    shown = await capsule.get(f"/entries/{note['id']}", params={"embed": "opportunity,attachments"})
    assert shown.json()["entry"]["opportunity"]["durationBasis"] == "FIXED"
    assert shown.json()["entry"]["attachments"] == []


async def test_a_list_of_notes_may_lag_behind(capsule: httpx.AsyncClient) -> None:
    """F7: who looks for the marker too early writes the note again."""
    made = await new_opportunity(capsule)
    await control(capsule, "settings", {"search_lag": 60})
    note = await write(capsule, content="Invoice 0042", opportunity={"id": made["id"]})
    assert await contents(capsule, f"/opportunities/{made['id']}/entries") == []
    assert (await capsule.get(f"/entries/{note['id']}")).status_code == 200


async def test_the_control_api_shows_and_writes_notes_as_people_do(
    sandbox: Sandbox, capsule: httpx.AsyncClient
) -> None:
    made = await new_opportunity(capsule)
    note = await control(capsule, "records/entry", {"content": "called", "opportunity": {"id": made["id"]}})
    await control(capsule, "records/entry", {"id": note["id"], "content": "called twice"}, "PUT")
    assert await contents(capsule, f"/opportunities/{made['id']}/entries") == ["called twice"]
    await control(capsule, f"records/entry/{note['id']}", method="DELETE")
    assert (await control(capsule, "records/entry", method="GET"))["records"] == []
    assert {each["via"] for each in sandbox.ledger.of("capsule", kind="entry")} == {"control"}


async def test_a_token_that_may_only_read_writes_no_note(sandbox: Sandbox, capsule: httpx.AsyncClient) -> None:
    made = await new_opportunity(capsule)
    async with caller(sandbox, "capsule", "read_only") as reader:
        draft = {"type": "note", "content": "A", "opportunity": {"id": made["id"]}}
        assert (await reader.post("/entries", json={"entry": draft})).status_code == 403
