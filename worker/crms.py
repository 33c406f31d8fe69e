"""What each CRM brings to its account's queue: its answers to a sync, its webhooks, and what a check asks it."""

from dataclasses import dataclass

import httpx

from activities.capsule_crm import CapsuleCrm
from activities.capsule_opportunities import CapsuleOpportunityCrm
from activities.check_rules import Pace
from activities.crm import Crm
from activities.crm_checks import CheckedCapsule, CheckedCrm, CheckedZohoCrm
from activities.crm_hooks import CapsuleHooks, ChannelKey, CrmHooks, ZohoChannels
from activities.opportunity_checks import CheckedCapsulePipelines, CheckedOpportunities, CheckedZohoPipelines
from activities.opportunity_crm import OpportunityCrm
from activities.queues import CAPSULE, ZOHO_CRM
from activities.zoho_crm import ZohoCrm
from activities.zoho_deals import ZohoDealCrm
from activities.zoho_leads import LeadRules
from connectors.capsule.api import CapsuleApi
from connectors.capsule.opportunities import CapsuleOpportunities
from connectors.http import TokenSource
from connectors.zoho_crm.api import ZohoCrmApi
from connectors.zoho_crm.deals import ZohoDeals
from mapping.engine import Template
from runtime.accounts import CapsuleAccount, ZohoCrmAccount
from runtime.keys import KeyRing
from runtime.settings import Connection, Settings
from worker.hook_readers import channel_keys, hook_url
from worker.opportunity_conditions import conditions
from worker.tokens import zoho_api_url


@dataclass(frozen=True)
class CrmParts:
    """One CRM account. There are no webhooks if providers cannot reach us."""

    crm: Crm
    opportunities: OpportunityCrm
    pipelines: CheckedOpportunities
    hooks: CrmHooks | None
    checked: CheckedCrm
    pace: Pace


@dataclass(frozen=True)
class CrmPlace:
    """Whose account it is, and how to reach it."""

    settings: Settings
    name: str
    http: httpx.AsyncClient
    token: TokenSource
    keys: KeyRing

    @property
    def connection(self) -> Connection:
        """The connection that the account belongs to."""
        return self.settings.connections[self.name]

    @property
    def opportunity_fields(self) -> list[str]:
        """The custom fields of opportunities that show an invoice or a project, say a line, or stand in a condition."""
        flow, projects = self.connection.opportunities, self.connection.projects
        shown = [*projects.fields.values()] if projects is not None else []
        if flow is None:
            return shown
        said = [name for each in flow.line_fields for name in (each.name, each.amount, each.quantity) if name]
        asked = sorted(conditions(flow).custom_fields)
        return list(dict.fromkeys([*flow.invoice_fields.values(), *said, *asked, *shown]))

    @property
    def hook_url(self) -> str | None:
        """Where the account's webhooks are to be sent."""
        return hook_url(self.settings, self.keys, self.connection.crm, self.name)


def crm_parts(place: CrmPlace, template: Template) -> CrmParts:
    """Return what a connection's CRM brings. A further CRM is a case here."""
    match place.connection.crm_account:
        case CapsuleAccount() as account:
            return _capsule(place, account)
        case ZohoCrmAccount() as account:
            return _zoho_crm(place, account, template)


def _capsule(place: CrmPlace, account: CapsuleAccount) -> CrmParts:
    api = CapsuleApi(place.http, place.token, account.base_url, place.connection.request_timeout)
    opportunities = CapsuleOpportunityCrm(api, CapsuleOpportunities(api.calls))
    return CrmParts(
        crm=CapsuleCrm(api, place.connection.reference_field),
        opportunities=opportunities,
        pipelines=CheckedCapsulePipelines(api, opportunities.milestones),
        hooks=CapsuleHooks(api, place.hook_url) if place.hook_url else None,
        checked=CheckedCapsule(api),
        pace=Pace(account.requests_per_hour, "an hour", f"{CAPSULE}.requests_per_hour"),
    )


def _zoho_crm(place: CrmPlace, account: ZohoCrmAccount, template: Template) -> CrmParts:
    api = ZohoCrmApi(place.http, place.token, zoho_api_url(account), place.connection.request_timeout)
    leads = LeadRules(account.leads == "convert", account.lead_source)
    keys = {event: ChannelKey(*key) for event, key in channel_keys(place.keys, place.name).items()}
    deals = ZohoDeals(api)
    opportunities = ZohoDealCrm(deals, place.opportunity_fields)
    return CrmParts(
        crm=ZohoCrm(api, template, place.connection.reference_field, leads),
        opportunities=opportunities,
        pipelines=CheckedZohoPipelines(deals, opportunities.milestones),
        hooks=ZohoChannels(api, place.hook_url, keys) if place.hook_url else None,
        checked=CheckedZohoCrm(api),
        pace=Pace(account.requests_per_minute, "a minute", f"{ZOHO_CRM}.requests_per_minute"),
    )
