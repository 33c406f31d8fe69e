"""Reconciliations made without Temporal: both sides listed page by page, then compared."""

from datetime import UTC, datetime

from temporalio.testing import ActivityEnvironment

from activities.reconciliation_listing import ReconciledClients, ReconciledParties
from activities.reconciliation_models import BeginReport, ListPage, Report
from activities.reconciliation_models import CompareSides as Sides
from activities.reconciliations import ReportActivities
from store.reconciliation_models import Mismatch, ReportHead
from store.records import RecordKey
from tests.sandboxes import Firm
from worker.reconciliation_rules import report_rules


def steps(firm: Firm) -> ReportActivities:
    """Return the steps on our own store. Nobody is told of repairs."""
    return ReportActivities(firm.store, report_rules(firm.settings), _nobody)


async def begun(firm: Firm, report_id: str = "report-1") -> Report:
    """Begin a report."""
    return await ActivityEnvironment().run(
        steps(firm).begin_report, BeginReport(report_id=report_id, connection=firm.name)
    )


async def listed(firm: Firm, report: Report) -> None:
    """List both sides."""
    began = datetime.now(UTC)
    for activity, deleted in (
        (ReconciledParties.list_parties, False),
        (ReconciledClients.list_clients, False),
        (ReconciledClients.list_clients, True),
    ):
        page, has_more = 1, True
        while has_more:
            done = await firm.run(activity, ListPage(report=report, page=page, deleted=deleted, began=began))
            page, has_more = page + 1, done.has_more


async def compared(firm: Firm, report: Report) -> ReportHead:
    """Compare what was listed, finally."""
    await ActivityEnvironment().run(steps(firm).compare_sides, Sides(report=report, is_final=True))
    head = await firm.store.reconciliations.head(report.report_id)
    assert head is not None
    return head


async def reconciled(firm: Firm, report_id: str = "report-1") -> ReportHead:
    """Make a report."""
    report = await begun(firm, report_id)
    await listed(firm, report)
    return await compared(firm, report)


async def mismatches(firm: Firm, head: ReportHead) -> list[Mismatch]:
    """Return all that a report found."""
    return await firm.store.reconciliations.mismatches(head.id, limit=1000)


async def _nobody(key: RecordKey, cause: str, priority: int) -> None:
    raise AssertionError("nothing was to be announced")
