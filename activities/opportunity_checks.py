"""What the worker sees of a connection's opportunities and documents, for `ledgerline doctor`. Only reads."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from pydantic import BaseModel
from temporalio import activity

from activities.document_sides import Staff
from activities.errors import temporal_errors
from activities.models import ConnectionName
from activities.opportunity_check_rules import (
    OpportunityNames,
    Owner,
    judge_invoice_fields,
    judge_milestones,
    judge_owners,
)
from activities.opportunity_crm import Milestone
from activities.watch_models import Finding, Findings
from connectors import capsule, zoho_crm
from connectors.capsule.api import CapsuleApi
from connectors.capsule.opportunities import CapsuleOpportunities
from connectors.errors import Forbidden
from connectors.freshbooks import DOCUMENT_SCOPES
from connectors.freshbooks.document_models import Estimate, Invoice
from connectors.freshbooks.documents import DocumentApi, FreshBooksDocuments
from connectors.oauth import Provider
from connectors.zoho_crm.deals import ZohoDeals

MOST_PAGES = 20
ACTIVE = "active"


class OwnersAsked(BaseModel):
    """The users of a connection's CRM, who are to be found among FreshBooks' staff. Holds personal data."""

    connection: str
    crm: str  # as people call it
    owners: list[Owner]


class Owners(BaseModel):
    """The users of a CRM. Holds personal data."""

    crm: str
    owners: list[Owner]


class CheckedOpportunities(Protocol):
    """What a check asks the pipelines of one CRM account. Every method raises the errors of `connectors.errors`."""

    provider: Provider

    async def owners(self) -> Sequence[Owner]:
        """Return the users who may own an opportunity, with their email addresses."""

    async def milestones(self) -> Sequence[Milestone]:
        """Return the milestones of all pipelines."""

    async def field_names(self) -> Sequence[str]:
        """Return the custom fields of opportunities, as the settings name them."""


class OpportunityCheckActivities:
    """Asks one CRM account. `names` are what the settings of its opportunities name."""

    def __init__(self, crm: CheckedOpportunities, names: OpportunityNames) -> None:
        self._crm, self._names = crm, names

    @activity.defn
    async def examine_opportunities(self, asked: ConnectionName) -> Findings:
        """Compare the milestones and custom fields that the settings name with those that there are. Only reads."""
        del asked
        with temporal_errors():
            milestones = await self._crm.milestones()
            fields = await self._crm.field_names() if self._names.invoice_fields else ()
        findings = judge_milestones(self._names, milestones)
        return Findings(findings=[*findings, *judge_invoice_fields(self._crm.provider, self._names, fields)])

    @activity.defn
    async def list_owners(self, asked: ConnectionName) -> Owners:
        """Return who may own an opportunity. Only reads."""
        del asked
        with temporal_errors():
            return Owners(crm=self._crm.provider.title, owners=list(await self._crm.owners()))


class DocumentCheckActivities:
    """Asks one FreshBooks account. `default_owner` is the address of whoever stands in for strangers."""

    def __init__(self, documents: FreshBooksDocuments, default_owner: str) -> None:
        self._documents, self._default_owner = documents, default_owner

    @activity.defn
    async def examine_documents(self, asked: ConnectionName) -> Findings:
        """Try whether the token may read estimates and invoices: of one in the settings nothing else tells."""
        del asked
        with temporal_errors():
            estimates, invoices = await _may(self._documents.estimates), await _may(self._documents.invoices)
        refused = ["estimates"] * (not estimates) + ["invoices"] * (not invoices)
        if not refused:
            return Findings(findings=[Finding(level="ok", text="documents: estimates and invoices can be read")])
        return Findings(findings=[_refusal(kind) for kind in refused])

    @activity.defn
    async def examine_owners(self, asked: OwnersAsked) -> Findings:
        """Say which users of the CRM are not staff of FreshBooks, and who stands in for them. Only reads."""
        emails: dict[int, str] = {}
        with temporal_errors():
            for page in range(1, MOST_PAGES + 1):
                listed = await self._documents.staff(page=page)
                emails |= {each.id: each.email.strip().casefold() for each in listed.items if each.email}
                if not listed.has_more:
                    break
        return Findings(findings=[judge_owners(asked.crm, asked.owners, Staff(emails), self._default_owner)])


class CheckedCapsulePipelines:
    """Asks one Capsule account."""

    provider = capsule.PROVIDER

    def __init__(self, api: CapsuleApi, milestones: Callable[[], Awaitable[Sequence[Milestone]]]) -> None:
        self._api, self._milestones, self._opportunities = api, milestones, CapsuleOpportunities(api.calls)

    async def owners(self) -> Sequence[Owner]:
        """Return the users with the email addresses of their own parties."""
        found = [each for each in await self._opportunities.users_with_email() if not each.user.deleted]
        return [
            Owner(id=str(each.user.id), email=next(iter(await self._emails(each.party_id, each.emails)), ""))
            for each in found
        ]

    async def milestones(self) -> Sequence[Milestone]:
        """Return the milestones of all pipelines."""
        return await self._milestones()

    async def field_names(self) -> Sequence[str]:
        """Return the names of the custom fields of opportunities."""
        names: list[str] = []
        for page in range(1, MOST_PAGES + 1):
            listed = await self._opportunities.opportunity_fields(page=page)
            names += [each.name for each in listed.items if each.name]
            if not listed.has_more:
                break
        return names

    async def _emails(self, party_id: int | None, told: Sequence[str] | None) -> Sequence[str]:
        """Return a user's addresses; where Capsule did not tell them at once, from the user's own party."""
        if told is not None or party_id is None:
            return told or ()
        return [row.address for row in (await self._api.get_party(party_id)).email_addresses if row.address]


class CheckedZohoPipelines:
    """Asks one Zoho CRM account."""

    provider = zoho_crm.PROVIDER

    def __init__(self, deals: ZohoDeals, milestones: Callable[[], Awaitable[Sequence[Milestone]]]) -> None:
        self._deals, self._milestones = deals, milestones

    async def owners(self) -> Sequence[Owner]:
        """Return the active users."""
        users = await self._deals.users()
        return [Owner(id=each.id, email=each.email or "") for each in users if each.status in {None, ACTIVE}]

    async def milestones(self) -> Sequence[Milestone]:
        """Return the stages of all pipelines."""
        return await self._milestones()

    async def field_names(self) -> Sequence[str]:
        """Return the API names of the fields of deals."""
        return [each.api_name for each in await self._deals.deal_fields()]


async def _may(documents: DocumentApi[Estimate] | DocumentApi[Invoice]) -> bool:
    try:
        await documents.list_page(page=1, per_page=1)
    except Forbidden:
        return False
    return True


def _refusal(kind: str) -> Finding:
    scopes = [each.name for each in DOCUMENT_SCOPES if kind in each.name]
    text = f"documents: this token may not read {kind}; it needs {' and '.join(scopes)}"
    advice = "connect again as somebody who may, with `ledgerline connect freshbooks`"
    return Finding(level="wrong", text=f"{text}; {advice}, or put such a token into the settings")
