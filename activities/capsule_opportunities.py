"""Capsule's answers to what a sync of opportunities asks.

Source: https://developer.capsulecrm.com/v2/operations/Opportunity
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

from activities.crm import FieldIds, Gone, GonePage
from activities.opportunity_crm import CrmOpportunity, Milestone
from activities.queues import CAPSULE
from connectors.answers import Page
from connectors.capsule.api import CapsuleApi
from connectors.capsule.opportunities import CapsuleOpportunities
from connectors.capsule.opportunity_models import Milestone as CapsuleMilestone
from connectors.capsule.opportunity_models import Opportunity, OpportunityValue
from connectors.capsule.opportunity_rules import FIXED, status_of, total_of
from connectors.errors import Refused

MOST_PAGES = 50
# Pipelines and users change a few times a year; what a person has just changed is seen after this long.
LIVES = timedelta(minutes=5)


class CapsuleOpportunityCrm:
    """The opportunities of one Capsule account."""

    system = CAPSULE

    def __init__(self, capsule: CapsuleApi, opportunities: CapsuleOpportunities) -> None:
        self._capsule, self._opportunities = capsule, opportunities
        self._field_ids = FieldIds(self._read_field_ids)
        self._table: Mapping[int, CapsuleMilestone] = {}
        self._emails: Mapping[int, str] = {}
        self._until = 0.0

    async def read(self, opportunity_id: int) -> CrmOpportunity:
        """Return one opportunity in full. Raises NotFound."""
        await self._refresh()
        return self._opportunity(await self._opportunities.opportunity(opportunity_id))

    async def listed(self, since: datetime | None, page: int) -> Page[CrmOpportunity]:
        """Return one page of those that changed since an instant, of all if there is none."""
        await self._refresh()
        found = await self._opportunities.changed_opportunities(since, page)
        return Page([self._opportunity(each) for each in found.items], found.has_more)

    async def gone(self, since: datetime, page: int) -> GonePage:
        """Return one page of the deletion log."""
        found = await self._opportunities.deleted_opportunities(since, page=page)
        return GonePage([Gone(each.id, each.deleted_at) for each in found.deleted], found.restricted, found.has_more)

    async def milestones(self) -> Sequence[Milestone]:
        """Return the milestones of all pipelines."""
        await self._refresh()
        return [_milestone(each, _state(each)) for each in self._table.values()]

    async def move(self, opportunity: CrmOpportunity, milestone: str) -> None:
        """Move it to a milestone of its own pipeline."""
        for each in self._table.values():
            known = _milestone(each, _state(each))
            if known.pipeline == opportunity.milestone.pipeline and known.is_named(milestone):
                await self._opportunities.update_opportunity(opportunity.id, {"milestone": {"id": each.id}})
                return
        self._until = 0.0
        raise Refused(CAPSULE, f"opportunity {opportunity.id} has no milestone of the name in the settings to go to")

    async def write(self, opportunity: CrmOpportunity, name: str | None, amount: Decimal | None) -> None:
        """Write its name, or its amount. Raises Refused where the amount is one for a unit of time."""
        changes: dict[str, Any] = {"name": name} if name is not None else {}
        if amount is not None:
            if opportunity.is_by_unit:
                text = f"the value of opportunity {opportunity.id} is per unit of time: change it in Capsule"
                raise Refused(CAPSULE, f"{text}, or put the estimate back, then retry")
            changes["value"] = {"amount": amount, "currency": opportunity.currency}
        if changes:
            await self._opportunities.update_opportunity(opportunity.id, changes)

    async def write_fields(self, opportunity_id: int, values: Mapping[str, str]) -> None:
        """Write custom fields by name. Raises Refused for one that the account does not have."""
        ids = await self._field_ids.now()
        if not values.keys() <= ids.keys():
            self._field_ids.forget()
            ids = await self._field_ids.now()
        missing = sorted(values.keys() - ids.keys())
        if missing:
            text = f"Capsule has no custom field of opportunities named {', '.join(missing)}"
            raise Refused(CAPSULE, f"{text}: make it there or with `ledgerline connect capsule`, then retry")
        fields = [{"definition": {"id": ids[name]}, "value": text} for name, text in values.items()]
        await self._opportunities.update_opportunity(opportunity_id, {"fields": fields})

    async def note(self, opportunity_id: int, marker: str, text: str) -> None:
        """Write a note unless one with the marker is there."""
        for page in range(1, MOST_PAGES + 1):
            found = await self._opportunities.notes(opportunity_id, page=page)
            if any(marker in (note.content or "") for note in found.items):
                return
            if not found.has_more:
                break
        await self._opportunities.add_note(opportunity_id, text)

    async def _refresh(self) -> None:
        if monotonic() < self._until:
            return
        table = await _all(lambda page: self._opportunities.milestones(page=page))
        self._table, self._emails = {each.id: each for each in table}, await self._read_emails()
        self._until = monotonic() + LIVES.total_seconds()

    async def _read_emails(self) -> Mapping[int, str]:
        """Return the first email address of each user; one that Capsule does not tell at once is read."""
        emails: dict[int, str] = {}
        for each in await self._opportunities.users_with_email():
            said = each.emails
            if said is None and each.party_id is not None:
                party = await self._capsule.get_party(each.party_id)
                said = tuple(row.address for row in party.email_addresses if row.address)
            if said:
                emails[each.user.id] = said[0]
        return emails

    async def _read_field_ids(self) -> Mapping[str, int]:
        found = await _all(lambda page: self._opportunities.opportunity_fields(page=page))
        return {each.name: each.id for each in sorted(found, key=lambda each: -each.id) if each.name}

    def _opportunity(self, said: Opportunity) -> CrmOpportunity:
        total, state, problem = OpportunityValue(), "open", ""
        try:  # one that cannot be read must not stop the list it stands in
            total, state = total_of(said), status_of(said, self._table)
        except Refused as error:
            problem = str(error)
        own = said.milestone or CapsuleMilestone(id=0)
        milestone = _milestone(self._table.get(own.id, own), state)
        fields = {row.definition.name: row.value for row in said.fields or () if row.definition and row.definition.name}
        return CrmOpportunity(
            id=said.id,
            name=said.name or f"opportunity {said.id}",
            milestone=milestone,
            party_ids=[said.party.id] if said.party else [],
            amount=total.amount,
            currency=total.currency,
            problem=problem,
            is_by_unit=(said.duration_basis or FIXED) != FIXED,
            description=said.description or "",
            expected_close=said.expected_close_on,
            owner_email=self._emails.get(said.owner.id, "") if said.owner else "",
            fields=fields,
            tags=[tag.name for tag in said.tags or () if tag.name],
            created_at=said.created_at,
            changed_at=said.updated_at,
        )


def _state(milestone: CapsuleMilestone) -> Any:
    if not milestone.complete:
        return "open"
    return "won" if milestone.probability == 100 else "lost"


def _milestone(said: CapsuleMilestone, state: Any) -> Milestone:
    pipeline = said.pipeline.name if said.pipeline else None
    return Milestone(name=said.name or str(said.id), pipeline=pipeline or "", state=state, rank=said.probability or 0)


async def _all(read: Callable[[int], Awaitable[Page[Any]]]) -> list[Any]:
    found: list[Any] = []
    for page in range(1, MOST_PAGES + 1):
        listed = await read(page)
        found.extend(listed.items)
        if not listed.has_more:
            break
    return found
