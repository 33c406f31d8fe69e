"""A firm whose people log their time in FreshBooks, and what Ledgerline bills of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle

from runtime.billing import BillingFlow
from starters.announce import billing_id
from store.holds import OpenHold
from store.store import Store
from tests.attended import attended
from tests.sandboxes import FRESHBOOKS, NUMBERS, Firm, open_firm
from tests.workflows.office import PATIENCE, Office, until
from workflows.billing import TimeEntriesToInvoice
from workflows.billing_models import BillingResult, BillingWish
from workflows.models import Resolution

BUSINESS = 880001
MARCH_ENDS = date(2026, 3, 31)
OURSELVES = 7001  # whom the token belongs to


class Timesheet:
    """The time entries of one firm: a service at 100.00 EUR an hour, and whatever a test logs."""

    def __init__(self, firm: Firm, service_id: int) -> None:
        self.firm, self.service_id = firm, service_id

    async def log(self, client_id: int | None, hours: float = 1.5, day: str = "2026-03-10", **fields: Any) -> int:
        """Log time as a person does, nine o'clock in Berlin, and return the entry's id."""
        draft = {
            "is_logged": True,
            "started_at": f"{day}T08:00:00Z",
            "duration": int(hours * 3600),
            "client_id": client_id,
            "service_id": self.service_id,
            "billable": True,
            **fields,
        }
        answer = await self.firm.http.post(
            f"{FRESHBOOKS}/timetracking/business/{BUSINESS}/time_entries",
            json={"time_entry": draft},
            headers=self._token(),
        )
        return int(answer.raise_for_status().json()["time_entry"]["id"])

    def entry(self, entry_id: int) -> dict[str, Any]:
        """Return what FreshBooks has of an entry."""
        return dict(self.firm.sandbox.freshbooks_service.records.tables["time_entry"][entry_id])

    async def change(self, entry_id: int, **fields: Any) -> None:
        """Change an entry in FreshBooks by hand."""
        await self.change_record("time_entry", entry_id, **fields)

    async def change_record(self, kind: str, record_id: int, **fields: Any) -> None:
        """Change something in FreshBooks by hand."""
        url = f"{FRESHBOOKS}/_sandbox/records/{kind}"
        (await self.firm.http.put(url, json={"id": record_id, **fields})).raise_for_status()

    async def invoice(self, client_id: int, number: str, po_number: str) -> int:
        """Make an invoice as a person does, and return its id."""
        draft = {"customerid": client_id, "create_date": "2026-04-01", "invoice_number": number, "po_number": po_number}
        url = f"{FRESHBOOKS}/accounting/account/{self.firm.connection.freshbooks.account_id}/invoices/invoices"
        answer = await self.firm.http.post(url, json={"invoice": draft}, headers=self._token())
        return int(answer.raise_for_status().json()["response"]["result"]["invoice"]["id"])

    async def delete(self, entry_id: int) -> None:
        """Delete an entry in FreshBooks."""
        (await self.firm.http.delete(f"{FRESHBOOKS}/_sandbox/records/time_entry/{entry_id}")).raise_for_status()

    def invoices(self) -> list[dict[str, Any]]:
        """Return every invoice that FreshBooks holds, oldest first."""
        return list(self.firm.sandbox.freshbooks_service.records.all("invoice"))

    async def new_project(self, client_id: int, **fields: Any) -> int:
        """Open a project of a client, and return its id."""
        draft = {"title": "Website", "description": None, "client_id": client_id, **fields}
        url = f"{FRESHBOOKS}/projects/business/{BUSINESS}/project"
        answer = await self.firm.http.post(url, json={"project": draft}, headers=self._token())
        return int(answer.raise_for_status().json()["project"]["id"])

    def _token(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.firm.connection.freshbooks.token.get_secret_value()}"}


class Billing(Timesheet):
    """A firm whose hours are billed by its workers."""

    def __init__(self, office: Office, service_id: int) -> None:
        super().__init__(office.firm, service_id)
        self.office = office
        self._begun: set[str] = set()

    async def announce(self, client_id: int, until: date = MARCH_ENDS) -> None:
        """Ask for the hours of a client to be billed up to a day, itself included."""
        self._begun.add(billing_id(self.firm.name, client_id))
        wish = BillingWish(until=until + timedelta(days=1), cause="a test", priority=1)
        await self.office.announcer.billing_wanted(self.firm.name, client_id, wish)

    def expect(self, client_id: int) -> None:
        """Take note that a run has a client's hours billed."""
        self._begun.add(billing_id(self.firm.name, client_id))

    async def bill(self, client_id: int, until: date = MARCH_ENDS) -> BillingResult:
        """Bill the hours of a client, and wait for the end."""
        await self.announce(client_id, until)
        return await self.outcome(client_id)

    async def outcome(self, client_id: int) -> BillingResult:
        """Wait until nothing is pending, and return how it ended."""
        return await asyncio.wait_for(self.workflow(client_id).result(), PATIENCE)

    def workflow(self, client_id: int) -> "WorkflowHandle[TimeEntriesToInvoice, BillingResult]":
        """Return the latest run of a client's billing."""
        workflow_id = billing_id(self.firm.name, client_id)
        return self.office.temporal.get_workflow_handle(workflow_id, result_type=BillingResult)

    async def hold(self, client_id: int, reason: str) -> OpenHold:
        """Return the hold of a client's hours, once a person is waited for with this reason."""

        async def listed() -> OpenHold | None:
            wanted = ("hours", str(client_id), reason)
            found = await self.firm.store.holds.listed()
            return next((each for each in found if (each.flow, each.record_id, each.reason) == wanted), None)

        found: OpenHold = await until(listed)
        return found

    async def resolve(self, client_id: int, choice: str) -> None:
        """Decide a hold, as a person does."""
        decided = Resolution.model_validate({"choice": choice})
        await self.workflow(client_id).execute_update("resolve", decided, result_type=str)

    async def close(self) -> None:
        """End what still runs."""
        self.office._begun |= self._begun
        await self.office.close()


def bills_hours(firm: Firm, **flow: Any) -> None:
    """Let a firm bill its hours from now on, by the month of Berlin, at rates in EUR."""
    said = {"rates_currency": "EUR", "time_zone": "Europe/Berlin", **flow}
    connection = firm.connection.model_copy(update={"billing": BillingFlow.model_validate(said)})
    firm.settings = firm.settings.model_copy(update={"connections": {firm.name: connection}})
    firm.__post_init__()


@asynccontextmanager
async def open_timesheet(temporal: Client, store: Store, data: Path, **flow: Any) -> AsyncIterator[Billing]:
    """Give a firm that bills its hours; run its workers."""
    async with open_firm(store, data, f"firm-{next(NUMBERS)}") as firm:
        bills_hours(firm, **flow)
        timesheet = Billing(Office(temporal, firm), await make_service(firm))
        async with attended(timesheet.office):
            yield timesheet
        await timesheet.close()


async def make_service(firm: Firm, rate: str = "100.00") -> int:
    """Make a service with its rate, and return its id."""
    url = f"{FRESHBOOKS}/comments/business/{BUSINESS}/service"
    token = {"Authorization": f"Bearer {firm.connection.freshbooks.token.get_secret_value()}"}
    made = await firm.http.post(url, json={"service": {"name": "Advice"}}, headers=token)
    service_id = int(made.raise_for_status().json()["service"]["id"])
    rated = {"service_rate": {"rate": rate}}
    (await firm.http.post(f"{url}/{service_id}/rate", json=rated, headers=token)).raise_for_status()
    return service_id
