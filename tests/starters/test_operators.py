"""What operators type and read: `status`, against a whole installation in this process."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.load import load_settings
from starters.operators import show_status
from store.inbox import MOST_ATTEMPTS
from store.news import Difference, Told
from store.store import open_store
from tests.sandboxes import Firm


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


async def test_status_shows_which_share_of_the_changes_only_sweeps_found(
    firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """F13, S50."""
    now = datetime.now(UTC)
    store = await open_store(load_settings(installed))
    await store.news.told([Told(firm.name, "capsule", str(number), now) for number in range(3)])
    await store.news.swept(firm.name, "capsule", [Difference("9", "state", now)])
    await store.cursors.advance(firm.name, "freshbooks.clients", now)
    await store.close()
    await show_status()
    said = capsys.readouterr().out
    assert "3 told by webhooks, 1 found by sweeps alone (25.0%)" in said
    assert "parties swept until" in said
    assert "clients swept until" in said


async def test_status_names_what_could_not_be_handed_over(
    firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """F35: with its reason, and with what to do."""
    store = await open_store(load_settings(installed))
    await store.inbox.park(firm.name, "capsule", "party/updated", ["8"])
    (change,) = await store.inbox.oldest(1)
    await store.inbox.failed(replace(change, attempts=MOST_ATTEMPTS - 1), "INVALID_ARGUMENT")
    await store.close()
    await show_status()
    said = capsys.readouterr().out
    assert f"set aside, cannot be handed over: {firm.name}: capsule 8 (INVALID_ARGUMENT" in said
    assert "1 changes are set aside; mend the cause, then restart the receiver" in said
