"""What operators type and read: `doctor`, `status`, `schedules`, against a whole installation in this process."""

from pathlib import Path

import pytest

from runtime.load import load_settings
from starters.doctor import run_doctor
from starters.operators import make_schedules, show_status
from starters.schedules import wanted_schedules
from store.store import open_store
from tests.sandboxes import Firm
from tests.workflows.office import Office


async def test_the_doctor_finds_nothing_wrong_with_a_whole_installation(
    office: Office, firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Z20, S51."""
    await make_schedules()
    async with office.working():
        code = await run_doctor()
    said = capsys.readouterr().out
    assert (code, said.splitlines()[-1]) == (0, "all is well")
    assert f"{firm.name}: capsule: account sandbox" in said
    await delete_schedules(office)


async def test_the_doctor_says_what_to_do_about_missing_schedules(
    office: Office, firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with office.working():
        code = await run_doctor()
    assert code == 1
    missing = f"party-sweep/{firm.name}, hook-upkeep/{firm.name} missing; run ledgerline schedules"
    assert missing in capsys.readouterr().out


async def test_the_doctor_says_what_to_do_about_a_temporal_that_does_not_answer(
    firm: Firm, installed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    assert await run_doctor() == 1
    assert "no Temporal server answers at 127.0.0.1:1; start one with `ledgerline up`" in capsys.readouterr().out


async def test_the_doctor_never_shows_a_token(
    office: Office, firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Z137."""
    firm.use(capsule_token="expired-token")
    async with office.working():
        await run_doctor()
    said = capsys.readouterr().out
    assert "capsule: Capsule refused to read the site (HTTP 401)" in said
    assert "expired-token" not in said
    assert firm.connection.freshbooks.token.get_secret_value() not in said


async def test_status_counts_what_is_in_step_and_names_what_waits(
    firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """S8, S46, S50."""
    store = await open_store(load_settings(installed))
    await store.holds.open(f"client-upsert/{firm.name}/capsule-party-7", firm.record_key(7), "conflict", {})
    await store.inbox.park(firm.name, "capsule", "party/updated", ["8"])
    await store.close()
    assert await show_status() == 0
    said = capsys.readouterr().out
    assert f"connection {firm.name}" in said
    assert f"client-upsert/{firm.name}/capsule-party-7" in said
    assert "1 changes wait in the inbox" in said


async def delete_schedules(office: Office) -> None:
    for wanted in wanted_schedules(office.firm.settings):
        await office.temporal.get_schedule_handle(wanted.id).delete()
