"""Time entries in the FreshBooks stand-in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox
from tests.sandbox.conftest import caller, control, new_client
from tests.sandbox.freshbooks_hours import (
    ENTRIES,
    MISSING,
    NORA,
    asked,
    ids,
    logged,
    new_project,
    new_service,
    page,
    read,
    replaced,
    wrong,
)


async def test_an_hour_and_a_half_is_logged_for_a_client(freshbooks: httpx.AsyncClient) -> None:
    """Z101."""
    client, project, service = (
        await new_client(freshbooks),
        await new_project(freshbooks),
        await new_service(freshbooks),
    )
    refs = {"client_id": client["id"], "project_id": project["id"], "service_id": service["id"]}
    entry = await logged(freshbooks, **refs, note="Kick-off")
    assert entry.pop("created_at").endswith("Z")
    assert entry == {
        "id": entry["id"],
        "identity_id": 7001,
        "timer": None,
        "is_logged": True,
        "started_at": "2026-03-02T09:00:00Z",
        "local_started_at": "2026-03-02T10:00:00",
        "local_timezone": "Europe/Berlin",
        "duration": 5400,
        **refs,
        **dict.fromkeys(("task_id", "pending_client", "pending_project", "pending_task", "retainer_id")),
        "note": "Kick-off",
        "active": True,
        "billable": True,
        "billed": False,
        "internal": False,
    }
    assert (await page(freshbooks))["time_entries"] == [await read(freshbooks, entry)]


async def test_an_entry_that_does_not_say_so_cannot_be_billed(freshbooks: httpx.AsyncClient) -> None:
    assert (await logged(freshbooks, billable=None))["billable"] is False


async def test_a_put_empties_what_it_does_not_name(freshbooks: httpx.AsyncClient) -> None:
    """Z101: whoever marks an entry as billed has to send all the rest of it again."""
    client = await new_client(freshbooks)
    entry = await logged(freshbooks, client_id=client["id"], note="Kick-off", identity_id=NORA)
    start = {"is_logged": True, "started_at": entry["started_at"], "duration": 5400}
    response = await replaced(freshbooks, entry, **start, billed=True)
    after = response.json()["time_entry"]
    lost = {key: after[key] for key in ("client_id", "note", "billable", "billed", "identity_id")}
    assert lost == {"client_id": None, "note": None, "billable": False, "billed": True, "identity_id": 7001}
    assert after["created_at"] == entry["created_at"]


async def test_a_put_can_keep_what_it_does_not_name(freshbooks: httpx.AsyncClient) -> None:
    await control(freshbooks, "settings", {"entries_keep_unsent": True})
    entry = await logged(freshbooks, note="Kick-off", identity_id=NORA)
    start = {"is_logged": True, "started_at": entry["started_at"], "duration": 60}
    after = (await replaced(freshbooks, entry, **start, billed=True)).json()["time_entry"]
    assert after == {**entry, "duration": 60, "billed": True}


async def test_an_entry_read_and_sent_back_with_one_change_keeps_the_rest(freshbooks: httpx.AsyncClient) -> None:
    entry = await logged(freshbooks, note="Kick-off", identity_id=NORA)
    after = (await replaced(freshbooks, entry, **{**entry, "billed": True})).json()["time_entry"]
    assert after == {**entry, "billed": True}


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"started_at": None, "duration": None}, {"started_at", "__root__"}),
        ({"is_logged": None}, {"is_logged"}),
        ({"started_at": "yesterday"}, {"started_at"}),
        ({"duration": -1}, {"duration"}),
        ({"duration": "1h"}, {"duration"}),
        ({"billable": "yes"}, {"billable"}),
        ({"note": 5}, {"note"}),
        ({"client_id": 330_999}, {"client_id"}),
        ({"project_id": 1, "service_id": 2}, {"project_id", "service_id"}),
        ({"identity_id": 7099}, {"identity_id"}),
        ({"local_timezone": "Mars/Olympus"}, {"local_timezone"}),
    ],
)
async def test_an_entry_that_cannot_be_is_refused_by_field(
    freshbooks: httpx.AsyncClient, fields: dict[str, Any], fault: set[str]
) -> None:
    assert set(wrong(await asked(freshbooks, **fields))) == fault
    assert await ids(freshbooks) == []


async def test_the_refusals_are_worded_as_recorded(freshbooks: httpx.AsyncClient) -> None:
    assert wrong(await freshbooks.post(ENTRIES, json={"time_entry": {"is_logged": True}})) == {
        "started_at": "field required",
        "__root__": "Logged entries must have a duration",
    }
    entry = await logged(freshbooks)
    response = await replaced(freshbooks, entry, is_logged=True, started_at=None, duration=60)
    assert wrong(response) == {"started_at": "none is not an allowed value"}
    assert (await read(freshbooks, entry))["duration"] == 5400


async def test_a_body_that_is_no_entry_is_refused(freshbooks: httpx.AsyncClient) -> None:
    assert (await freshbooks.post(ENTRIES, content=b"{")).status_code == 400
    assert wrong(await freshbooks.post(ENTRIES, json={"entry": {}})) == {"time_entry": "field required"}


async def test_a_deleted_entry_is_only_shown_to_who_asks_for_it(freshbooks: httpx.AsyncClient) -> None:
    entry = await logged(freshbooks)
    address = f"{ENTRIES}/{entry['id']}"
    response = await freshbooks.delete(address)
    assert (response.status_code, response.content) == (204, b"")
    assert await ids(freshbooks) == []
    (kept,) = (await page(freshbooks, include_deleted="true"))["time_entries"]
    assert (kept["id"], kept["active"]) == (entry["id"], False)
    assert (await read(freshbooks, entry))["active"] is False
    assert (await freshbooks.delete(address)).status_code == 404
    assert (await replaced(freshbooks, entry, **entry)).status_code == 404
    await control(freshbooks, "settings", {"deleted_entries_answer": False})
    assert (await freshbooks.get(address)).json() == MISSING


async def test_a_running_timer_has_no_duration_until_it_is_stopped(freshbooks: httpx.AsyncClient) -> None:
    entry = await logged(freshbooks, is_logged=False, duration=5400)
    assert (entry["duration"], entry["timer"]) == (None, {"id": entry["id"], "is_running": True})
    assert await ids(freshbooks) == []
    assert await ids(freshbooks, include_unlogged="true") == [entry["id"]]
    stopped = await control(freshbooks, f"records/time_entry/{entry['id']}/stop", {"duration": 600})
    assert (stopped["is_logged"], stopped["duration"], stopped["timer"]) == (True, 600, None)
    again = await freshbooks.post(f"/_sandbox/records/time_entry/{entry['id']}/stop", json={})
    assert again.status_code == 422


async def test_without_team_a_list_has_only_the_callers_own_entries(freshbooks: httpx.AsyncClient) -> None:
    own, noras = await logged(freshbooks), await logged(freshbooks, identity_id=NORA)
    assert await ids(freshbooks) == [own["id"]]
    assert await ids(freshbooks, identity_id=NORA) == []
    assert await ids(freshbooks, team="true") == [noras["id"], own["id"]]
    assert await ids(freshbooks, team="1", identity_id=NORA) == [noras["id"]]


async def test_entries_are_found_by_what_they_are_about_and_when_they_began(freshbooks: httpx.AsyncClient) -> None:
    client, project = await new_client(freshbooks), await new_project(freshbooks)
    first = await logged(freshbooks, client_id=client["id"], started_at="2026-02-28T23:30:00Z", billed=True)
    second = await logged(freshbooks, project_id=project["id"], started_at="2026-03-31T22:30:00Z", billable=False)
    for query, expected in (
        ({"client_id": client["id"]}, first),
        ({"project_id": project["id"]}, second),
        ({"billed": "true"}, first),
        ({"billed": "False"}, second),
        ({"billable": "0"}, second),
        ({"started_from": "2026-03-01T00:00:00Z"}, second),
        ({"started_from": "2026-03-01"}, second),
        ({"started_to": "2026-02-28T23:30:00Z"}, first),
        ({"started_from": "2026-03-01T00:30:00+01:00", "started_to": "2026-03-01T00:30:00+01:00"}, first),
    ):
        assert await ids(freshbooks, **query) == [expected["id"]], query
    newest_first = [second["id"], first["id"]]
    assert await ids(freshbooks, invented="x", sort="started_at") == newest_first
    assert await ids(freshbooks, **{"search[client_id]": "5"}) == newest_first


async def test_an_entry_at_the_very_end_of_a_month_is_in_the_next_one_where_that_is_set(
    freshbooks: httpx.AsyncClient,
) -> None:
    """F32: no source says whether `started_to` includes its instant."""
    entry, midnight = await logged(freshbooks, started_at="2026-04-01T00:00:00Z"), "2026-04-01T00:00:00Z"
    assert await ids(freshbooks, started_to=midnight) == [entry["id"]]
    await control(freshbooks, "settings", {"started_to_included": False})
    assert await ids(freshbooks, started_to=midnight) == []
    assert await ids(freshbooks, started_to="2026-04-01T00:00:01Z") == [entry["id"]]


async def test_the_start_is_told_by_the_clock_of_the_business_in_summer_too(freshbooks: httpx.AsyncClient) -> None:
    """F32: half an hour before midnight, UTC, is tomorrow in Berlin."""
    winter = await logged(freshbooks, started_at="2026-02-28T23:30:00Z")
    summer = await logged(freshbooks, started_at="2026-03-31T22:30:00Z")
    assert (winter["local_started_at"], summer["local_started_at"]) == ("2026-03-01T00:30:00", "2026-04-01T00:30:00")
    own = await logged(freshbooks, started_at="2026-03-31T22:30:00Z", local_timezone="America/New_York")
    assert (own["local_timezone"], own["local_started_at"]) == ("America/New_York", "2026-03-31T18:30:00")


async def test_a_filter_that_makes_no_sense_is_refused_by_name(freshbooks: httpx.AsyncClient) -> None:
    for query, words in (
        ({"updated_since": "now"}, "Input should be a valid datetime or date, input is too short"),
        ({"client_id": "Acme"}, "Input should be a valid integer, unable to parse string as an integer"),
        ({"billed": "maybe"}, "Input should be a valid boolean, unable to interpret input"),
        ({"page": "-1"}, "Input should be a valid integer, unable to parse string as an integer"),
    ):
        (name,) = query
        assert wrong(await freshbooks.get(ENTRIES, params=query)) == {name: words}


async def test_updated_since_finds_changes_and_deletions(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    entry, other = await logged(freshbooks), await logged(freshbooks)
    sandbox.freshbooks_service.settings.change({"clock_skew": 3600})
    since = (datetime.now(UTC) + timedelta(minutes=30)).isoformat()
    assert await ids(freshbooks, updated_since=since) == []
    await freshbooks.delete(f"{ENTRIES}/{entry['id']}")
    assert await ids(freshbooks, updated_since=since) == []
    assert await ids(freshbooks, updated_since=since, include_deleted="true") == [entry["id"]]
    await replaced(freshbooks, other, **other)
    assert await ids(freshbooks, updated_since=since) == [other["id"]]
    assert "updated_at" not in await read(freshbooks, other)


async def test_a_page_has_thirty_entries_and_the_sums_are_those_of_all(freshbooks: httpx.AsyncClient) -> None:
    for place in range(31):
        await logged(freshbooks, duration=100, billed=place == 0, billable=place != 1)
    first = await page(freshbooks)
    assert len(first["time_entries"]) == 30
    assert first["meta"] == {
        "sort": [],
        "total": 31,
        "per_page": 30,
        "page": 1,
        "pages": 2,
        "total_logged": 3100,
        "total_unbilled": 2900,
    }
    assert len(await ids(freshbooks, page=2)) == 1
    assert await ids(freshbooks, page=3) == []
    assert (await page(freshbooks, per_page=500, page=0))["meta"]["per_page"] == 100


async def test_an_empty_list_has_no_pages(freshbooks: httpx.AsyncClient) -> None:
    meta = (await page(freshbooks))["meta"]
    assert (meta["total"], meta["pages"], meta["page"], meta["total_logged"]) == (0, 0, 1, 0)


async def test_what_is_not_there_is_not_found(freshbooks: httpx.AsyncClient) -> None:
    entry = await logged(freshbooks)
    elsewhere = ENTRIES.replace("880001", "1")
    for address in (f"{ENTRIES}/1", f"{ENTRIES}/x", elsewhere, f"{elsewhere}/{entry['id']}"):
        response = await freshbooks.get(address)
        assert (response.status_code, response.json()) == (404, MISSING), address
    assert (await freshbooks.post(ENTRIES.replace("880001", "sBx7Qz"), json={})).status_code == 404
    assert (await freshbooks.put(f"{ENTRIES}/1", json={"time_entry": {}})).json() == MISSING


async def test_another_business_has_entries_of_its_own(freshbooks: httpx.AsyncClient) -> None:
    await control(freshbooks, "settings", {"businesses": [{"name": "Second", "account_id": "Zz9"}]})
    entry, elsewhere = await logged(freshbooks), ENTRIES.replace("880001", "880002")
    client = await new_client(freshbooks)
    assert await ids(freshbooks, elsewhere) == []
    assert (await freshbooks.get(f"{elsewhere}/{entry['id']}")).status_code == 404
    draft = {"is_logged": True, "started_at": "2026-03-02", "duration": 1, "client_id": client["id"]}
    assert wrong(await freshbooks.post(elsewhere, json={"time_entry": draft})) == {"client_id": "Client not found"}


async def test_a_token_needs_the_scope(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    entry = await logged(freshbooks)
    async with caller(sandbox, "freshbooks", "read_only") as reader:
        assert await ids(reader) == [entry["id"]]
        response = await reader.delete(f"{ENTRIES}/{entry['id']}")
    assert (response.status_code, response.json()) == (403, {"message": "Permission Denied"})
    assert (await read(freshbooks, entry))["active"] is True
    stranger = await freshbooks.get(ENTRIES, headers={"Authorization": "Bearer nonsense"})
    assert (stranger.status_code, stranger.json()["error"]) == (401, "unauthenticated")


async def test_who_is_only_a_client_writes_no_hours(freshbooks: httpx.AsyncClient) -> None:
    await control(freshbooks, "settings", {"role": "client"})
    assert (await asked(freshbooks)).status_code == 403
