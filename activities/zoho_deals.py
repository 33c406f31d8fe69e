"""Zoho CRM's answers to what a sync of opportunities asks: they are its deals.

Source: https://www.zoho.com/crm/developer/docs/api/v8/modules-api.html
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

from activities.crm import Gone, GonePage
from activities.opportunity_crm import CrmOpportunity, Milestone
from activities.queues import ZOHO_CRM
from connectors.answers import Page
from connectors.errors import Refused
from connectors.zoho_crm.deal_models import Deal, Stage
from connectors.zoho_crm.deals import ZohoDeals, to_read

MOST_PAGES = 50
# Stages, fields and users change a few times a year; what a person has just changed is seen after this long.
LIVES = timedelta(minutes=5)
NOTE_TITLE = "Ledgerline"


CURRENCY = "Currency"  # a field that only accounts with several currencies have


class ZohoDealCrm:
    """The deals of one Zoho CRM account. `custom` are the API names of the fields that show an invoice."""

    system = ZOHO_CRM

    def __init__(self, deals: ZohoDeals, custom: Sequence[str] = ()) -> None:
        self._deals, self._custom = deals, list(custom)
        self._stages: Mapping[tuple[str, str], Stage] = {}
        self._emails: Mapping[str, str] = {}
        self._fields: Sequence[str] = ()
        self._home_currency: str | None = None
        self._until = 0.0

    async def read(self, opportunity_id: int) -> CrmOpportunity:
        """Return one deal in full. Raises NotFound."""
        await self._refresh()
        return self._opportunity(await self._deals.deal(str(opportunity_id)))

    async def listed(self, since: datetime | None, page: int) -> Page[CrmOpportunity]:
        """Return one page of those that changed since an instant, of all if there is none."""
        await self._refresh()
        found = await self._deals.changed_deals(since, page, self._fields)
        return Page([self._opportunity(each) for each in found.items], found.has_more)

    async def gone(self, since: datetime, page: int) -> GonePage:
        """Return one page of the deleted deals."""
        found = await self._deals.deleted_deals(since, page)
        return GonePage([Gone(int(each.id), each.deleted_time) for each in found.items], (), found.has_more)

    async def milestones(self) -> Sequence[Milestone]:
        """Return the stages of all pipelines."""
        await self._refresh()
        return [_milestone(each) for each in self._stages.values()]

    async def move(self, opportunity: CrmOpportunity, milestone: str) -> None:
        """Move it to a stage of its own pipeline."""
        for (pipeline, name), stage in self._stages.items():
            known = _milestone(stage)
            if known.pipeline == opportunity.milestone.pipeline and known.is_named(milestone):
                await self._deals.update_deal(str(opportunity.id), {"Stage": name, **_pipeline(pipeline)})
                return
        self._until = 0.0
        raise Refused(ZOHO_CRM, f"deal {opportunity.id} has no stage of the name in the settings to go to")

    async def write(self, opportunity: CrmOpportunity, name: str | None, amount: Decimal | None) -> None:
        """Write its name, or its amount in its own currency."""
        changes: dict[str, Any] = {"Deal_Name": name} if name is not None else {}
        if amount is not None:
            changes["Amount"] = amount
        if changes:
            await self._deals.update_deal(str(opportunity.id), changes)

    async def write_fields(self, opportunity_id: int, values: Mapping[str, str]) -> None:
        """Write custom fields by API name. Raises Refused for one that the account does not have."""
        await self._refresh()
        missing = sorted(values.keys() - set(self._fields))
        if missing:
            self._until = 0.0
            text = f"Zoho CRM has no field of deals with the API name {', '.join(missing)}"
            raise Refused(ZOHO_CRM, f"{text}: make it there or with `ledgerline connect zoho`, then retry")
        await self._deals.update_deal(str(opportunity_id), values)

    async def note(self, opportunity_id: int, marker: str, text: str) -> None:
        """Write a note unless one with the marker is there."""
        for page in range(1, MOST_PAGES + 1):
            found = await self._deals.notes(str(opportunity_id), page)
            if any(marker in (note.text or "") for note in found.items):
                return
            if not found.has_more:
                break
        await self._deals.add_note(str(opportunity_id), NOTE_TITLE, text)

    async def _refresh(self) -> None:
        if monotonic() < self._until:
            return
        stages, users = await self._deals.stages(), await self._deals.users()
        self._stages = {(each.pipeline, each.name): each for each in stages}
        self._emails = {user.id: user.email for user in users if user.email}
        self._fields = to_read(await self._deals.deal_fields(), self._custom)
        self._home_currency = None if CURRENCY in self._fields else await self._deals.home_currency()
        self._until = monotonic() + LIVES.total_seconds()

    def _opportunity(self, deal: Deal) -> CrmOpportunity:
        stage, problem = self._stage(deal), ""
        if stage is None:  # it must not stop the list that it stands in
            self._until = 0.0
            problem = f"deal {deal.id} is in a stage that no pipeline has: choose it again in Zoho CRM, then retry"
        parties = [each for each in (deal.contact, deal.account) if each is not None and each.id]
        owner = deal.owner
        return CrmOpportunity(
            id=int(deal.id),
            name=deal.name or f"deal {deal.id}",
            milestone=_milestone(stage) if stage else Milestone(deal.stage or "", deal.pipeline or "", "open", 0),
            problem=problem,
            party_ids=[int(each.id) for each in parties],
            amount=deal.amount,
            currency=deal.currency or self._home_currency,
            description=deal.description or "",
            expected_close=deal.closing_date,
            owner_email=(owner.email or self._emails.get(owner.id, "")) if owner else "",
            fields={name: deal.values.get(name) for name in self._custom},
            tags=[str(each["name"]) for each in deal.values.get("Tag") or () if each.get("name")],
            created_at=deal.created_at,
            changed_at=deal.modified_at,
        )

    def _stage(self, deal: Deal) -> Stage | None:
        """Return the stage of a deal; of one that does not say its pipeline, where only one has a stage of the name."""
        found = [stage for (_, name), stage in self._stages.items() if name == deal.stage]
        only = found[0] if len(found) == 1 else None
        return self._stages.get((deal.pipeline or "", deal.stage or "")) or only


def _milestone(stage: Stage) -> Milestone:
    return Milestone(name=stage.label, pipeline=stage.pipeline_label, state=stage.state, rank=stage.position)


def _pipeline(pipeline: str) -> dict[str, str]:
    return {"Pipeline": pipeline} if pipeline else {}
