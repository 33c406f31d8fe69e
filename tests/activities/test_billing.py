"""What billing asks FreshBooks: which hours are due, whether they are still what they were, and marking them."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.billing import BillingActivities
from activities.billing_models import (
    BillingMoment,
    BillKey,
    BillPlan,
    BillStep,
    EntryStep,
    ListUnbilled,
    MarkedEntry,
    OpenBill,
    PlanBill,
)
from activities.models import OpenCreate
from store.store import Store
from tests.sandboxes import NUMBERS, Firm, open_firm
from tests.timesheets import Timesheet, bills_hours, make_service

APRIL = date(2026, 4, 1)
REFERENCE = "ledgerline-0000"


@pytest.fixture
async def timesheet(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Timesheet]:
    """A firm that bills its hours; nothing runs but what a test calls."""
    async with open_firm(sqlite_store, tmp_path, f"firm-{next(NUMBERS)}") as firm:
        bills_hours(firm)
        yield Timesheet(firm, await make_service(firm))


async def a_client(firm: Firm, currency: str = "EUR") -> int:
    return await firm.new_client(organization="Quist AB", currency_code=currency)


async def planned(timesheet: Timesheet, client: int, first: date | None = None) -> BillPlan:
    asked = PlanBill(key=BillKey(connection=timesheet.firm.name, client_id=client), until=APRIL, first=first)
    return await timesheet.firm.run(BillingActivities.plan_bill, asked)


def of(plan: BillPlan, invoice_id: int | None = None) -> BillStep:
    """Return a step of a bill of this plan."""
    entries = [MarkedEntry(entry_id=number, fingerprint=print_) for number, print_ in plan.entries.items()]
    create = OpenCreate(intent_id=1, reference=REFERENCE, fence=1)
    bill = OpenBill(bill_id=1, number="H-1-1", plan=plan, entries=entries, invoice_id=invoice_id, create=create)
    return BillStep(bill=bill, cause="a test")


def why(plan: BillPlan) -> dict[str, list[int]]:
    return {each.reason: each.entry_ids for each in plan.left_out}


async def test_what_is_not_to_be_billed_is_left_out_with_its_reason(timesheet: Timesheet) -> None:
    """Z16."""
    client = await a_client(timesheet.firm)
    fixed = await timesheet.new_project(client, project_type="fixed_price", fixed_price="6000.00")
    billed = await timesheet.log(client)
    free, flat = await timesheet.log(client, billable=False), await timesheet.log(client, project_id=fixed)
    running = await timesheet.log(client, is_logged=False, duration=None)
    plan = await planned(timesheet, client)
    assert (list(plan.entries), plan.predicted) == ([billed], "150.00")
    assert why(plan) == {
        "it is not billable": [free],
        "its project has a fixed price, which hours do not change": [flat],
        "its timer is still running: stop it, then bill again": [running],
    }


async def test_time_that_names_only_a_project_is_billed_to_the_client_of_the_project(timesheet: Timesheet) -> None:
    """Z104."""
    client = await a_client(timesheet.firm)
    project = await timesheet.new_project(client, project_type="hourly_rate", rate="120.00")
    entry = await timesheet.log(None, project_id=project, service_id=None)
    plan = await planned(timesheet, client)
    assert (list(plan.entries), plan.predicted) == ([entry], "180.00")
    asked = ListUnbilled(connection=timesheet.firm.name, until=APRIL)
    assert (await timesheet.firm.run(BillingActivities.list_unbilled, asked)).client_ids == [client]


async def test_time_before_the_period_is_left_out_and_said(timesheet: Timesheet) -> None:
    """F22: what nobody billed in February is not suddenly on the invoice of March."""
    client = await a_client(timesheet.firm)
    february, march = await timesheet.log(client, day="2026-02-27"), await timesheet.log(client)
    plan = await planned(timesheet, client, first=date(2026, 3, 1))
    assert list(plan.entries) == [march]
    assert [ids for reason, ids in why(plan).items() if "earlier period" in reason] == [[february]]


async def test_hours_of_a_client_that_was_deleted_are_not_billed_and_not_forgotten(timesheet: Timesheet) -> None:
    """F7: FreshBooks would take the invoice."""
    client = await a_client(timesheet.firm)
    await timesheet.log(client)
    await timesheet.firm.change_client(client, vis_state=1)
    with pytest.raises(ApplicationError, match=f"client {client} was deleted, and has hours to bill"):
        await planned(timesheet, client)


async def test_an_entry_of_another_bill_is_not_planned_again(timesheet: Timesheet) -> None:
    """F31, S47."""
    client = await a_client(timesheet.firm)
    entry, firm = await timesheet.log(client), timesheet.firm
    await firm.store.bills.claim(firm.name, client, {}, {entry: "as it was"})
    plan = await planned(timesheet, client)
    assert (plan.lines, why(plan)) == ([], {"a bill has it already": [entry]})


async def test_an_entry_that_is_not_what_it_was_is_noticed_before_the_invoice_is_made(timesheet: Timesheet) -> None:
    """F31: another duration, deleted, billed by hand; the fourth is as it was."""
    client = await a_client(timesheet.firm)
    longer, gone, ticked, same = [await timesheet.log(client) for _ in range(4)]
    plan = await planned(timesheet, client)
    await timesheet.change(longer, duration=7200)
    await timesheet.delete(gone)
    await timesheet.change(ticked, billed=True)
    checked = await timesheet.firm.run(BillingActivities.check_entries, of(plan))
    assert checked.changed == sorted([longer, gone, ticked])
    assert same not in checked.changed


async def test_an_entry_that_somebody_changed_is_not_marked_unless_a_person_agrees(timesheet: Timesheet) -> None:
    """F31."""
    client, firm = await a_client(timesheet.firm), timesheet.firm
    changed, gone = await timesheet.log(client), await timesheet.log(client)
    plan = await planned(timesheet, client)
    await timesheet.change(changed, duration=7200)
    await timesheet.delete(gone)
    bill_id = (await firm.store.bills.claim(firm.name, client, {}, plan.entries)).id

    async def marked(entry_id: int, *, anyway: bool) -> str:
        entry = MarkedEntry(entry_id=entry_id, fingerprint=plan.entries[entry_id])
        step = EntryStep(key=plan.key, bill_id=bill_id, entry=entry, anyway=anyway)
        return (await firm.run(BillingActivities.mark_entry, step)).outcome

    assert (await marked(changed, anyway=False), await marked(gone, anyway=False)) == ("changed", "gone")
    assert timesheet.entry(changed)["billed"] is False
    assert (await marked(changed, anyway=True), await marked(gone, anyway=True)) == ("marked", "marked")
    assert (timesheet.entry(changed)["billed"], timesheet.entry(changed)["duration"]) == (True, 7200)


async def test_marking_keeps_the_note_and_everything_else_of_an_entry(timesheet: Timesheet) -> None:
    """F31: FreshBooks empties whatever a change leaves out."""
    client, firm = await a_client(timesheet.firm), timesheet.firm
    entry = await timesheet.log(client, note="Kick-off")
    before = timesheet.entry(entry)
    plan = await planned(timesheet, client)
    bill_id = (await firm.store.bills.claim(firm.name, client, {}, plan.entries)).id
    claimed = MarkedEntry(entry_id=entry, fingerprint=plan.entries[entry])
    await firm.run(BillingActivities.mark_entry, EntryStep(key=plan.key, bill_id=bill_id, entry=claimed))
    after = timesheet.entry(entry)
    assert {key for key in before if before[key] != after[key]} <= {"billed", "updated_at"}
    assert after["billed"] is True


async def test_an_invoice_of_somebody_else_with_the_bills_number_is_told_apart(timesheet: Timesheet) -> None:
    """F3."""
    client, firm = await a_client(timesheet.firm), timesheet.firm
    await timesheet.log(client)
    step = of(await planned(timesheet, client))
    ours, foreign = await timesheet.invoice(client, "H-1-1", REFERENCE), None
    found = await firm.run(BillingActivities.look_for_bill, step)
    assert (found.ours, found.foreign) == (ours, foreign)
    await timesheet.change_record("invoice", ours, po_number="somebody's")
    found = await firm.run(BillingActivities.look_for_bill, step)
    assert (found.ours, found.foreign) == (None, ours)


async def test_an_invoice_of_ours_that_somebody_deleted_is_not_taken_over(timesheet: Timesheet) -> None:
    """F7: its hours would be marked as billed on nothing."""
    client, firm = await a_client(timesheet.firm), timesheet.firm
    await timesheet.log(client)
    plan = await planned(timesheet, client)
    invoice = await timesheet.invoice(client, "H-1-1", REFERENCE)
    await timesheet.change_record("invoice", invoice, vis_state=1)
    with pytest.raises(ApplicationError, match="was deleted or archived: restore it, then retry"):
        await firm.run(BillingActivities.adopt_bill, of(plan, invoice))


@pytest.mark.parametrize(
    ("now", "days"),
    [
        # The last hour of March in Berlin is not over yet; an hour later it is.
        (datetime(2026, 3, 31, 21, 30, tzinfo=UTC), (date(2026, 2, 1), date(2026, 3, 1))),
        (datetime(2026, 3, 31, 22, 30, tzinfo=UTC), (date(2026, 3, 1), APRIL)),
    ],
)
async def test_a_month_is_over_when_it_is_over_at_the_firm(
    timesheet: Timesheet, now: datetime, days: tuple[date, date]
) -> None:
    """F32."""
    found = await timesheet.firm.run(
        BillingActivities.billing_days, BillingMoment(connection=timesheet.firm.name, at=now, once=True)
    )
    assert (found.first, found.until) == days


async def test_a_period_that_had_its_run_is_not_billed_by_the_clock_again(timesheet: Timesheet) -> None:
    """S60: the schedule looks every hour, and bills once."""
    firm, moment = timesheet.firm, datetime(2026, 4, 2, tzinfo=UTC)
    once = BillingMoment(connection=firm.name, at=moment, once=True)
    ended_at = (await firm.run(BillingActivities.billing_days, once)).ended_at
    assert ended_at is not None
    await firm.store.cursors.advance(firm.name, "billing", ended_at)
    assert (await firm.run(BillingActivities.billing_days, once)).until is None
    again = BillingMoment(connection=firm.name, at=moment)
    assert (await firm.run(BillingActivities.billing_days, again)).until == APRIL
