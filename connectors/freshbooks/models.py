"""FreshBooks' objects as far as we read them. Source: https://www.freshbooks.com/api/clients"""

from datetime import UTC, date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, BeforeValidator, Field

from connectors.models import Instant, Record, Rows

EASTERN = ZoneInfo("America/New_York")
NO_INSTANT = ("", "0000-00-00 00:00:00")

ACTIVE, DELETED, ARCHIVED = 0, 1, 2
"""Values of `vis_state`. Source: https://www.freshbooks.com/api/active_deleted"""


def from_eastern(text: str) -> datetime:
    """Return the instant, in UTC, of an accounting timestamp, which is US Eastern wall time without an offset.

    In the hour that the clocks of autumn show twice, the earlier instant is taken: a change then looks up to an hour
    older than it is, never newer. Wall time that spring skips is read with the offset of winter.
    """
    instant = datetime.fromisoformat(text)
    return (instant if instant.tzinfo else instant.replace(tzinfo=EASTERN, fold=0)).astimezone(UTC)


def eastern_day(instant: datetime) -> date:
    """Return the day that `search[updated_min]` means for an aware instant: filters know no time of day.

    Sweep from the day before as well. Source: https://www.freshbooks.com/api/parameters
    """
    return instant.astimezone(EASTERN).date()


def _eastern(value: Any) -> Any:
    if value in NO_INSTANT:
        return None
    return from_eastern(value) if isinstance(value, str) else value


def _utc(value: Any) -> Any:
    return None if value in NO_INSTANT else value


EasternInstant = Annotated[Instant | None, BeforeValidator(_eastern)]
"""An accounting timestamp: Eastern on the wire, UTC here."""

UtcInstant = Annotated[Instant | None, BeforeValidator(_utc)]
"""A timestamp that is UTC on the wire, with or without saying so."""


class Numbered(Record):
    """A record of the account, which its id names."""

    id: int


class Contact(Record):
    """A secondary contact of a client. Sending `contacts` replaces them all."""

    id: int | None = Field(
        default=None, validation_alias=AliasChoices("contactid", "id"), serialization_alias="contactid"
    )
    userid: int | None = None
    fname: str | None = None
    lname: str | None = None
    email: str | None = None
    phone1: str | None = None
    phone2: str | None = None


class Client(Numbered):
    """A customer of the account. `userid` equals `id`; `p_` is the billing, `s_` the shipping address.

    `signup_date` is UTC on the wire. `updated` is US Eastern there and UTC here: see `from_eastern` for the hour that
    autumn has twice.
    """

    id: int = Field(validation_alias=AliasChoices("id", "userid"))
    userid: int | None = None
    accounting_systemid: str | None = None
    uuid: str | None = None
    fname: str | None = None
    lname: str | None = None
    organization: str | None = None
    email: str | None = None
    bus_phone: str | None = None
    mob_phone: str | None = None
    home_phone: str | None = None
    fax: str | None = None
    p_street: str | None = None
    p_street2: str | None = None
    p_city: str | None = None
    p_province: str | None = None
    p_code: str | None = None
    p_country: str | None = None
    s_street: str | None = None
    s_street2: str | None = None
    s_city: str | None = None
    s_province: str | None = None
    s_code: str | None = None
    s_country: str | None = None
    currency_code: str | None = None
    language: str | None = None
    note: str | None = None
    vat_name: str | None = None
    vat_number: str | None = None
    company_industry: str | None = None
    company_size: str | None = None
    contacts: Rows[Contact] = ()
    allow_late_fees: bool | None = None
    allow_late_notifications: bool | None = None
    allow_email_include_pdf: bool | None = None
    pref_email: bool | None = None
    pref_gmail: bool | None = None
    signup_date: UtcInstant = None
    updated: EasternInstant = None
    vis_state: int | None = None


class Callback(Record):
    """A webhook subscription. It delivers nothing before it is verified. `uri` may hold a secret: do not log it."""

    id: int = Field(validation_alias=AliasChoices("callbackid", "id"), serialization_alias="callbackid")
    event: str | None = None
    uri: str | None = None
    verified: bool | None = None
    updated_at: UtcInstant = None


class Membership(Record):
    """One business that the person behind the token belongs to, with its three different ids.

    `account_id` is for accounting and webhooks, `business_id` for projects and time, `business_uuid` for ledgers. It is
    None if FreshBooks leaves it out and the person's roles do not tell it beyond doubt.
    """

    business_id: int
    business_uuid: str | None = None
    account_id: str | None = None
    name: str | None = None
    role: str | None = None


class Identity(Record):
    """The person behind the token. Source: https://www.freshbooks.com/api/get-authenticated-on-the-freshbooks-api"""

    id: int
    memberships: tuple[Membership, ...] = ()

    def business_id_of(self, account_id: str) -> int | None:
        """Return the business whose books an account is, for projects and time; None if that is not beyond doubt."""
        found = {each.business_id for each in self.memberships if each.account_id == account_id}
        return found.pop() if len(found) == 1 else None
