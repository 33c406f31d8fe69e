"""How we get into the accounts of each system, where they are, and how many calls they allow."""

from datetime import timedelta
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, SecretStr, model_validator

from runtime.fields import OptionalRedirectUri, RedirectUri, Secret, Section
from runtime.quota import Allowance

LOOPBACK = "http://127.0.0.1:8484/connected"

DataCentre: TypeAlias = Literal["us", "eu", "in", "au", "jp", "cn", "ca", "sa", "uk", "ae"]


class Account(Section):
    """How we get into one account: with a fixed token, or as a registered application that a person connected."""

    token: Secret = SecretStr("")
    client_id: Annotated[str, Field(max_length=200)] = ""
    client_secret: Secret = SecretStr("")
    redirect_uri: RedirectUri = LOOPBACK

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        fixed, registered = bool(self.token.get_secret_value()), bool(self.client_id)
        if fixed and (registered or self.client_secret.get_secret_value()):
            raise ValueError("give either `token`, or `client_id` and `client_secret`, not both")
        if not fixed and not (registered and self.client_secret.get_secret_value()):
            raise ValueError("give either `token`, or `client_id` and `client_secret` (see docs/connecting.md)")
        return self

    @property
    def allowance(self) -> Allowance:
        """How many requests the account allows."""
        raise NotImplementedError

    @property
    def calls_per_second(self) -> float:
        """The pace that uses the quota up and no more."""
        return self.allowance.per_second

    @property
    def is_registered(self) -> bool:
        """Whether a person connects this account, rather than the settings holding its token."""
        return bool(self.client_id)


class CapsuleAccount(Account):
    """One Capsule account. Source of the quota: https://developer.capsulecrm.com/v2/overview/handling-api-responses."""

    base_url: str = "https://api.capsulecrm.com"
    requests_per_hour: Annotated[int, Field(gt=0)] = 4000

    @property
    def allowance(self) -> Allowance:
        """The hourly quota."""
        return Allowance(self.requests_per_hour, timedelta(hours=1))


class ZohoCrmAccount(Account):
    """One Zoho CRM account, in one of Zoho's data centres.

    Zoho counts credits over 24 hours; most calls cost one, and how many there are depends on edition and users. The
    default pace takes 3,600 in a busy hour. Source: https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
    """

    # An empty address: the code comes from Zoho's own console (a "self client"), and nothing is redirected.
    redirect_uri: OptionalRedirectUri = LOOPBACK
    data_centre: DataCentre = "us"
    # Only for a sandbox or a developer edition of Zoho's, or for a stand-in: else the data centre says it.
    base_url: str = ""
    accounts_url: str = ""
    requests_per_minute: Annotated[int, Field(gt=0)] = 60
    # What becomes of the one open lead that has the address of a client who is new in the books.
    leads: Literal["ignore", "convert"] = "ignore"
    # The `Lead_Source` of the contacts that we make: of a `person`, and of somebody who belongs to a `firm`.
    lead_source: dict[Annotated[str, Field(pattern=r"^(person|firm)$")], str] = Field(default_factory=dict)

    @property
    def allowance(self) -> Allowance:
        """What was set."""
        return Allowance(self.requests_per_minute, timedelta(minutes=1))


class FreshBooksAccount(Account):
    """One FreshBooks account. No quota is published: the default is half of what its headers were seen to say."""

    # FreshBooks insists on https: nothing listens there, and the person copies the address that the browser shows.
    redirect_uri: RedirectUri = "https://localhost/connected"
    account_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{0,40}$")] = ""
    base_url: str = "https://api.freshbooks.com"
    requests_per_minute: Annotated[int, Field(gt=0)] = 300

    @property
    def allowance(self) -> Allowance:
        """What was set."""
        return Allowance(self.requests_per_minute, timedelta(minutes=1))

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not self.is_registered and not self.account_id:
            raise ValueError("`account_id` must be set beside `token`; only `ledgerline connect` can find it out")
        return self


CrmAccount: TypeAlias = CapsuleAccount | ZohoCrmAccount
AnyAccount: TypeAlias = CrmAccount | FreshBooksAccount
