"""The reports of reconciliations: begun, compared, finished, and what they found handed to those who mend it."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol, cast

from temporalio import activity

from activities.differences import tell_all
from activities.errors import ByConnection
from activities.plan_items import Rules
from activities.queues import FRESHBOOKS
from activities.reconciliation_comparing import Comparer, Comparison
from activities.reconciliation_findings import Finder, Standing
from activities.reconciliation_models import (
    BOOKS,
    CRM,
    DELETED,
    Announced,
    BeginReport,
    Compared,
    CompareSides,
    EndReport,
    ReadAgain,
    Report,
)
from activities.reconciliation_watch import silent_ways
from activities.sides import CLIENTS_FLOW
from mapping.engine import Template
from store.reconciliation_models import Mismatch, ReportState, SideCount
from store.reconciliation_pieces import ListProgress, NewReport, Outcome
from store.records import RecordKey
from store.store import Store

# What was listed longer ago has changed too much to be compared with what is listed now.
RESUMED_WITHIN = timedelta(hours=6)
# So many records are looked at once more, a request each; if more changed, the next report tells of the rest.
MOST_LOOKED_AT = 100
ANNOUNCED_AT_ONCE = 100
REPAIR = 4


class RecordChanged(Protocol):
    """Tells the workflow of a record of either side that it may differ."""

    def __call__(self, key: RecordKey, cause: str, priority: int) -> Awaitable[None]:
        """Return once Temporal has accepted it."""


@dataclass(frozen=True)
class ReportRules:
    """How one connection's records are compared: by the mapping that its syncs follow.

    `sweeps` are how often each of its streams is read, `webhooks` whether its systems can tell us of changes.
    `versions` are those of the rules of other flows than clients: what was listed under other rules is listed anew.
    """

    crm: str
    template: Template
    sweeps: Mapping[str, timedelta] = field(default_factory=dict)
    webhooks: bool = False
    versions: Mapping[str, str] = field(default_factory=dict)


class ReportActivities:
    """The reports of all connections."""

    def __init__(self, store: Store, rules: Mapping[str, ReportRules], announce: RecordChanged) -> None:
        self._store, self._rules, self._announce = store, ByConnection(rules), announce

    @activity.defn
    async def begin_report(self, asked: BeginReport) -> Report:
        """Note that a comparison begins, or goes on, and return how far it has come. Safe to repeat."""
        rules = self._rules[asked.connection]
        version = rules.versions.get(asked.flow, rules.template.version)
        new = NewReport(asked.report_id, asked.connection, asked.flow, version)
        head = await self._store.reconciliations.begin(new, datetime.now(UTC) - RESUMED_WITHIN)
        progress = await self._store.reconciliations.progress(head.id)
        first = ListProgress()
        return Report(
            report_id=head.id,
            connection=head.connection,
            flow=head.flow,
            started_at=head.started_at,
            crm_page=progress.get(CRM, first).next_page,
            books_page=progress.get(BOOKS, first).next_page,
            deleted_page=progress.get(DELETED, first).next_page,
            webhooks=self._rules[asked.connection].webhooks,
            pages={name: each.next_page for name, each in progress.items()},
        )

    @activity.defn
    async def list_again(self, asked: ReadAgain) -> None:
        """Let lists be read again, because rows moved while they were read. Safe to repeat before they are."""
        name = asked.report.report_id
        await self._store.reconciliations.unstage(name, "crm", [str(each) for each in asked.gone_parties])
        await self._store.reconciliations.read_again(name, asked.listings)

    @activity.defn
    async def compare_sides(self, asked: CompareSides) -> Compared:
        """Compare what was listed, and finish the report unless records are to be looked at once more before.

        Safe to repeat: an earlier attempt is made anew. Takes a minute or more for a hundred thousand records.
        """
        report = asked.report
        head = await self._store.reconciliations.head(report.report_id)
        if head is None or head.state not in ("running", "paused"):
            await self._store.reconciliations.staging.clear(report.report_id)
            return Compared(mismatches=head.mismatches if head else 0)
        found = await self._compared(asked)
        if (found.edited_parties or found.edited_clients) and not asked.is_final:
            parties, clients = found.edited_parties[:MOST_LOOKED_AT], found.edited_clients[:MOST_LOOKED_AT]
            return Compared(parties=parties, clients=clients, is_finished=False)
        outcome = await self._outcome(report, found, is_complete=asked.is_complete)
        await self._store.reconciliations.finish(report.report_id, outcome, found.content_hash)
        await self._store.reconciliations.staging.clear(report.report_id)
        await self._store.reconciliations.forget_old(report.connection)
        return Compared(mismatches=sum(found.counts.values()), new_mismatches=found.new_mismatches)

    @activity.defn
    async def end_report(self, ended: EndReport) -> None:
        """Say why a report is not finished, and forget what was listed. Safe to repeat."""
        await self._store.reconciliations.end(ended.report.report_id, cast(ReportState, ended.state), ended.text)
        await self._store.reconciliations.staging.clear(ended.report.report_id)

    @activity.defn
    async def announce_repairs(self, report: Report) -> Announced:
        """Hand the next mismatches that a sync mends to the workflows of their records: these look for themselves.

        Safe to repeat: a record that is announced twice is found in step the second time.
        """
        found = await self._store.reconciliations.to_repair(report.report_id, ANNOUNCED_AT_ONCE)
        keys = {f"{each.number}": _key(report, each) for each in found}

        async def tell(number: str) -> None:
            await self._announce(keys[number], "reconciliation", REPAIR)

        await tell_all(list(keys), tell)
        await self._store.reconciliations.announced(report.report_id, [each.number for each in found])
        return Announced(count=len(found))

    async def _compared(self, asked: CompareSides) -> Comparison:
        """Compare, knowing of which records somebody is at work on."""
        report = asked.report
        facts, place = self._store.reconciliations.facts, (report.connection, CLIENTS_FLOW)

        def reference_of(party_id: int) -> str:
            return self._store.intents.reference(RecordKey(*place, str(party_id)))

        standing = Standing(await facts.held(*place), await facts.in_doubt(*place))
        mine = self._rules[report.connection]
        ways = await silent_ways(self._store, report, mine.sweeps, asked.missing_hooks)
        rules = Rules(report.connection, mine.template, self._store.keys.fingerprint, reference_of)
        finder = Finder(standing, report.started_at)
        return await Comparer(self._store, report, rules, finder, activity.heartbeat).compare(ways)

    async def _outcome(self, report: Report, found: Comparison, *, is_complete: bool) -> Outcome:
        progress = await self._store.reconciliations.progress(report.report_id)
        crm = SideCount(
            side="crm",
            system=self._rules[report.connection].crm,
            records=found.parties,
            pages=_pages(progress, [CRM]),
            is_complete=is_complete,
        )
        books = SideCount("books", FRESHBOOKS, found.clients, _pages(progress, [BOOKS, DELETED]), is_complete)
        return Outcome(
            sides=(crm, books),
            in_step=found.in_step,
            counts=found.counts,
            causes=found.causes,
            new_mismatches=found.new_mismatches,
        )


def _key(report: Report, found: Mismatch) -> RecordKey:
    """Return the record whose workflow looks at a mismatch: the party's, as long as there is one."""
    if found.crm_ids:
        return RecordKey(report.connection, report.flow, found.crm_ids[0])
    return RecordKey(report.connection, report.flow, found.books_ids[0], "books")


def _pages(progress: Mapping[str, ListProgress], listings: Sequence[str]) -> int:
    return sum(progress[each].pages for each in listings if each in progress)
