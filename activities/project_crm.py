"""Projects: the requests of their sync to the CRM, each safe to repeat."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from temporalio import activity

from activities.differences import announce_new, difference
from activities.errors import temporal_errors
from activities.opportunity_crm import CrmOpportunity, OpportunityCrm
from activities.project_models import ProjectFacts, ProjectKey, ProjectShown, ProjectsPage, ShowProject, WonOpportunity
from activities.project_passes import PROJECTS_FLOW, ProjectRules, project_record
from activities.projects import AnnounceProject
from activities.sides import audit_entry
from activities.sweep_models import SweptPage
from connectors.errors import NotFound
from mapping.currencies import is_currency
from mapping.money import Money
from mapping.plan import FieldWrite
from mapping.values import tidy
from store.links import Agreement
from store.records import RecordKey
from store.store import Store

PROJECT_SHOWN = "from the FreshBooks project, by projects.fields"
"""How what is written to an opportunity was made, as the audit log says it."""
SECONDS_OF_AN_HOUR = 3600


class ProjectCrmActivities:
    """The opportunities of one account, as far as projects go."""

    def __init__(self, crm: OpportunityCrm, rules: ProjectRules, store: Store, announce: AnnounceProject) -> None:
        self._crm, self._rules, self._store, self._announce = crm, rules, store, announce

    @activity.defn
    async def read_won(self, key: ProjectKey) -> WonOpportunity:
        """Return what a project needs to know of its opportunity. Only reads."""
        with temporal_errors():
            try:
                found = await self._crm.read(key.opportunity_id)
            except NotFound:
                return WonOpportunity(exists=False)
            return WonOpportunity(
                exists=True,
                is_won=found.milestone.state == "won" and not found.problem,
                title=self._title(found),
                party_ids=list(found.party_ids),
            )

    @activity.defn
    async def show_project(self, told: ShowProject) -> ProjectShown:
        """Show hours, budget and value billed on the opportunity, where they differ. Safe to repeat: it sets values.

        An opportunity that was deleted shows nothing, and its project stays.
        """
        with temporal_errors():
            try:
                found = await self._crm.read(told.key.opportunity_id)
            except NotFound:
                return ProjectShown()
            said = shown(told.facts, found.currency)
            wanted = {name: said[fact] for fact, name in self._rules.fields.items()}
            different = {name: text for name, text in wanted.items() if _text(found, name) != text}
            if different:
                await self._crm.write_fields(found.id, different)
            await self._remember(told, {name: (_text(found, name) or None, text) for name, text in different.items()})
            return ProjectShown(written=sorted(different))

    @activity.defn
    async def sweep_won(self, page: ProjectsPage) -> SweptPage:
        """List one page of changed opportunities, and announce those that are won and have no project."""
        with temporal_errors():
            listed = await self._crm.listed(page.since, page.page)
            won = [each for each in listed.items if each.milestone.state == "won" and not each.problem]
            linked = await self._store.links.seen(page.connection, PROJECTS_FLOW, [str(each.id) for each in won])
            new = [each for each in won if str(each.id) not in linked] if self._rules.opens else []
            found = [difference(each.id, self._store.links, each.changed_at, "won") for each in new]

            async def tell(opportunity_id: str) -> None:
                await self._announce(RecordKey(page.connection, PROJECTS_FLOW, opportunity_id), "sweep", page.priority)

            stream = f"{self._crm.system}.{PROJECTS_FLOW}"
            announced = await announce_new(self._store.news, page.connection, stream, found, tell)
            return SweptPage(listed=len(listed.items), announced=announced, has_more=listed.has_more)

    def _title(self, found: CrmOpportunity) -> str:
        title = self._rules.title.replace("{id}", str(found.id)).replace("{name}", found.name)
        return tidy(title) or f"Opportunity {found.id}"

    async def _remember(self, told: ShowProject, written: Mapping[str, tuple[str | None, str]]) -> None:
        """Save what was seen, and what was written if anything was."""
        writes = [FieldWrite(field=name, before=was, after=now) for name, (was, now) in written.items()]
        request = f"PUT opportunity {told.key.opportunity_id}"
        entry = audit_entry("tell", told.cause, told.version, writes, side="crm", request=request)
        entry = replace(entry, rules={each.field: PROJECT_SHOWN for each in writes})
        agreed = Agreement(
            books_id=str(told.project_id),
            base={"seconds": told.facts.seconds, "budget": told.facts.budget_seconds, **told.facts.billed},
            crm_seen="",
            books_seen=told.facts.fingerprint,
            mapping_version=told.version,
        )
        await self._store.links.agree(project_record(told.key), agreed, audit=entry if writes else None)


def shown(facts: ProjectFacts, currency: str | None) -> dict[str, str]:
    """Return what custom fields show of a project, by what the settings call it. `currency` is the opportunity's."""
    nothing = str(Money(Decimal(0), currency)) if currency and is_currency(currency) else "0"
    return {
        "hours": _hours(facts.seconds),
        "budget": _hours(facts.budget_seconds) if facts.budget_seconds is not None else "",
        "billed": " + ".join(f"{amount} {code}" for code, amount in sorted(facts.billed.items())) or nothing,
    }


def _hours(seconds: int) -> str:
    """Return seconds as hours with two decimals, rounded once, half up: 5400 is "1.50"."""
    return f"{(Decimal(seconds) / SECONDS_OF_AN_HOUR).quantize(Decimal('0.01'), ROUND_HALF_UP):f}"


def _text(found: CrmOpportunity, name: str) -> str:
    said = found.fields.get(name)
    return "" if said is None else str(said)
