"""What operators type and read: `status`, against a whole installation in this process."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.load import load_settings
from starters.operators import show_status
from store.audit import AuditEntry
from store.inbox import MOST_ATTEMPTS
from store.links import Agreement
from store.news import Difference, Told
from store.records import RecordKey
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


async def test_status_counts_pairs_creates_in_doubt_and_holds_by_their_kind(
    firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """S46, S47, S50: three estimates, one of them archived; two invoices of which nobody knows whether they exist."""
    store = await open_store(load_settings(installed))
    for number in ("701", "702", "703"):
        await store.links.confirm(RecordKey(firm.name, "estimates", number), Agreement(f"9{number}", {}, "", "", "v1"))
    await store.links.set_state(RecordKey(firm.name, "estimates", "703"), "tombstoned")
    for number in ("704", "705"):
        intent = await store.intents.reserve(RecordKey(firm.name, "invoices", number))
        await store.intents.doubt(await store.intents.mark_sending(intent), datetime.now(UTC))
    for number in ("704", "705"):
        workflow_id = f"opportunity-to-estimate/{firm.name}/capsule-opportunity-{number}"
        await store.holds.open(workflow_id, RecordKey(firm.name, "opportunities", number), "approval", {})
    await store.holds.open(f"client-upsert/{firm.name}/capsule-party-7", firm.record_key(7), "conflict", {})
    await store.close()
    await show_status()
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    shown = {row[0]: row[1] for row in rows if len(row) == 2}
    assert shown["estimates in step"] == "2 (1 archived, void or deleted)"
    assert shown["creates in doubt"] == "2 (invoices 2)"
    assert shown["creates not finished"] == "0"
    assert shown["holds"] == "3 (opportunity approval 2, party conflict 1)"
    assert (
        shown["approval"].startswith("opportunity 704, 0 s ago: opportunity-to-estimate/") or "705" in shown["approval"]
    )


async def test_a_firm_without_opportunities_is_not_told_of_estimates(
    firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await show_status()
    said = capsys.readouterr().out
    assert "clients in step" in said
    assert "estimates" not in said
    assert "opportunities" not in said


async def test_the_latest_writes_name_both_records_of_each_kind(
    firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = await open_store(load_settings(installed))
    entry = AuditEntry("create", "webhook", "v1", after={"amount": "1250.50"})
    agreed = Agreement("70001", {}, "", "", "v1")
    await store.links.confirm(RecordKey(firm.name, "estimates", "701"), agreed, audit=entry)
    await store.close()
    await show_status()
    said = capsys.readouterr().out
    assert "opportunity 701" in said
    assert "estimate 70001" in said
    assert "1250" not in said
