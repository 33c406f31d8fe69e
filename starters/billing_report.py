"""`ledgerline report billing`: what was worked, billed, invoiced and paid in a period, as a page and as a workbook."""

import os
import re
import secrets
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import FailureError
from temporalio.exceptions import TimeoutError as TimedOut

from runtime.errors import Stop
from runtime.load import load_settings
from runtime.queues import WORKFLOW_QUEUE
from runtime.settings import Settings
from runtime.temporal import connect
from starters.report_pages import Addresses, page
from starters.report_tables import tables
from starters.workbooks import workbook
from workflows.billing_reports import BillingReport, BillingReportRequest, MakeBillingReport
from workflows.search_attributes import CONNECTION, FLOW

FLOW_NAME = "time billing"
PERSON = 1
PATIENCE = timedelta(hours=2)


class CannotReport(Stop):
    """The connection or the days are none, or the report could not be made. The text says what to do."""


async def report_billing(
    connection: str | None,
    *,
    period: str | None,
    first: str | None,
    last: str | None,
    html: Path | None,
    xlsx: Path | None,
) -> int:
    """Make the report of a month (`2026-03`), of the days `first` to `last`, or of the last whole month. Returns 0.

    Raises Stop.
    """
    if html is None and xlsx is None:
        raise CannotReport("say where the report shall stand: --html FILE, --xlsx FILE, or both")
    settings, console = load_settings(), Console()
    name, days = chosen(settings, connection), days_of(period, first, last)
    report = await made(await connect(settings), name, days)
    write(report, settings.connections[name].reports.record_urls, html, xlsx)
    files = " and ".join(str(each) for each in (html, xlsx) if each is not None)
    console.print(f"the billing report of {report.first} to {report.last} is in {files}", highlight=False)
    console.print(
        "it holds personal data (names of clients and of people, and what they did): only you may read it; delete it "
        "when it has served",
        highlight=False,
    )
    if not report.is_over:
        console.print(f"the period is not over: its numbers are of {report.as_of}", highlight=False)
    for note in report.notes:
        console.print(f"note: {note}", highlight=False, markup=False)
    return 0


async def made(temporal: Client, connection: str, days: tuple[date, date] | None) -> BillingReport:
    """Have the report made, and return it; None is the last whole month. Raises CannotReport."""
    first, last = days or (None, None)
    request = BillingReportRequest(connection=connection, first=first, last=last)
    try:
        return await temporal.execute_workflow(
            MakeBillingReport.run,
            request,
            id=f"billing-report/{connection}/{secrets.token_hex(3)}",
            task_queue=WORKFLOW_QUEUE,
            execution_timeout=PATIENCE,
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(CONNECTION, connection), SearchAttributePair(FLOW, FLOW_NAME)]
            ),
            static_summary=f"billing report ({connection})",
            priority=Priority(priority_key=PERSON, fairness_key=connection),
        )
    except WorkflowFailureError as error:
        raise CannotReport(f"the report could not be made: {_why(error)}") from error


def write(report: BillingReport, record_urls: Mapping[str, str], html: Path | None, xlsx: Path | None) -> None:
    """Write the files that are asked for, readable by their owner alone. Raises CannotReport."""
    addresses = Addresses(record_urls)
    contents = []
    if html is not None:
        contents.append((html, page(report, addresses).encode()))
    if xlsx is not None:
        contents.append((xlsx, workbook(tables(report), report.decimals, addresses)))
    for path, content in contents:
        keep(path, content)


def days_of(period: str | None, first: str | None, last: str | None) -> tuple[date, date] | None:
    """Return the first and the last day that were asked for, None if none were. Raises CannotReport."""
    if period is not None and (first is not None or last is not None):
        raise CannotReport("name either a month with --period, or days with --from and --to")
    if period is not None:
        return _month(period)
    if first is None and last is None:
        return None
    if first is None or last is None:
        raise CannotReport("name both the first day and the last one: --from 2026-01-01 --to 2026-03-31")
    days = _day(first), _day(last)
    if days[1] < days[0]:
        raise CannotReport(f"the period ends on {days[1]}, before it begins: exchange --from and --to")
    return days


def chosen(settings: Settings, connection: str | None) -> str:
    """Return the connection of the report. Raises CannotReport if it is not in the settings, or not said."""
    known = ", ".join(settings.connections) or "none: make one with `ledgerline connect`"
    if connection is not None and connection not in settings.connections:
        raise CannotReport(f"there is no connection {connection}. Those in the settings: {known}")
    if connection is None and len(settings.connections) != 1:
        raise CannotReport(f"name the connection with --connection. Those in the settings: {known}")
    return connection or next(iter(settings.connections))


def keep(path: Path, content: bytes) -> None:
    """Write a file that nobody else may read, also if it was there before. Raises CannotReport."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(content)
    except OSError as error:
        raise CannotReport(f"{path} cannot be written: {error.strerror}") from error


def _month(text: str) -> tuple[date, date]:
    if not re.fullmatch(r"\d{4}-\d{2}", text):
        raise CannotReport(f"{text} is no month: write it as 2026-03")
    first = _day(f"{text}-01")
    in_next_month = first + timedelta(days=31)
    return first, in_next_month.replace(day=1) - timedelta(days=1)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CannotReport(f"{text} is no day: write it as 2026-03-31") from None


def _why(error: BaseException) -> str:
    """Return the text at the bottom of a failure: what FreshBooks said, or that time ran out."""
    cause: BaseException | None = error
    while isinstance(cause, WorkflowFailureError | FailureError) and cause.cause is not None:
        cause = cause.cause
    if isinstance(cause, TimedOut):
        return f"it was not done within {PATIENCE}; `ledgerline doctor` says whether a worker runs and may read"
    return cause.message if isinstance(cause, FailureError) else str(cause)
