"""Hours become invoices, each entry once, whatever happens in between: on a real server, against the sandbox."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from temporalio.client import Client

from runtime.queues import WORKFLOW_QUEUE
from store.store import Store
from tests.sandboxes import FRESHBOOKS
from tests.timesheets import Billing, open_timesheet
from workflows.billing_models import BillingRunRequest, BillingWish
from workflows.billing_runs import BillingRun

OpenTimesheet = Callable[..., AbstractAsyncContextManager[Billing]]
CREATE = {"method": "POST", "path": "/invoices/invoices$"}


@pytest.fixture
def open_with(temporal: Client, sqlite_store: Store, tmp_path: Path) -> OpenTimesheet:
    """Gives a firm that bills its hours with these settings."""
    return partial(open_timesheet, temporal, sqlite_store, tmp_path)


@pytest.fixture
async def timesheet(open_with: OpenTimesheet) -> AsyncIterator[Billing]:
    """A firm that bills its hours, with the settings of most."""
    async with open_with() as opened:
        yield opened


async def test_the_hours_of_a_month_become_one_draft_and_are_marked_as_billed(timesheet: Billing) -> None:
    """S3, S14: an hour and a half, and half an hour, at 100.00 EUR are 200.00 EUR."""
    client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
    entries = [await timesheet.log(client, 1.5), await timesheet.log(client, 0.5, day="2026-03-11")]
    result = await timesheet.bill(client)
    [invoice] = timesheet.invoices()
    assert (result.outcome, result.invoice_ids) == ("invoiced", [invoice["id"]])
    assert (invoice["amount"]["amount"], invoice["currency_code"], invoice["v3_status"]) == ("200.00", "EUR", "draft")
    assert [timesheet.entry(each)["billed"] for each in entries] == [True, True]


async def test_a_long_list_of_hours_is_read_until_nobody_new_turns_up(timesheet: Billing) -> None:
    """F31: while a list is read, another run marks hours, and the rest moves to pages that were read already."""
    clients = [await timesheet.firm.new_client(organization=name, currency_code="EUR") for name in ("A", "B")]
    first = [await timesheet.log(clients[0], day="2026-03-02", service_id=None) for _ in range(3)]
    later = [await timesheet.log(clients[1], day="2026-03-03", service_id=None) for _ in range(99)]
    request = BillingRunRequest(connection=timesheet.firm.name, until=date(2026, 4, 1))
    run = await timesheet.office.temporal.execute_workflow(
        BillingRun.run, request, id=f"long-list-{timesheet.firm.name}", task_queue=WORKFLOW_QUEUE
    )
    assert (run.clients, run.listed) == (sorted(clients), len(first) + len(later))
    assert timesheet.firm.calls("GET", "/time_entries") >= 4  # two pages, twice
    for client in clients:
        timesheet.expect(client)
        await timesheet.hold(client, "rejected")


async def test_the_audit_log_says_which_hours_an_invoice_holds(timesheet: Billing) -> None:
    """S37: the books do not know it."""
    client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
    entries = [await timesheet.log(client), await timesheet.log(client)]
    invoice_id = (await timesheet.bill(client)).invoice_ids[0]
    lines = await timesheet.firm.store.audit.latest(50)
    [line] = [each for each in lines if (each.flow, each.books_id) == ("bills", str(invoice_id))]
    written = await timesheet.firm.store.audit.values(line)
    assert written is not None
    assert written.after["time entries"] == ", ".join(map(str, sorted(entries)))


async def test_billing_again_bills_nothing_twice(timesheet: Billing) -> None:
    """S47, F31."""
    client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
    await timesheet.log(client)
    await timesheet.bill(client)
    assert (await timesheet.bill(client)).outcome == "nothing-to-bill"
    assert len(timesheet.invoices()) == 1


async def test_an_entry_whose_tick_was_taken_away_by_hand_is_not_billed_again(timesheet: Billing) -> None:
    """F31: an invoice has it; what a person means by that, an invoice of their own can say."""
    client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
    entry = await timesheet.log(client)
    await timesheet.bill(client)
    await timesheet.change(entry, billed=False)
    assert (await timesheet.bill(client)).outcome == "nothing-to-bill"
    assert len(timesheet.invoices()) == 1


async def test_an_invoice_whose_answer_is_lost_is_found_and_not_made_twice(timesheet: Billing) -> None:
    """F1, F2, S47."""
    client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
    entry = await timesheet.log(client)
    timesheet.firm.books_fault(fault="commit_then_cut", times=1, **CREATE)
    result = await timesheet.bill(client)
    assert (result.outcome, len(timesheet.invoices())) == ("invoiced", 1)
    assert timesheet.entry(entry)["billed"] is True


async def test_a_mark_whose_answer_is_lost_is_set_once_more(timesheet: Billing) -> None:
    """F1."""
    client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
    entry = await timesheet.log(client)
    timesheet.firm.books_fault(fault="commit_then_cut", times=1, method="PUT", path="/time_entries/")
    assert (await timesheet.bill(client)).outcome == "invoiced"
    assert timesheet.entry(entry)["billed"] is True
    assert len(timesheet.invoices()) == 1


async def test_an_hour_that_is_changed_while_its_invoice_is_made_waits_for_a_person(timesheet: Billing) -> None:
    """F31: FreshBooks takes a second to make the invoice, and meanwhile somebody corrects the hours."""
    client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
    entry = await timesheet.log(client)
    timesheet.firm.books_fault(fault="latency", seconds=1.0, times=1, **CREATE)
    await timesheet.announce(client)
    await timesheet.office.called("POST", "/invoices/invoices", 1)
    await timesheet.change(entry, duration=7200)
    await timesheet.hold(client, "conflict")
    assert timesheet.entry(entry)["billed"] is False
    await timesheet.resolve(client, "approve")
    assert (await timesheet.outcome(client)).outcome == "invoiced"
    assert (timesheet.entry(entry)["billed"], len(timesheet.invoices())) == (True, 1)


async def test_a_number_that_somebody_else_has_taken_waits_for_a_person(timesheet: Billing) -> None:
    """F3: the first bill would be H-1-1."""
    client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
    taken = await timesheet.invoice(client, "H-1-1", "by hand")
    await timesheet.log(client)
    await timesheet.announce(client)
    await timesheet.hold(client, "duplicate-found")
    assert len(timesheet.invoices()) == 1
    await timesheet.change_record("invoice", taken, invoice_number="2026-17")
    await timesheet.resolve(client, "retry")
    assert (await timesheet.outcome(client)).outcome == "invoiced"
    assert [each["invoice_number"] for each in timesheet.invoices()] == ["2026-17", "H-1-1"]


async def test_hours_that_wait_are_looked_at_anew_when_they_are_wanted_again(timesheet: Billing) -> None:
    """F29: the missing price was set; nobody has to decide anything."""
    client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
    entry = await timesheet.log(client, service_id=None)
    await timesheet.announce(client)
    await timesheet.hold(client, "rejected")
    await timesheet.change(entry, service_id=timesheet.service_id)
    assert (await timesheet.bill(client)).outcome == "invoiced"


async def test_the_last_hour_of_the_month_in_berlin_is_of_the_month(timesheet: Billing) -> None:
    """F32: 23:30 of the thirty-first there is 21:30 in London; half an hour after midnight is April."""
    client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
    march = await timesheet.log(client, started_at="2026-03-31T21:30:00Z")
    april = await timesheet.log(client, started_at="2026-03-31T22:30:00Z")
    await timesheet.bill(client)
    assert [timesheet.entry(each)["billed"] for each in (march, april)] == [True, False]


async def test_an_entry_without_a_price_holds_the_whole_invoice_until_it_has_one(timesheet: Billing) -> None:
    """F29: an invoice without it would look complete."""
    client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
    await timesheet.log(client)
    nameless = await timesheet.log(client, service_id=None)
    await timesheet.announce(client)
    held = await timesheet.hold(client, "rejected")
    assert timesheet.invoices() == []
    await timesheet.change(nameless, service_id=timesheet.service_id)
    await timesheet.resolve(client, "retry")
    assert (await timesheet.outcome(client)).outcome == "invoiced"
    assert held.record_id == str(client)
    [invoice] = timesheet.invoices()
    assert invoice["amount"]["amount"] == "300.00"


async def test_an_invoice_above_the_limit_waits_and_a_changed_hour_voids_the_approval(open_with: OpenTimesheet) -> None:
    """S45, Z56: what was approved is this very invoice."""
    async with open_with(approvals={"above": {"EUR": "100.00"}}) as timesheet:
        client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
        entry = await timesheet.log(client)
        await timesheet.announce(client)
        await timesheet.hold(client, "approval")
        await timesheet.change(entry, duration=7200)
        await timesheet.resolve(client, "approve")
        await timesheet.hold(client, "approval")
        assert timesheet.invoices() == []
        await timesheet.resolve(client, "approve")
        assert (await timesheet.outcome(client)).outcome == "invoiced"
        assert timesheet.invoices()[0]["amount"]["amount"] == "200.00"


async def test_a_rejected_invoice_is_not_made_and_its_hours_stay_open(open_with: OpenTimesheet) -> None:
    """S45."""
    async with open_with(approvals={"first_invoice": True}) as timesheet:
        client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
        entry = await timesheet.log(client)
        await timesheet.announce(client)
        await timesheet.hold(client, "approval")
        await timesheet.resolve(client, "reject")
        assert (await timesheet.outcome(client)).outcome == "rejected"
        assert (timesheet.invoices(), timesheet.entry(entry)["billed"]) == ([], False)


async def test_a_final_invoice_counts_once_its_hours_are_billed(open_with: OpenTimesheet) -> None:
    """S14."""
    async with open_with(invoice="final", taxes=[{"name": "VAT", "percent": "15"}]) as timesheet:
        client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
        await timesheet.log(client)
        await timesheet.bill(client)
        [invoice] = timesheet.invoices()
        assert (invoice["amount"]["amount"], invoice["v3_status"]) == ("172.50", "sent")


async def test_a_client_in_yen_is_billed_at_a_rate_of_its_own(open_with: OpenTimesheet) -> None:
    """F26: FreshBooks' rates are in EUR here, and nothing converts."""
    async with open_with() as timesheet:
        client = await timesheet.firm.new_client(organization="Hoshi KK", currency_code="JPY")
        await timesheet.log(client)
        await timesheet.announce(client)
        await timesheet.hold(client, "rejected")
        assert timesheet.invoices() == []


async def test_days_between_two_runs_are_not_billed_because_both_are_wanted_at_once(timesheet: Billing) -> None:
    """F31: March is asked for by hand and October by the schedule; nobody asked for May."""
    client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
    days = ("2026-03-10", "2026-05-10", "2026-10-10")
    march, may, october = [await timesheet.log(client, day=day) for day in days]
    await timesheet.change(march, service_id=None)
    await timesheet.announce(client)
    await timesheet.hold(client, "rejected")
    await timesheet.change(march, service_id=timesheet.service_id)
    wish = BillingWish(first=date(2026, 10, 1), until=date(2026, 11, 1), cause="schedule")
    await timesheet.office.announcer.billing_wanted(timesheet.firm.name, client, wish)
    await timesheet.outcome(client)
    assert [timesheet.entry(each)["billed"] for each in (march, may, october)] == [True, False, True]


@pytest.mark.parametrize("again", ["retry", "a new wish"])
async def test_a_total_that_nobody_accepted_is_asked_about_again(open_with: OpenTimesheet, again: str) -> None:
    """F25: FreshBooks rounded otherwise than predicted; the invoice is neither sent nor its hours marked for it."""
    async with open_with(invoice="final", taxes=[{"name": "VAT", "percent": "19.999"}]) as timesheet:
        knobs = {"rounding": "down"}  # 33.39833 EUR of tax
        (await timesheet.firm.http.post(f"{FRESHBOOKS}/_sandbox/settings", json=knobs)).raise_for_status()
        client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
        entry = await timesheet.log(client, 1.67)
        await timesheet.announce(client)
        await timesheet.hold(client, "money-mismatch")
        if again == "retry":
            await timesheet.resolve(client, "retry")
        else:
            await timesheet.announce(client)
        await asyncio.sleep(1)
        await timesheet.hold(client, "money-mismatch")
        [invoice] = timesheet.invoices()
        assert (invoice["v3_status"], timesheet.entry(entry)["billed"]) == ("draft", False)
        await timesheet.resolve(client, "approve")
        assert (await timesheet.outcome(client)).outcome == "invoiced"
        assert (timesheet.invoices()[0]["v3_status"], timesheet.entry(entry)["billed"]) == ("sent", True)


async def test_hours_whose_invoice_was_deleted_are_billed_with_the_next_run(timesheet: Billing) -> None:
    """F31: the first invoice is gone; one entry was corrected meanwhile, and the mark that it has stays."""
    client = await timesheet.firm.new_client(organization="Quist AB", currency_code="EUR")
    entries = [await timesheet.log(client), await timesheet.log(client, day="2026-03-11")]
    [first] = (await timesheet.bill(client)).invoice_ids
    await timesheet.change_record("invoice", first, vis_state=1)
    await timesheet.change(entries[1], duration=7200)
    request = BillingRunRequest(connection=timesheet.firm.name, until=date(2026, 4, 1))
    start = partial(timesheet.office.temporal.execute_workflow, BillingRun.run, request, task_queue=WORKFLOW_QUEUE)
    run = await start(id=f"after-deletion-{timesheet.firm.name}")
    second = await timesheet.outcome(client)
    assert (run.clients, second.outcome) == ([client], "invoiced")
    found = {each["id"]: each for each in timesheet.invoices()}
    assert [each["vis_state"] for each in found.values()] == [1, 0]
    assert found[second.invoice_ids[0]]["amount"]["amount"] == "150.00"
    assert [timesheet.entry(each)["billed"] for each in entries] == [True, True]
    assert (await start(id=f"once-more-{timesheet.firm.name}")).clients == []
