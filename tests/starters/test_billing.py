"""`ledgerline bill`: what a person sees before anything is billed, and what happens then."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console
from temporalio.client import Client

from starters.billing import CannotBill, chosen, day_after, preview, run_billing
from starters.billing_views import print_preview
from store.store import Store
from tests.timesheets import Billing, open_timesheet
from workflows.billing_models import Preview

APRIL = date(2026, 4, 1)


@pytest.fixture
async def timesheet(temporal: Client, sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Billing]:
    """A firm that bills its hours."""
    async with open_timesheet(temporal, sqlite_store, tmp_path) as opened:
        yield opened


async def test_the_preview_shows_lines_totals_and_what_is_left_out_and_writes_nothing(
    timesheet: Billing, capsys: pytest.CaptureFixture[str]
) -> None:
    """Z16: an hour and a half at 100.00 is billed; what is not billable says so."""
    client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
    billed = await timesheet.log(client)
    free = await timesheet.log(client, billable=False)
    shown = await preview(timesheet.office.temporal, timesheet.firm.name, None, APRIL)
    assert print_preview(shown, Console(width=120)) == 0
    text = capsys.readouterr().out
    assert f"client {client}: 1 entries, 150.00 EUR with tax" in text
    assert "not billed: it is not billable" in text
    assert (str(billed) in text, str(free) in text) == (True, True)
    assert timesheet.invoices() == []
    assert timesheet.entry(billed)["billed"] is False


async def test_a_preview_that_a_person_has_to_decide_ends_with_one(
    timesheet: Billing, capsys: pytest.CaptureFixture[str]
) -> None:
    """F29: an entry without a price."""
    client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
    entry = await timesheet.log(client, service_id=None)
    shown = await preview(timesheet.office.temporal, timesheet.firm.name, client, APRIL)
    assert print_preview(shown, Console(width=120)) == 1
    assert f"time entry {entry}: no rate" in capsys.readouterr().out


async def test_a_run_bills_everybody_who_has_hours(timesheet: Billing) -> None:
    """S3: two clients with hours, one whose hours are billed already."""
    clients = [await timesheet.firm.new_client(organization=name, currency_code="EUR") for name in ("A", "B", "C")]
    for client in clients[:2]:
        await timesheet.log(client)
    await timesheet.log(clients[2], billed=True)
    ran = await run_billing(timesheet.office.temporal, timesheet.firm.name, None, APRIL)
    assert (ran.clients, ran.listed) == (sorted(clients[:2]), 2)
    for client in clients[:2]:
        assert (await timesheet.outcome(client)).outcome == "invoiced"
    assert len(timesheet.invoices()) == 2


def test_a_day_that_is_none_is_a_mistake_in_words() -> None:
    with pytest.raises(CannotBill, match=r"31\.03\.2026 is no day: write it as 2026-03-31"):
        day_after("31.03.2026")
    assert day_after("2026-03-31") == APRIL


def test_nothing_to_bill_yet_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_preview(Preview(), Console()) == 0
    assert "no period has ended yet" in capsys.readouterr().out


async def test_a_connection_that_bills_no_hours_is_named(timesheet: Billing) -> None:
    settings = timesheet.firm.settings
    assert chosen(settings, None) == timesheet.firm.name
    with pytest.raises(CannotBill, match="other bills no hours"):
        chosen(settings, "other")
