"""`ledgerline backfill`, as an operator types it, on a real server against the sandbox."""

import asyncio
from pathlib import Path

import pytest

from starters.backfill import pause_backfill, run_backfill
from tests.sandboxes import Firm
from tests.workflows.office import Office, until

NORTH = [{"type": "Work", "address": "office@north.test"}]


async def test_everything_that_was_there_before_is_in_step_after_a_backfill(
    office: Office, firm: Firm, installed: Path, ended: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """S60: with a forecast before anything is written."""
    party_id = await firm.new_party(name="North", emailAddresses=NORTH)
    office.expect(party_id)
    async with office.working():
        assert await run_backfill(None, None) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "1 parties and 0 clients listed" in said
    assert "applying it:" in said
    assert len(firm.clients()) == 1


async def test_a_paused_backfill_goes_on_with_the_same_command(
    office: Office, firm: Firm, installed: Path, ended: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """S60: FreshBooks is slow, so that there is time to pause."""
    for number in range(3):
        address = [{"type": "Work", "address": f"office@north{number}.test"}]
        office.expect(await firm.new_party(name=f"North {number}", emailAddresses=address))
    firm.books_fault(fault="latency", seconds=1.5, times=100, method="GET", path="/users/clients$")
    async with office.working():
        typed = asyncio.create_task(run_backfill(firm.name, None))

        async def applying() -> bool:
            return [each.state for each in await firm.store.plans.listed()] == ["applying"]

        await until(applying)
        assert await pause_backfill(firm.name) == 0
        assert await typed == 1
        (plan,) = await firm.store.plans.listed()
        assert plan.state == "stopped"
        firm.end_faults()
        assert await run_backfill(firm.name, None) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"or: ledgerline backfill --connection {firm.name}" in said
    assert f"going on with the backfill of {firm.name}: plan {plan.id}" in said
    assert len(firm.clients()) == 3


async def test_there_is_nothing_to_pause_before_a_backfill_began(
    firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await pause_backfill(None) == 0
    assert f"no backfill of {firm.name} is under way" in capsys.readouterr().out
