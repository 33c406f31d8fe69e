"""The reports of opportunities and payments: compared, looked at once more where they differ, and finished."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from temporalio import activity

from activities.document_rules import FLOWS, DocumentRules
from activities.errors import ByConnection
from activities.queues import FRESHBOOKS
from activities.reconciliation_findings import Finder, Standing
from activities.reconciliation_models import LISTINGS, Compared, CompareSides, Report
from activities.reconciliation_money import Money, Sales, compare_cash
from activities.reconciliation_recording import Recorder
from mapping.payments import PaymentRules
from store.reconciliation_models import Mismatch, SideCount
from store.reconciliation_pieces import Outcome
from store.store import Store

OPPORTUNITIES = "opportunities"
# Each takes a request or two; what differs beyond them is told as it was listed.
MOST_LOOKED_AT = 100


@dataclass(frozen=True)
class MoneyRules:
    """How one connection's opportunities and payments are judged; None where that flow is not synced."""

    crm: str
    documents: DocumentRules | None = None
    payments: PaymentRules | None = None


class MoneyReportActivities:
    """The reports of all connections' opportunities and payments."""

    def __init__(self, store: Store, rules: Mapping[str, MoneyRules]) -> None:
        self._store, self._rules = store, ByConnection(rules)

    @activity.defn
    async def compare_money(self, asked: CompareSides) -> Compared:
        """Compare what was listed. What differs is to be looked at once more before the report is finished.

        Safe to repeat: an earlier attempt is made anew.
        """
        report, reports = asked.report, self._store.reconciliations
        head = await reports.head(report.report_id)
        if head is None or head.state not in ("running", "paused"):
            await reports.staging.clear(report.report_id)
            return Compared(mismatches=head.mismatches if head else 0)
        money = await self._compared(report)
        again = list(dict.fromkeys(each for one in money.found for each in _records(one)))
        if again and not asked.is_final:
            return Compared(records=again[:MOST_LOOKED_AT], is_finished=False)
        recorder = Recorder(self._store, report)
        await recorder.begin()
        await recorder.add(money.found)
        await self._finish(report, money, recorder)
        return Compared(mismatches=len(money.found), new_mismatches=recorder.new)

    async def _compared(self, report: Report) -> Money:
        rules, finder = self._rules[report.connection], await self._finder(report)
        if report.flow == OPPORTUNITIES and rules.documents is not None:
            return await Sales(self._store, report, rules.documents, finder, activity.heartbeat).compare()
        if rules.payments is not None:
            return await compare_cash(self._store, report, rules.payments, finder, activity.heartbeat)
        return Money()

    async def _finder(self, report: Report) -> Finder:
        """Return what names the differences, knowing of which records somebody is at work on."""
        facts, connection = self._store.reconciliations.facts, report.connection
        held = [each for ids in (await facts.held(connection, report.flow)).values() for each in ids]
        if report.flow != OPPORTUNITIES:
            return Finder(Standing(held={"books": frozenset(f"payment:{each}" for each in held)}), report.started_at)
        doubts = [await facts.in_doubt(connection, flow) for flow in FLOWS.values()]
        in_doubt = frozenset(each for sides in doubts for ids in sides.values() for each in ids)
        return Finder(Standing({"crm": frozenset(held)}, {"crm": in_doubt}), report.started_at)

    async def _finish(self, report: Report, money: Money, recorder: Recorder) -> None:
        reports = self._store.reconciliations
        progress = await reports.progress(report.report_id)
        pages = {name: progress[name].pages for name in LISTINGS[report.flow] if name in progress}
        books = SideCount(
            side="books",
            system=FRESHBOOKS,
            records=money.books_records,
            pages=sum(count for name, count in pages.items() if name != OPPORTUNITIES),
            is_complete=True,
        )
        crm = replace(
            books,
            side="crm",
            system=self._rules[report.connection].crm,
            records=money.crm_records,
            pages=pages.get(OPPORTUNITIES, 0),
        )
        sides = (crm, books) if report.flow == OPPORTUNITIES else (books,)
        totals = {"in_step": money.in_step, "crm": money.crm_records, "books": money.books_records}
        content_hash = recorder.closed(totals)
        outcome = Outcome(
            sides=sides,
            in_step=money.in_step,
            counts=dict(recorder.counts),
            causes=dict(recorder.causes),
            new_mismatches=recorder.new,
            sums=money.sums,
        )
        await reports.finish(report.report_id, outcome, content_hash)
        await reports.staging.clear(report.report_id)
        await reports.forget_old(report.connection)


def _records(found: Mismatch) -> Sequence[str]:
    """Return what is read again for a difference; what is held, or under way, is told as it was listed."""
    if found.cause not in ("unknown", "edited-after"):
        return ()
    if found.crm_ids:
        return (*found.crm_ids, *_documents(found.books_ids))
    return [each for each in found.books_ids if each.startswith("invoice:")]


def _documents(ids: Sequence[str]) -> list[str]:
    return [each for each in ids if ":" in each]
