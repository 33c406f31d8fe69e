"""What one connection needs for its billing reports: the reading of FreshBooks, and the reckoning."""

from collections.abc import Callable
from typing import Any

from activities.billing_report_books import ReportBooks
from activities.billing_reports import BillingReportActivities, BillingReportReading
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.documents import FreshBooksDocuments
from connectors.freshbooks.hours import Hours
from connectors.freshbooks.payments import PaymentApi
from runtime.settings import Connection
from store.store import Store

Activities = list[Callable[..., Any]]


def report_readings(connection: Connection, freshbooks: FreshBooksApi) -> Activities:
    """Return what runs on the queue of FreshBooks; nothing where no hours are billed, for then there are no rights."""
    if connection.billing is None:
        return []
    account = freshbooks.account
    books = ReportBooks(freshbooks, FreshBooksDocuments(account).invoices, PaymentApi(account), Hours(freshbooks))
    reading = BillingReportReading(books, connection.billing.time_zone)
    return [
        reading.report_place,
        reading.read_report_entries,
        reading.read_report_invoices,
        reading.read_report_payments,
        reading.read_report_projects,
        reading.read_report_services,
        reading.read_report_people,
        reading.read_report_client,
    ]


def report_steps(store: Store) -> Activities:
    """Return the local steps of all reports."""
    steps = BillingReportActivities(store)
    return [steps.bills_of, steps.make_billing_report]
