"""A month as a bookkeeper knows it, from the hours in FreshBooks to the numbers of the report."""

from datetime import date
from pathlib import Path

from temporalio.client import Client

from starters.billing_report import made
from store.store import Store
from tests.sandboxes import FRESHBOOKS
from tests.timesheets import open_timesheet


async def test_what_was_billed_and_paid_in_a_month_is_in_its_report(
    temporal: Client, sqlite_store: Store, tmp_path: Path
) -> None:
    """Z96, S3: two hours at 100.00 billed, one not; 50.00 of the 200.00 paid."""
    async with open_timesheet(temporal, sqlite_store, tmp_path, invoice="final") as timesheet:
        firm = timesheet.firm
        client = await firm.new_client(organization="Quist AB", currency_code="EUR")
        billed = await timesheet.log(client, 2.0)
        invoice_id = (await timesheet.bill(client)).invoice_ids[0]
        await timesheet.log(client, 1.0, day="2026-03-12")
        url = f"{FRESHBOOKS}/accounting/account/{firm.connection.freshbooks.account_id}/payments/payments"
        today = timesheet.invoices()[0]["create_date"]
        payment = {"invoiceid": invoice_id, "amount": {"amount": "50.00", "code": "EUR"}, "date": today}
        token = {"Authorization": f"Bearer {firm.connection.freshbooks.token.get_secret_value()}"}
        paid = await firm.http.post(url, json={"payment": {**payment, "type": "Cash"}}, headers=token)
        paid.raise_for_status()
        report = await made(timesheet.office.temporal, firm.name, (date(2026, 3, 1), date.fromisoformat(today)))
    [sums] = report.sums
    assert (sums.currency, sums.invoiced, sums.received, sums.outstanding) == ("EUR", 20_000, 5_000, 15_000)
    assert {each.kind.value: each.seconds for each in report.hours} == {"billed": 7_200, "unbilled": 3_600}
    [invoice] = report.invoices
    assert (invoice.id, invoice.status, invoice.entry_ids) == (invoice_id, "partial", [billed])
    assert report.names.client == {client: "Quist AB"}
