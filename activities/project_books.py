"""What FreshBooks and our own bills say of a project: the hours logged, the budget, and the value billed.

Source: https://www.freshbooks.com/api/project, /api/time_entries
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from activities.billing_models import BillLine, BillPlan
from activities.project_models import ProjectFacts
from activities.queues import FRESHBOOKS
from connectors.errors import NotFound, Refused
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.documents import InvoiceApi
from connectors.freshbooks.hour_models import Project, TimeEntry
from connectors.freshbooks.hours import EntryFilter, Hours
from connectors.freshbooks.models import DELETED
from mapping.lines import DocumentLine
from mapping.money import Money, MoneyError
from mapping.rounding import DEFAULT_POLICY, RoundingPolicy
from mapping.totals import predict
from store.bills import Bill
from store.store import Store

MOST_PAGES = 2000


@dataclass(frozen=True)
class BilledRules:
    """Where the value billed comes from, and how the lines of our invoices were rounded."""

    source: Literal["bills", "freshbooks"] = "bills"
    rounding: RoundingPolicy = DEFAULT_POLICY


class ProjectBooks:
    """What is known of one account's projects. Only reads."""

    def __init__(
        self, hours: Hours, freshbooks: FreshBooksApi, invoices: InvoiceApi, store: Store, rules: BilledRules
    ) -> None:
        self._hours, self._freshbooks, self._invoices = hours, freshbooks, invoices
        self._store, self._rules = store, rules

    async def facts(self, connection: str, project: Project) -> ProjectFacts:
        """Return what is shown of a project. Time that was deleted counts no more; what was billed of it still does."""
        entries = await self._entries(project.id)
        if self._rules.source == "bills":
            billed = await self._billed(connection, project.id, {each.id: each.duration or 0 for each in entries})
        else:
            billed = await self._as_freshbooks_says(project)
        return ProjectFacts(
            seconds=sum(each.duration or 0 for each in entries if each.active is not False),
            budget_seconds=project.budget,
            billed=billed,
            fingerprint=self.fingerprint(project),
        )

    def fingerprint(self, project: Project) -> str:
        """Return what a project is known by when a list shows it again; the hours of it are not in there."""
        changed = project.updated_at.isoformat() if project.updated_at else None
        billed = str(project.billed_amount) if project.billed_amount is not None else None
        return self._store.links.fingerprint(
            {"changed": changed, "budget": project.budget, "billed": billed, "status": project.billed_status}
        )

    async def _entries(self, project_id: int) -> list[TimeEntry]:
        found: dict[int, TimeEntry] = {}
        for page in range(1, MOST_PAGES + 1):
            wanted = EntryFilter(project_id=project_id, include_deleted=True)
            listed = await self._hours.time_entries_page(wanted, page)
            found |= {each.id: each for each in listed.items}
            if not listed.has_more:
                return list(found.values())
        raise Refused(FRESHBOOKS, f"project {project_id} has more than {MOST_PAGES} pages of time: it seems not to end")

    async def _billed(self, connection: str, project_id: int, seconds: Mapping[int, int]) -> dict[str, str]:
        """Return what the lines of our invoices come to that stand for these entries, by currency, before tax."""
        sums: dict[str, Money] = {}
        for bill in await self._store.bills.of_entries(connection, sorted(seconds)):
            if not await self._counts(bill):
                continue
            plan = BillPlan.model_validate(bill.plan)
            for part in self._parts(plan, project_id, seconds):
                sums[plan.currency] = sums.get(plan.currency, Money(Decimal(0), plan.currency)) + part
        return {currency: each.format() for currency, each in sorted(sums.items())}

    async def _counts(self, bill: Bill) -> bool:
        """Return whether a bill has an invoice that nobody made void."""
        if bill.invoice_id is None:
            return False
        try:
            return (await self._invoices.get(bill.invoice_id)).vis_state != DELETED
        except NotFound:
            return False

    def _parts(self, plan: BillPlan, project_id: int, seconds: Mapping[int, int]) -> Sequence[Money]:
        ours = [(line, [seconds[each] for each in line.entry_ids if each in seconds]) for line in plan.lines]
        rounding = self._rules.rounding
        return [part_of_line(line, plan.currency, project_id, own, rounding) for line, own in ours if own]

    async def _as_freshbooks_says(self, project: Project) -> dict[str, str]:
        """Return FreshBooks' own sum. It names no currency: that of the client is taken."""
        if project.billed_amount is None or project.client_id is None:
            return {}
        currency = (await self._freshbooks.get_client(project.client_id)).currency_code
        try:
            return {currency: Money.parse(project.billed_amount, currency).format()} if currency else {}
        except MoneyError as error:
            text = f"the amount billed of project {project.id} is no money: {error}"
            raise Refused(FRESHBOOKS, text) from None


def part_of_line(
    billed: BillLine, currency: str, project_id: int, ours: Sequence[int], rounding: RoundingPolicy
) -> Money:
    """Return the project's part of a line. A line of several projects is shared out by the time that was logged.

    The parts of all projects are the line, to the minor unit, unless entries were moved or changed since.
    """
    line = billed.line
    unit_cost, quantity = Money.parse(line.unit_cost, currency), Decimal(line.quantity)
    net = predict([DocumentLine(line.name, unit_cost, quantity=quantity)], policy=rounding).net
    if len(ours) == len(billed.entry_ids):
        return net
    mine = min(sum(ours), billed.seconds)
    if mine and billed.projects.get(project_id) == mine:
        each_project = sorted(billed.projects)
        parts = net.split([Decimal(billed.projects[each]) for each in each_project])
        return parts[each_project.index(project_id)]
    if mine in {0, billed.seconds}:
        return net if mine else Money(Decimal(0), currency)
    return net.split([Decimal(mine), Decimal(billed.seconds - mine)])[0]
