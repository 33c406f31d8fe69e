"""Custom fields that we make in a CRM: for our reference on the records that we create, by which each is found again,
and for what the settings want to be shown of an invoice.
"""

from collections.abc import Sequence
from typing import Protocol

from activities.check_rules import TEXT, CustomField
from activities.crm_checks import CheckedCapsule, CheckedZohoCrm
from connectors import zoho_crm
from connectors.capsule.api import CapsuleApi
from connectors.capsule.opportunities import CapsuleOpportunities
from connectors.errors import ConnectorError, Forbidden, Refused, UnknownOutcome
from connectors.zoho_crm.api import ZohoCrmApi
from connectors.zoho_crm.deals import ZohoDeals
from runtime.accounts import CapsuleAccount, ZohoCrmAccount
from worker.session import Session
from worker.tokens import account_token, zoho_api_url

DESCRIPTION = "Set by Ledgerline on what it creates. Leave it as it is: it is how a record is found again."
SHOWS = "Set by Ledgerline: what FreshBooks says of the invoice."
# Longer than our references are; shorter than what Zoho allows a text field that is unique.
ZOHO_LENGTH = 120
MOST_PAGES = 50
REFERENCE_SETTING, INVOICE_SETTING = "clients.reference_field", "opportunities.invoice_fields"


class FieldMaker(Protocol):
    """Looks for our field in one account, and makes it."""

    by_hand: str
    """What a person makes who makes it."""
    setting: str
    """Which setting names it."""

    async def known(self) -> Sequence[CustomField]:
        """Return the custom fields that there are."""

    def wanted(self) -> Sequence[str]:
        """Return the fields that there have to be."""

    async def make(self, name: str) -> None:
        """Make one of them."""


async def ensure_fields(session: Session) -> None:
    """Make the text fields that a connection needs wherever they are missing, and say what came of it."""
    for maker in _makers(session):
        await _ensure(session, maker)


async def _ensure(session: Session, maker: FieldMaker) -> None:
    """Make what is missing of one kind of field. Nothing here undoes the connection."""
    say, title = session.screen.say, session.provider.title
    missing = list(maker.wanted())
    try:
        known = {each.name: each for each in await maker.known()}
        missing = [name for name in maker.wanted() if name not in known]
        for name in maker.wanted():
            if name in missing:
                await maker.make(name)
                missing.remove(name)
                say(f"{title}: made the custom field “{name}”.")
            elif known[name].type != TEXT:
                say(f"{title}: the custom field “{name}” is no text field; rename it, or set `{maker.setting}`.")
            elif known[name].flaw:
                say(f"{title}: the custom field “{name}” {known[name].flaw}.")
    except Forbidden:
        wish = f"have an administrator make {maker.by_hand} {_quoted(missing)}"
        say(f"{title}: this user may not make custom fields; {wish}.")
    except UnknownOutcome:
        say(f"{title} did not answer whether it made the custom field {_quoted(missing[:1])}: run this command again.")
    except ConnectorError as error:
        say(f"{error}. Run this command again, or make {maker.by_hand} {_quoted(missing)} by hand.")


def _quoted(names: Sequence[str]) -> str:
    return " and ".join(f"“{each}”" for each in names)


def _makers(session: Session) -> list[FieldMaker]:
    """Return who makes what: our reference only where records are made in the CRM, the others where they are named."""
    token = account_token(session.name, session.connection, session.system, session.http, session.store)
    connection, limit = session.connection, session.connection.request_timeout
    flow, projects = connection.opportunities, connection.projects
    named = [*(flow.invoice_fields.values() if flow else ()), *(projects.fields.values() if projects else ())]
    shown = list(dict.fromkeys(named))
    makers: list[FieldMaker] = []
    match connection.crm_account:
        case CapsuleAccount() as account:
            capsule = CapsuleApi(session.http, token, account.base_url, limit)
            makers = [_CapsuleFields(capsule, connection.reference_field), _CapsuleInvoiceFields(capsule, shown)]
        case ZohoCrmAccount() as account:
            zoho = ZohoCrmApi(session.http, token, zoho_api_url(account), limit)
            makers = [_ZohoFields(zoho, connection.reference_field), _ZohoInvoiceFields(zoho, shown)]
    reference, invoice = makers
    return [*([reference] if connection.clients.direction == "both" else []), *([invoice] if shown else [])]


class _CapsuleFields:
    by_hand, setting = "a text field", REFERENCE_SETTING

    def __init__(self, api: CapsuleApi, name: str) -> None:
        self._api, self._name, self._checked = api, name, CheckedCapsule(api)

    async def known(self) -> Sequence[CustomField]:
        return await self._checked.custom_fields()

    def wanted(self) -> Sequence[str]:
        return self._checked.carriers(self._name)

    async def make(self, name: str) -> None:
        await self._api.create_party_field_definition(name, DESCRIPTION)


class _ZohoFields:
    """Zoho gives a new field an API name made of its label, with underscores for spaces."""

    by_hand, setting = "a single-line field without duplicate values", REFERENCE_SETTING

    def __init__(self, api: ZohoCrmApi, name: str) -> None:
        self._api, self._name, self._checked = api, name, CheckedZohoCrm(api)

    async def known(self) -> Sequence[CustomField]:
        return await self._checked.custom_fields()

    def wanted(self) -> Sequence[str]:
        return self._checked.carriers(self._name)

    async def make(self, name: str) -> None:
        module, _, api_name = name.partition(".")
        field = {
            "field_label": api_name.replace("_", " "),
            "data_type": "text",
            "length": ZOHO_LENGTH,
            "unique": {"casesensitive": False},
        }
        await self._api.create_field(module, {"fields": [field]})
        if name not in {each.name for each in await self.known()}:
            raise _renamed(name, self.setting)


class _CapsuleInvoiceFields:
    by_hand, setting = "a text field of opportunities", INVOICE_SETTING

    def __init__(self, api: CapsuleApi, names: Sequence[str]) -> None:
        self._opportunities, self._names = CapsuleOpportunities(api.calls), names

    async def known(self) -> Sequence[CustomField]:
        found: list[CustomField] = []
        for page in range(1, MOST_PAGES + 1):
            listed = await self._opportunities.opportunity_fields(page=page)
            found += [CustomField(each.id, each.name or "", each.type or "") for each in listed.items]
            if not listed.has_more:
                break
        return found

    def wanted(self) -> Sequence[str]:
        return self._names

    async def make(self, name: str) -> None:
        await self._opportunities.create_opportunity_field(name, SHOWS)


class _ZohoInvoiceFields:
    by_hand, setting = "a single-line field of deals", INVOICE_SETTING

    def __init__(self, api: ZohoCrmApi, names: Sequence[str]) -> None:
        self._deals, self._names = ZohoDeals(api), names

    async def known(self) -> Sequence[CustomField]:
        fields = await self._deals.deal_fields()
        return [CustomField(number, each.api_name, each.data_type or "") for number, each in enumerate(fields, 1)]

    def wanted(self) -> Sequence[str]:
        return self._names

    async def make(self, name: str) -> None:
        made = await self._deals.create_deal_field(name.replace("_", " "), length=ZOHO_LENGTH)
        if made.api_name != name:
            raise _renamed(name, self.setting)


def _renamed(name: str, setting: str) -> Refused:
    text = f"Zoho CRM lists the field that it has just made under another API name than {name}"
    return Refused(zoho_crm.PROVIDER.system, f"{text}: set `{setting}` to that one")
