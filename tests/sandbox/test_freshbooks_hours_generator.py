"""Weeks of work that the FreshBooks stand-in makes up."""

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox, build_sandbox
from sandbox.calls import Refusal
from sandbox.freshbooks.hours_generator import CASES, CURRENCIES, HoursPlan, fill_hours
from tests.sandbox.conftest import Receiver, new_client
from tests.sandbox.freshbooks_hours import page
from tests.sandbox.test_freshbooks_callbacks import verified


def entries_of(sandbox: Sandbox) -> list[dict[str, Any]]:
    return sandbox.freshbooks_service.records.all("time_entry")


def told(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return the entries without the instants at which they were written."""
    return [{**each, "created_at": None, "updated_at": None} for each in entries_of(sandbox)]


def test_the_same_seed_gives_the_same_hours() -> None:
    first, second, other = build_sandbox(), build_sandbox(), build_sandbox()
    for sandbox, seed in ((first, 5), (second, 5), (other, 6)):
        fill_hours(sandbox.freshbooks_service, seed, HoursPlan(entries=40))
    assert told(first) == told(second)
    assert told(first) != told(other)


def test_hours_are_of_every_kind_and_of_clients_in_several_currencies(sandbox: Sandbox) -> None:
    made = fill_hours(sandbox.freshbooks_service, 1, HoursPlan(entries=120))
    records = sandbox.freshbooks_service.records
    assert len(entries_of(sandbox)) == len(made.entries) == 120
    assert set(Counter(case for case, _ in made.entries)) == set(CASES)
    assert {records.tables["client"][each]["currency_code"] for each in made.client_ids} == set(CURRENCIES)
    assert {each["identity_id"] for each in entries_of(sandbox)} == {7001, 7002, 7003}
    for case, entry in made.entries:
        assert entry["billed"] is (case == "billed"), case
        assert entry["is_logged"] is (case != "running"), case
        assert entry["billable"] is (case not in ("not_billable", "internal")), case
        assert (entry["client_id"] is None) is (case in ("internal", "only_project")), case
        project = records.get("project", entry["project_id"] or 0)
        assert project is None or entry["client_id"] in (None, project["client_id"])
        assert (project is None) is (case in ("internal", "no_project", "no_rate")), case
        assert (project is not None and project["project_type"] == "fixed_price") is (case == "fixed_price")
    assert len(records.all("service_rate")) == 3
    assert len(records.all("team_member_rate")) == 3


def test_hours_lie_within_the_days_of_the_plan_and_one_begins_just_before_midnight(sandbox: Sandbox) -> None:
    """F32."""
    made = fill_hours(sandbox.freshbooks_service, 1, HoursPlan(first_day=date(2026, 2, 1), days=28))
    days = {entry["started_at"][:10] for _, entry in made.entries}
    assert min(days) >= "2026-02-01"
    assert max(days) == "2026-02-28"
    late = next(entry for case, entry in made.entries if case == "midnight")
    assert (late["started_at"], late["local_started_at"]) == ("2026-02-28T23:30:00Z", "2026-03-01T00:30:00")


async def test_hours_can_be_worked_for_clients_that_are_there(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    client = await new_client(freshbooks, currency_code="SEK")
    plan = HoursPlan(entries=20, people=(7002,), client_ids=(client["id"],))
    made = fill_hours(sandbox.freshbooks_service, 1, plan)
    assert {entry["client_id"] for _, entry in made.entries} == {client["id"], None}
    assert sandbox.freshbooks_service.records.all("client") == [client | {"accounting_systemid": "sBx7Qz"}]
    everything = {"team": "true", "include_unlogged": "true"}
    assert (await page(freshbooks, **everything))["meta"]["total"] == 20


def test_nobody_works_who_is_not_there(sandbox: Sandbox) -> None:
    with pytest.raises(Refusal):
        fill_hours(sandbox.freshbooks_service, 1, HoursPlan(people=(7099,)))
    assert entries_of(sandbox) == []


async def test_hours_are_told_only_if_that_is_wanted(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    await verified(sandbox, freshbooks, receiver, "time_entry")
    fill_hours(sandbox.freshbooks_service, 1, HoursPlan(entries=2))
    await sandbox.settle()
    assert receiver.received == []
    await sandbox.freshbooks_service.reset()
    await verified(sandbox, freshbooks, receiver, "time_entry")
    fill_hours(sandbox.freshbooks_service, 1, HoursPlan(entries=2), hooks=True)
    await sandbox.settle()
    assert len(receiver.received) == 2


def test_hours_from_the_start_stand_in_no_ledger_and_are_the_same_after_a_restart(tmp_path: Path) -> None:
    built = [build_sandbox(tmp_path / "ledger.jsonl", seed=3, time_entries=30) for _ in range(2)]
    first, second = (each.freshbooks_service.records.tables for each in built)
    assert len(first["time_entry"]) == 30
    assert built[0].ledger.entries == []
    for kind in ("client", "project", "service", "service_rate", "team_member_rate", "time_entry"):
        assert first[kind] == second[kind], kind
        assert first[kind], kind
    draft = {"duration": 60}
    assert built[0].freshbooks_service.hands["time_entry"].create(draft)["id"] == max(second["time_entry"]) + 1
    assert built[0].freshbooks_service.hands["client"].create({})["id"] == max(second["client"]) + 1
