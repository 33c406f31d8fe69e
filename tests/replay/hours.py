"""Scenarios of a firm whose hours are billed."""

from datetime import date, timedelta
from typing import Any

from temporalio.client import WorkflowHandle

from runtime.queues import WORKFLOW_QUEUE
from tests.timesheets import Billing, make_service
from tests.workflows.office import Office
from workflows.billing_models import BillingRunRequest, PreviewRequest
from workflows.billing_reports import BillingReportRequest, MakeBillingReport
from workflows.billing_runs import BillingPreview, BillingRun

Handle = WorkflowHandle[Any, Any]
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


async def _worked(office: Office, hours: float = 1.5) -> tuple[Billing, int]:
    """Log time for a new client; return its id."""
    timesheet = Billing(office, await make_service(office.firm))
    client = await office.firm.new_client(organization="Quist AB", currency_code="EUR")
    await timesheet.log(client, hours)
    return timesheet, client


async def _run(office: Office) -> Handle:
    request = BillingRunRequest(connection=office.firm.name, until=APRIL)
    return await office.temporal.start_workflow(BillingRun.run, request, id="billing-run", task_queue=WORKFLOW_QUEUE)


async def hours_billed(office: Office) -> Handle:
    """Hours become a final invoice, and are marked; the answer to the create is lost."""
    timesheet, client = await _worked(office)
    office.firm.books_fault(fault="commit_then_cut", times=1, method="POST", path="/invoices/invoices$")
    await timesheet.bill(client)
    return timesheet.workflow(client)


async def hours_approved(office: Office) -> Handle:
    """Sixty hours wait for approval; one is added meanwhile, so they wait once more."""
    timesheet, client = await _worked(office, hours=23.0)
    await timesheet.log(client, hours=23.0)
    await timesheet.log(client, hours=23.0)
    await timesheet.announce(client)
    await timesheet.hold(client, "approval")
    await timesheet.log(client, hours=1.0)
    await timesheet.resolve(client, "approve")
    await timesheet.hold(client, "approval")
    await timesheet.resolve(client, "approve")
    await timesheet.outcome(client)
    return timesheet.workflow(client)


async def billing_run(office: Office) -> Handle:
    """Everybody's hours are billed up to a day."""
    timesheet, client = await _worked(office)
    await timesheet.announce(client)
    await timesheet.outcome(client)
    await timesheet.log(client)
    return await _run(office)


async def hours_freed(office: Office) -> Handle:
    """Somebody has deleted an invoice of hours: the next run bills them once more."""
    timesheet, client = await _worked(office)
    [invoice] = (await timesheet.bill(client)).invoice_ids
    await timesheet.change_record("invoice", invoice, vis_state=1)
    return await _run(office)


async def billing_preview(office: Office) -> Handle:
    """What would be billed is shown, of everybody."""
    await _worked(office)
    return await office.temporal.start_workflow(
        BillingPreview.run,
        PreviewRequest(connection=office.firm.name, until=APRIL),
        id="billing-preview",
        task_queue=WORKFLOW_QUEUE,
    )


async def billing_report(office: Office) -> Handle:
    """What was worked and billed in March is reported."""
    timesheet, client = await _worked(office)
    await timesheet.bill(client)
    return await office.temporal.start_workflow(
        MakeBillingReport.run,
        BillingReportRequest(connection=office.firm.name, first=MARCH, last=APRIL - timedelta(days=1)),
        id="billing-report",
        task_queue=WORKFLOW_QUEUE,
    )


HOURS = (hours_billed, hours_approved, billing_run, hours_freed, billing_preview, billing_report)
