"""What the worker itself sees of a connection's CRM, for `ledgerline doctor`. Only reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from temporalio import activity

from activities.check_rules import CustomField, Pace, judge_clock, judge_fields, judge_quota, judge_reference_field
from activities.errors import temporal_errors
from activities.models import ConnectionName
from activities.sweep_models import Identity
from activities.watch_models import Findings
from connectors import capsule, zoho_crm
from connectors.capsule.api import CapsuleApi
from connectors.capsule.models import FieldDefinition
from connectors.oauth import Provider
from connectors.service_state import ServiceState
from connectors.zoho_crm.api import ZohoCrmApi
from connectors.zoho_crm.models import FieldDefinition as ZohoField
from mapping.engine import Template
from mapping.zoho_records import ACCOUNTS, CONTACTS

MOST_PAGES = 20  # nobody has thousands of custom fields; a list that never ends is a fault


@dataclass(frozen=True)
class NamedFields:
    """What names custom fields: the mapping, the one it was made of, and the field of our reference if we create."""

    template: Template
    shipped: Template
    reference_field: str | None


class CheckedCrm(Protocol):
    """What a check asks one CRM account. Every method raises the errors of `connectors.errors`."""

    provider: Provider

    async def whose(self) -> str:
        """Return the account behind the token, as its people know it."""

    async def service_state(self) -> ServiceState:
        """Return the CRM's clock and quota."""

    async def custom_fields(self) -> Sequence[CustomField]:
        """Return the custom fields of parties."""

    def carriers(self, reference_field: str) -> Sequence[str]:
        """Return the custom fields that there have to be for our reference, by the names of `custom_fields`."""


class CrmCheckActivities:
    """Asks one CRM account. The activities' names are those of old histories."""

    def __init__(self, crm: CheckedCrm, pace: Pace, named: NamedFields) -> None:
        self._crm, self._pace, self._named = crm, pace, named

    @activity.defn(name="identify_capsule")
    async def identify_crm(self, asked: ConnectionName) -> Identity:
        """Return the account behind the token. Only reads."""
        del asked
        with temporal_errors():
            return Identity(text=f"account {await self._crm.whose()}")

    @activity.defn(name="examine_capsule")
    async def examine_crm(self, asked: ConnectionName) -> Findings:
        """Compare clocks, and our pace with the quota. Only reads."""
        del asked
        with temporal_errors():
            began = datetime.now(UTC)
            state = await self._crm.service_state()
            return Findings(findings=[judge_quota(state, self._pace), judge_clock(state, began, datetime.now(UTC))])

    @activity.defn
    async def examine_custom_fields(self, asked: ConnectionName) -> Findings:
        """Compare the custom fields that the settings name with those that parties have. Only reads."""
        del asked
        with temporal_errors():
            named, known = self._named, await self._crm.custom_fields()
        findings = judge_fields(self._crm.provider.title, named.template, named.shipped, known)
        if named.reference_field is not None:
            wanted = self._crm.carriers(named.reference_field)
            findings.append(judge_reference_field(self._crm.provider, wanted, known))
        return Findings(findings=findings)


class CheckedCapsule:
    """Asks one Capsule account."""

    provider = capsule.PROVIDER

    def __init__(self, api: CapsuleApi) -> None:
        self._api = api

    async def whose(self) -> str:
        """Return the account's subdomain."""
        return str((await self._api.site()).subdomain)

    async def service_state(self) -> ServiceState:
        """Return Capsule's clock and quota."""
        return await self._api.service_state()

    async def custom_fields(self) -> Sequence[CustomField]:
        """Return the custom fields of people and organisations."""
        found: list[FieldDefinition] = []
        for page in range(1, MOST_PAGES + 1):
            listed = await self._api.party_field_definitions(page=page)
            found.extend(listed.items)
            if not listed.has_more:
                break
        return [_of_capsule(each) for each in found]

    def carriers(self, reference_field: str) -> Sequence[str]:
        """Return the field's name: both types of parties share it."""
        return [reference_field]


class CheckedZohoCrm:
    """Asks one Zoho CRM account."""

    provider = zoho_crm.PROVIDER

    def __init__(self, api: ZohoCrmApi) -> None:
        self._api = api

    async def whose(self) -> str:
        """Return the account's number."""
        org = await self._api.org()
        return org.zgid or org.id

    async def service_state(self) -> ServiceState:
        """Return Zoho's clock, and the credits that are left once half of them are used."""
        return await self._api.service_state()

    async def custom_fields(self) -> Sequence[CustomField]:
        """Return all fields of contacts and accounts: the mapping may name any of them."""
        return [
            _of_zoho(module, number, each)
            for module in (CONTACTS, ACCOUNTS)
            for number, each in enumerate(await self._api.fields(module), start=1)
        ]

    def carriers(self, reference_field: str) -> Sequence[str]:
        """Return the field of each module."""
        return [f"{module}.{reference_field}" for module in (CONTACTS, ACCOUNTS)]


def _of_capsule(field: FieldDefinition) -> CustomField:
    flaw = "is only for one type of party; make it one for both" if field.capture_rule else None
    return CustomField(field.id, field.name or "", field.type or "", flaw)


def _of_zoho(module: str, number: int, field: ZohoField) -> CustomField:
    flaw = None if field.unique else "is not unique, so a repeated create could double a record; mark it as unique"
    return CustomField(number, f"{module}.{field.api_name}", field.data_type or "", flaw)
