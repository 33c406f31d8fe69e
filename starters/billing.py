"""`ledgerline bill`: make invoices of the hours that are not billed yet, or show what they would be."""

import secrets
from datetime import date, timedelta

from rich.console import Console
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes

from runtime.errors import Stop
from runtime.load import load_settings
from runtime.queues import WORKFLOW_QUEUE
from runtime.settings import Settings
from runtime.temporal import connect
from starters.billing_views import print_preview
from workflows.billing_models import BillingRunRequest, BillingRunResult, Preview, PreviewRequest
from workflows.billing_runs import BillingPreview, BillingRun
from workflows.desk import HOURS
from workflows.search_attributes import CONNECTION, FLOW

PERSON = 1
CAUSE = "ledgerline bill"
PATIENCE = timedelta(minutes=30)


class CannotBill(Stop):
    """The connection bills no hours, or the day is none. The text says what to do."""


async def bill(connection: str | None, client_id: int | None, until: str | None, *, plan: bool) -> int:
    """Bill hours up to and including a day, of one client or of everybody; with `plan` only show what would be billed.

    Returns 0, or 1 if the preview shows something that a person has to decide or mend. Raises Stop.
    """
    settings, console = load_settings(), Console()
    name, end = chosen(settings, connection), day_after(until)
    temporal = await connect(settings)
    if plan:
        return print_preview(await preview(temporal, name, client_id, end), console)
    ran = await run_billing(temporal, name, client_id, end)
    if ran.until is None:
        console.print("no period has ended yet; to bill anyway, name the last day: --until 2026-03-31")
    else:
        last = ran.until - timedelta(days=1)
        console.print(f"hours of {len(ran.clients)} clients are being billed up to {last}", highlight=False)
        console.print("what waits for you: ledgerline holds list", highlight=False)
    return 0


async def preview(temporal: Client, connection: str, client_id: int | None, until: date | None) -> Preview:
    """Return what would be billed. Raises CannotBill."""
    request = PreviewRequest(connection=connection, until=until, client_id=client_id)
    try:
        return await temporal.execute_workflow(
            BillingPreview.run,
            request,
            id=_new_id("billing-preview", connection),
            task_queue=WORKFLOW_QUEUE,
            execution_timeout=PATIENCE,
            search_attributes=_attributes(connection),
            static_summary=f"what would be billed ({connection})",
            priority=Priority(priority_key=PERSON, fairness_key=connection),
        )
    except WorkflowFailureError as error:
        raise CannotBill(f"the preview could not be made: {error.cause}") from error


async def run_billing(temporal: Client, connection: str, client_id: int | None, until: date | None) -> BillingRunResult:
    """Let the hours be billed, and return of which clients. Raises CannotBill."""
    request = BillingRunRequest(connection=connection, until=until, cause=CAUSE, priority=PERSON, only_client=client_id)
    try:
        return await temporal.execute_workflow(
            BillingRun.run,
            request,
            id=_new_id("billing-run", connection),
            task_queue=WORKFLOW_QUEUE,
            execution_timeout=PATIENCE,
            search_attributes=_attributes(connection),
            static_summary=f"bill the hours ({connection})",
            priority=Priority(priority_key=PERSON, fairness_key=connection),
        )
    except WorkflowFailureError as error:
        raise CannotBill(f"the hours could not be billed: {error.cause}") from error


def _new_id(kind: str, connection: str) -> str:
    return f"{kind}/{connection}/{secrets.token_hex(3)}"


def _attributes(connection: str) -> TypedSearchAttributes:
    return TypedSearchAttributes([SearchAttributePair(CONNECTION, connection), SearchAttributePair(FLOW, HOURS)])


def chosen(settings: Settings, connection: str | None) -> str:
    """Return the connection whose hours are billed."""
    billing = [name for name, each in settings.connections.items() if each.billing is not None]
    if connection is not None and connection in billing:
        return connection
    if connection is not None:
        raise CannotBill(f"{connection} bills no hours: give it a section `billing` (docs/billing.md)")
    if len(billing) == 1:
        return billing[0]
    known = ", ".join(billing) or "none: give one a section `billing` (docs/billing.md)"
    raise CannotBill(f"name the connection with --connection. Those that bill hours: {known}")


def day_after(until: str | None) -> date | None:
    """Return the first day that is not billed."""
    if until is None:
        return None
    try:
        return date.fromisoformat(until) + timedelta(days=1)
    except ValueError:
        raise CannotBill(f"{until} is no day: write it as 2026-03-31") from None
