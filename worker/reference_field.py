"""Our custom field in a CRM: it carries our reference on the records that we create, so that each is found again."""

from collections.abc import Sequence
from typing import Protocol

from activities.check_rules import TEXT, CustomField
from activities.crm_checks import CheckedCapsule, CheckedZohoCrm
from connectors import zoho_crm
from connectors.capsule.api import CapsuleApi
from connectors.errors import ConnectorError, Forbidden, Refused, UnknownOutcome
from connectors.zoho_crm.api import ZohoCrmApi
from runtime.accounts import CapsuleAccount, ZohoCrmAccount
from worker.session import Session
from worker.tokens import account_token, zoho_api_url

DESCRIPTION = "Set by Ledgerline on what it creates. Leave it as it is: it is how a record is found again."
# Longer than our references are; shorter than what Zoho allows a text field that is unique.
ZOHO_LENGTH = 120


class FieldMaker(Protocol):
    """Looks for our field in one account, and makes it."""

    by_hand: str
    """What a person makes who makes it."""

    async def known(self) -> Sequence[CustomField]:
        """Return the custom fields that there are."""

    def wanted(self) -> Sequence[str]:
        """Return the fields that there have to be."""

    async def make(self, name: str) -> None:
        """Make one of them."""


async def ensure_reference_field(session: Session) -> None:
    """Make our text field wherever it is missing, and say what came of it. Nothing here undoes the connection."""
    say, maker, title = session.screen.say, _maker(session), session.provider.title
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
                say(
                    f"{title}: the custom field “{name}” is no text field; rename it, or set `clients.reference_field`."
                )
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


def _maker(session: Session) -> FieldMaker:
    token = account_token(session.name, session.connection, session.system, session.http, session.store)
    name, limit = session.connection.reference_field, session.connection.request_timeout
    match session.connection.crm_account:
        case CapsuleAccount() as account:
            return _CapsuleFields(CapsuleApi(session.http, token, account.base_url, limit), name)
        case ZohoCrmAccount() as account:
            return _ZohoFields(ZohoCrmApi(session.http, token, zoho_api_url(account), limit), name)


class _CapsuleFields:
    by_hand = "a text field"

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

    by_hand = "a single-line field without duplicate values"

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
            text = f"Zoho CRM lists the field that it has just made under another API name than {name}"
            raise Refused(zoho_crm.PROVIDER.system, f"{text}: set `clients.reference_field` to that one")
