"""What people do with their hours in FreshBooks, who hears of it, and what goes wrong on the way."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox, build_sandbox
from tests.sandbox.conftest import Receiver, caller, control, new_client
from tests.sandbox.freshbooks_hours import (
    ENTRIES,
    NORA,
    PROJECT,
    asked,
    ids,
    logged,
    new_project,
    read,
    replaced,
)
from tests.sandbox.test_freshbooks_callbacks import forms, verified

RECORDS = "records/time_entry"


async def written(freshbooks: httpx.AsyncClient, kind: str = "time_entry") -> list[dict[str, Any]]:
    """Return what the ledger says of a kind."""
    entries: list[dict[str, Any]] = (await control(freshbooks, f"ledger?kind={kind}", method="GET"))["entries"]
    return entries


async def test_a_person_logs_changes_bills_and_deletes_an_entry(freshbooks: httpx.AsyncClient) -> None:
    client = await new_client(freshbooks)
    made = await control(
        freshbooks, RECORDS, {"client_id": client["id"], "duration": 1800, "note": "Call", "identity_id": NORA}
    )
    await control(freshbooks, RECORDS, {"id": made["id"], "duration": 2700}, "PUT")
    await control(freshbooks, f"{RECORDS}/{made['id']}/bill", {})
    after = await read(freshbooks, made)
    kept = (after["duration"], after["note"], after["client_id"], after["identity_id"], after["billable"])
    assert kept == (2700, "Call", client["id"], NORA, True)
    assert after["billed"] is True
    await control(freshbooks, f"{RECORDS}/{made['id']}/bill", {"billed": False})
    assert (await read(freshbooks, made))["billed"] is False
    await control(freshbooks, f"{RECORDS}/{made['id']}", method="DELETE")
    assert (await read(freshbooks, made))["active"] is False
    assert {each["via"] for each in await written(freshbooks)} == {"control"}


async def test_a_moved_start_moves_the_local_clock_too(freshbooks: httpx.AsyncClient) -> None:
    """F32."""
    entry = await logged(freshbooks)
    moved = await control(freshbooks, RECORDS, {"id": entry["id"], "started_at": "2026-03-31T22:30:00Z"}, "PUT")
    assert moved["local_started_at"] == "2026-04-01T00:30:00"


async def test_nobody_changes_an_entry_that_is_not_there_or_in_a_way_that_cannot_be(
    freshbooks: httpx.AsyncClient,
) -> None:
    entry = await logged(freshbooks)
    for body, status in (({"id": 1, "note": "x"}, 404), ({"id": entry["id"], "duration": "long"}, 422)):
        assert (await freshbooks.put(f"/_sandbox/{RECORDS}", json=body)).status_code == status
    assert len(await written(freshbooks)) == 1


async def test_the_ledger_shows_each_write_with_all_that_a_judge_needs(freshbooks: httpx.AsyncClient) -> None:
    """F31."""
    client, project = await new_client(freshbooks), await new_project(freshbooks)
    entry = await logged(freshbooks, client_id=client["id"], project_id=project["id"])
    await replaced(freshbooks, entry, **{**entry, "billed": True})
    await freshbooks.delete(f"{ENTRIES}/{entry['id']}")
    told = [
        (each["operation"], each["id"], *(each["record"][key] for key in ("billed", "active", "duration")))
        for each in await written(freshbooks)
    ]
    assert told == [
        ("create", entry["id"], False, True, 5400),
        ("update", entry["id"], True, True, 5400),
        ("update", entry["id"], True, False, 5400),
    ]
    record = (await written(freshbooks))[0]["record"]
    assert (record["client_id"], record["project_id"]) == (client["id"], project["id"])
    assert record["business_id"] == 880_001


async def test_every_change_is_told_by_its_verb(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    """S1: also who wrote the change hears of it."""
    for noun in ("time_entry", "project.delete", "service"):
        await verified(sandbox, freshbooks, receiver, noun)
    receiver.received.clear()
    project, entry = await new_project(freshbooks), await logged(freshbooks)
    await replaced(freshbooks, entry, **{**entry, "note": "More"})
    await freshbooks.delete(f"{ENTRIES}/{entry['id']}")
    await freshbooks.delete(f"{PROJECT}/{project['id']}")
    await control(freshbooks, "records/service", {"name": "Design"})
    await sandbox.settle()
    told = sorted((form["name"], form["object_id"]) for form in forms(receiver))
    assert [name for name, _ in told] == [
        "project.delete",
        "service.create",
        "time_entry.create",
        "time_entry.delete",
        "time_entry.update",
    ]
    assert dict(told)["time_entry.delete"] == str(entry["id"])
    assert {form["business_id"] for form in forms(receiver)} == {"880001"}


@pytest.mark.faults
async def test_an_entry_whose_answer_is_lost_is_billed_all_the_same(freshbooks: httpx.AsyncClient) -> None:
    """F1, F31."""
    entry = await logged(freshbooks)
    await control(
        freshbooks, "faults", {"method": "PUT", "path": "/time_entries/", "fault": "commit_then_cut", "times": 1}
    )
    with pytest.raises(httpx.RemoteProtocolError):
        await replaced(freshbooks, entry, **{**entry, "billed": True})
    assert (await read(freshbooks, entry))["billed"] is True


@pytest.mark.faults
async def test_an_entry_may_be_written_after_its_caller_gave_up(freshbooks: httpx.AsyncClient) -> None:
    """F1."""
    await control(
        freshbooks, "faults", {"method": "POST", "path": "/time_entries", "fault": "late_commit", "seconds": 0.1}
    )
    with pytest.raises(httpx.RemoteProtocolError):
        await asked(freshbooks)
    assert await ids(freshbooks) == []
    await asyncio.sleep(0.3)
    assert len(await ids(freshbooks)) == 1
    assert [each["via"] for each in await written(freshbooks)] == ["late"]


@pytest.mark.faults
async def test_an_outage_is_no_answer_about_hours(freshbooks: httpx.AsyncClient) -> None:
    for fault, status in (("status", 503), ("malformed", 200)):
        await control(freshbooks, "faults", {"path": "/time_entries", "fault": fault, "times": 1})
        response = await freshbooks.get(ENTRIES)
        assert response.status_code == status
        assert b"time_entries" not in response.content


@pytest.mark.faults
async def test_a_list_may_lag_behind_while_the_id_answers(freshbooks: httpx.AsyncClient) -> None:
    """Z101: by the filter for clients alone."""
    client = await new_client(freshbooks)
    await control(freshbooks, "settings", {"lags": {"client_id": 60}})
    entry = await logged(freshbooks, client_id=client["id"])
    assert (await read(freshbooks, entry))["id"] == entry["id"]
    assert await ids(freshbooks, client_id=client["id"]) == []
    assert await ids(freshbooks) == [entry["id"]]


@pytest.mark.faults
async def test_a_list_may_show_as_unbilled_what_is_billed(freshbooks: httpx.AsyncClient) -> None:
    """F31: a second run that trusts the list would bill the entry again."""
    await control(freshbooks, "settings", {"update_lag": 60})
    entry = await logged(freshbooks)
    await replaced(freshbooks, entry, **{**entry, "billed": True})
    assert await ids(freshbooks, billed="false") == [entry["id"]]
    assert (await read(freshbooks, entry))["billed"] is True


async def test_calls_about_hours_use_up_the_quota_too(receiver: Receiver) -> None:
    sandbox = build_sandbox(freshbooks_requests_per_minute=1, hook_transport=receiver)
    async with caller(sandbox, "freshbooks") as freshbooks:
        assert (await freshbooks.get(ENTRIES)).headers["X-RateLimit-Remaining"] == "0"
        refused = await freshbooks.get(ENTRIES)
    await sandbox.close()
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0


async def test_hours_outlive_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    ledger = tmp_path / "ledger.jsonl"
    sandbox = build_sandbox(ledger, hook_transport=receiver)
    async with caller(sandbox, "freshbooks") as freshbooks:
        entry = await logged(freshbooks, note="Kick-off")
        gone = await logged(freshbooks)
        await freshbooks.delete(f"{ENTRIES}/{gone['id']}")
    await sandbox.close()
    again = build_sandbox(ledger, hook_transport=receiver)
    async with caller(again, "freshbooks") as freshbooks:
        assert await read(freshbooks, entry) == entry
        assert await ids(freshbooks) == [entry["id"]]
        assert (await logged(freshbooks))["id"] > gone["id"]
    await again.close()
