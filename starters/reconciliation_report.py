"""A mismatch report as one object: what page, workbook and JSON are all made from, so that their numbers agree."""

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from runtime.errors import Stop
from starters.reconciliation_texts import to_do
from store.reconciliation_models import Mismatch, MismatchKind, Repair, ReportHead

AT_ONCE = 1_000
MOST_EARLIER = 60
"""So many reports before this one tell the trend: two months of daily ones."""
MOST_HEADS = 1_000
"""So many are looked through for them: an old report has many newer ones."""

OF_NO_RECORD: tuple[MismatchKind, ...] = ("stale-hook", "cursor-gap")


class NoSuchReport(Stop):
    """No report has that id. The text says where to look."""


class Reports(Protocol):
    """Where reports are kept."""

    async def heads(self, connection: str | None, flow: str | None, limit: int) -> list[ReportHead]:
        """Return reports, newest first."""

    async def head(self, report_id: str) -> ReportHead | None:
        """Return one report without its mismatches."""

    async def mismatches(
        self, report_id: str, *, offset: int = 0, limit: int = 100, kind: str | None = None
    ) -> list[Mismatch]:
        """Return mismatches by number."""


@dataclass(frozen=True)
class MismatchReport:
    """A report with all its mismatches, and the ended reports before it, newest first."""

    head: ReportHead
    mismatches: tuple[Mismatch, ...]
    earlier: tuple[ReportHead, ...] = ()

    @property
    def is_forgotten(self) -> bool:
        """Whether the store kept the numbers alone: what it said of the records was forgotten or erased."""
        of_records = [each for each in self.mismatches if each.kind not in OF_NO_RECORD]
        said = any(each.crm_ids or each.books_ids or each.name or each.drifts for each in of_records)
        return bool(of_records) and not said

    def of(self, kind: MismatchKind) -> tuple[Mismatch, ...]:
        """Return the mismatches of one kind."""
        return tuple(each for each in self.mismatches if each.kind == kind)

    def to_do(self, mismatch: Mismatch) -> str:
        """Return what is to be done about a mismatch of this report. All that syncs mend are handed over at once."""
        return to_do(mismatch, handed_over=self.head.repaired > 0)

    def repairs(self) -> Counter[Repair]:
        """Return how many mismatches are to be mended in each way."""
        return Counter(each.repair for each in self.mismatches)


async def gathered(reports: Reports, report_id: str) -> MismatchReport:
    """Return a report with everything that is kept of it. Raises NoSuchReport."""
    head = await reports.head(report_id)
    if head is None:
        raise NoSuchReport(f"there is no report {report_id}; `ledgerline reconcile --list` shows them")
    return MismatchReport(head, await _all(reports, report_id), await _before(reports, head))


async def _all(reports: Reports, report_id: str) -> tuple[Mismatch, ...]:
    found: list[Mismatch] = []
    while page := await reports.mismatches(report_id, offset=len(found), limit=AT_ONCE):
        found += page
    return tuple(found)


async def _before(reports: Reports, head: ReportHead) -> tuple[ReportHead, ...]:
    heads = await reports.heads(head.connection, head.flow, MOST_HEADS)
    return tuple(each for each in heads if each.state == "done" and each.started_at < head.started_at)[:MOST_EARLIER]
