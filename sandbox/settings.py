"""The knobs of a stand-in, read and changed at `/_sandbox/settings`. Each default is the plain service."""

from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from sandbox.ledger import Record


def _ascending(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError("the smaller number comes first")
    return pair


def _is_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise ValueError(f"no such time zone: {name}") from error
    return name


Seconds = Annotated[float, Field(ge=0)]
Times = Annotated[int, Field(ge=1)]
Span = Annotated[tuple[Seconds, Seconds], AfterValidator(_ascending)]
Lag = Seconds | Span
"""Seconds, or the least and the most of them, between which each record or call draws its own."""


def bounds(lag: float | tuple[float, float]) -> tuple[float, float]:
    """Return the least and the most seconds of a lag."""
    return lag if isinstance(lag, tuple) else (lag, lag)


class HookSettings(BaseModel):
    """How badly hooks are delivered."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool = True
    delay: Span = (0, 0)
    """Shortest and longest wait before the first attempt; drawn by seed, for each copy anew: makes a random order."""
    duplicates: Times | Annotated[tuple[Times, Times], AfterValidator(_ascending)] = 1
    """How often each delivery is made: 1 is once; of a pair each delivery draws its own number."""
    drop: Annotated[float, Field(ge=0, le=1)] = 0
    reorder: bool = False
    """Each second delivery overtakes the one before it (held for at most a second)."""
    retries: Annotated[int, Field(ge=0)] | None = None
    """How often a failed delivery is tried again at most; None is what the system does."""


class OAuthSettings(BaseModel):
    """What happens to whoever wants consent or a fresh token."""

    model_config = ConfigDict(extra="forbid")

    deny: bool = False
    """The person at the consent page says no."""
    scopes: list[str] | None = None
    """The only scopes that the person grants, of those asked for; None grants all."""
    access_life: Times | None = None
    """Seconds for which access tokens issued from now on work; None is what the system documents."""
    refresh_seconds: Seconds = 0
    """How long a refresh takes. The old refresh token is dead from its beginning."""


class Settings(BaseModel):
    """What all stand-ins can be told."""

    model_config = ConfigDict(extra="forbid")

    LAGGING: ClassVar[frozenset[str]] = frozenset()
    """The names in `lags`."""

    search_lag: Lag = 0
    """Seconds for which lists, filters and search do not see a new record."""
    lags: dict[str, Lag] = {}
    """The same for one way of looking alone, instead of `search_lag`. A call that looks in several ways at once sees
    what the slowest of them sees.
    """
    update_lag: Lag = 0
    """Seconds for which lists, filters and search show a changed record as it was, and a deleted one at all."""
    clock_skew: float = 0
    """Seconds by which the system's clock is ahead (or behind, if negative) in all instants that it tells."""
    hooks: HookSettings = HookSettings()
    oauth: OAuthSettings = OAuthSettings()
    clock_rate: Annotated[float, Field(gt=0)] = 1
    """How much faster than the documented schedule failed hooks are tried again."""

    @field_validator("lags")
    @classmethod
    def _are_known(cls, lags: dict[str, Lag]) -> dict[str, Lag]:
        if not lags.keys() <= cls.LAGGING:
            raise ValueError(f"each key is one of {', '.join(sorted(cls.LAGGING))}")
        return lags

    def lag_of(self, names: set[str]) -> tuple[float, float]:
        """Return the least and the most seconds for which a look by these ways misses a new record."""
        found = [bounds(self.lags.get(name, self.search_lag)) for name in names]
        return max(each[0] for each in found), max(each[1] for each in found)

    def change(self, patch: Record) -> None:
        """Change the given keys, inside of `hooks`, `oauth` and `costs` too only those. Raises pydantic's
        ValidationError, and then changes nothing.
        """
        current = self.model_dump()
        nested = current.keys() & patch.keys() & {"hooks", "oauth", "costs"}
        inner = {key: {**current[key], **patch[key]} for key in nested}
        self._take(type(self).model_validate({**current, **patch, **inner}))

    def reset(self) -> None:
        """Return to the defaults."""
        self._take(type(self)())

    def _take(self, other: Self) -> None:
        for name in type(self).model_fields:
            setattr(self, name, getattr(other, name))


class CapsuleSettings(Settings):
    """What only Capsule's stand-in can be told."""

    LAGGING: ClassVar[frozenset[str]] = frozenset({"list", "search", "filter", "people"})

    quota_seconds: Times = 3600
    """How long a quota lasts: less than an hour lets one see it end and begin again."""
    delete_as_job: bool = False
    """Deleting a party answers 202 with the address of a job, as the documentation allows."""


class FreshBooksHookSettings(HookSettings):
    """FreshBooks signs its hooks, unless told otherwise."""

    signed: bool = True


Role = Literal[
    "owner",
    "admin",
    "business_partner",
    "business_manager",
    "business_employee",
    "business_accountant",
    "contractor",
    "client",
]


class Business(BaseModel):
    """A further business that the identity belongs to. One with an account has books of its own, empty at first."""

    model_config = ConfigDict(extra="forbid")

    name: str
    role: Role = "owner"
    account_id: Annotated[str, Field(pattern="^[A-Za-z0-9]+$")] | None = None


class Colleague(BaseModel):
    """A member of the staff, as the team of the business knows them too."""

    model_config = ConfigDict(extra="forbid")

    first_name: str
    last_name: str
    email: str
    active: bool = True


class FreshBooksSettings(Settings):
    """The modes that FreshBooks has been seen in, and who the identity is."""

    LAGGING: ClassVar[frozenset[str]] = (
        frozenset({"list", "email", "updated_min", "updated_max"})
        | {f"{key}_like" for key in ("email", "fname", "lname", "organization", "address", "note", "phone", "user")}
        | {"invoice_number", "estimate_number", "customerid", "invoiceid", "notes"}
        | {"client_id", "project_id", "started_from", "updated_since"}
    )

    hooks: FreshBooksHookSettings = FreshBooksHookSettings()
    errors_as_200: bool = False
    grpc_errors: bool = False
    null_account_id: bool = False
    feature_gate: bool = False
    """Every accounting call answers 200 with errno 12001: the plan lacks the feature."""
    extra_total: Annotated[int, Field(ge=0)] = 0
    """Lists count so many records more than they show."""
    role: Role | None = None
    """The role in the sandbox's own business; None leaves it to the token."""
    businesses: list[Business] = []
    """Businesses beside the sandbox's own."""
    staff: list[Colleague] = [
        Colleague(first_name="Nora", last_name="Lindqvist", email="nora.lindqvist@sandbox.example"),
        Colleague(first_name="Jonas", last_name="Weiß", email="jonas.weiss@sandbox.example"),
    ]
    """Who works in the sandbox's own business beside its owner."""
    rounding: Literal["half_up", "half_even", "down"] = "half_up"
    """How the amounts of documents are rounded."""
    tax_rounding: Literal["line", "document"] = "line"
    """What is rounded: each tax of each line, or each tax of the whole document once."""
    decimals: Literal["two", "minor_units"] = "two"
    """With how many decimals amounts are reckoned and written: two in every currency, or as many as ISO 4217 has."""
    deleted_keep_numbers: bool = True
    """The number of a deleted invoice cannot be used again."""
    unique_estimate_numbers: bool = False
    """Estimate numbers are as unique as invoice numbers are."""
    duplicate_number_status: Literal[409, 422] = 422
    duplicate_number_errno: int = 1029
    duplicate_number_text: str = "This number is already in use."
    status_after_accept: Literal["accepted", "unchanged"] = "accepted"
    """What the three status fields of an estimate say once it is accepted; `accepted` is true in any case."""
    estimates_by_client: bool = True
    """`search[customerid]` is a filter of estimates, and not ignored."""
    estimate_dates_stay: bool = False
    """Changing an estimate's date (and client) changes nothing, as was once seen."""
    overpaid_shown: Literal["capped", "counted"] = "capped"
    """What an invoice shows as paid that was overpaid: its amount, or everything."""
    payments_tell_invoices: bool = False
    """A payment sends `invoice.update` beside its own event."""
    partial_can_be_overdue: bool = False
    """An invoice that is partly paid says `overdue` once it is late, and not `partial`."""
    business_time_zone: Annotated[str, AfterValidator(_is_zone)] = "Europe/Berlin"
    """Where the business is; time entries whose caller names no zone are told by its clock too."""
    entries_keep_unsent: bool = False
    """A PUT of a time entry leaves the fields alone that it does not name, instead of emptying them."""
    deleted_entries_answer: bool = True
    """A deleted time entry is answered by id, as not active; off: it is 404."""
    started_to_included: bool = True
    """An entry that began at the very instant of `started_to` is found."""
    services_on_one_page: bool = False
    """The list of services ignores paging: every page has all of them."""
    service_names_once: bool = True
    """Two services cannot have one name."""

    def role_in(self, account_id: str | None, of_token: str) -> str:
        """Return the identity's role in the business with an account, or in the sandbox's own."""
        found = (each.role for each in self.businesses if each.account_id is not None and each.account_id == account_id)
        return next(found, None) or self.role or of_token


class ZohoCrmHookSettings(HookSettings):
    """Zoho is not known to try a failed notification again; some say five times."""

    retries: Annotated[int, Field(ge=0)] | None = 0


class ZohoCrmCosts(BaseModel):
    """The credits that calls cost."""

    model_config = ConfigDict(extra="forbid")

    call: Annotated[int, Field(ge=0)] = 1
    ten_records: Annotated[int, Field(ge=0)] = 1
    """Of an insert, update or upsert, for each ten records that are begun."""
    convert: Annotated[int, Field(ge=0)] = 5
    coql: Annotated[int, Field(ge=0)] = 1
    """Of a query for up to 200 rows; twice as much up to 1,000, three times up to 2,000."""
    search: Annotated[int, Field(ge=0)] = 1
    """Sources disagree: 1 or 3."""


class ZohoCrmSettings(Settings):
    """The limits of the account, and which of several readings of Zoho CRM's documentation holds."""

    LAGGING: ClassVar[frozenset[str]] = frozenset({"list", "search"})

    hooks: ZohoCrmHookSettings = ZohoCrmHookSettings()
    costs: ZohoCrmCosts = ZohoCrmCosts()
    credits: Annotated[int, Field(ge=0)] = 100_000
    """Credits of any 24 hours, for the whole organisation."""
    concurrency: Times = 15
    """Calls that may be under way at the same time."""
    heavy_calls: Times = 10
    """The same for queries, searches, sorted lists, conversions and writes of more than ten records."""
    limit_code: Literal["TOO_MANY_REQUESTS", "RATE_LIMIT_EXCEEDED"] = "TOO_MANY_REQUESTS"
    time_zone: Annotated[str, AfterValidator(_is_zone)] = "Europe/Berlin"
    """In whose offset instants are told."""
    all_failed: Literal[200, 202, 400] = 400
    """The status of a write of which every record was refused."""
    wrapped_refusals: bool = False
    """Writes to a module that does not exist are refused inside of `data`."""
    modified_code: Literal["ALREADY_MODIFIED", "RECORD_MODIFIED"] = "ALREADY_MODIFIED"
    nothing_deleted: Literal[204, 304] = 204
    """What the list of the deleted answers to `If-Modified-Since` when there is nothing."""
    second_row: Literal["updates", "refused"] = "updates"
    """What becomes of the second of two rows with one key in one upsert."""
    shifting_pages: bool = False
    """A page token means a number of rows, so that changes shift rows over its edge, in place of the last row shown."""
    bare_lookups: bool = True
    """A lookup can be written as an id without an object around it."""
    layout_rules: bool = False
    """What the layouts ask for is mandatory too: the company of a lead, pipeline and closing date of a deal."""
    multi_currency: bool = False
    """Deals have a currency and an exchange rate of their own; those from the start are in several."""
    stage_mismatch: Literal["MAPPING_MISMATCH", "DEPENDENT_MISMATCH"] = "MAPPING_MISMATCH"
    """How a deal is refused whose stage is not one of its pipeline."""
    stage_probability: bool = True
    """The values of the field `Stage` tell probability and kind of forecast; the pipelines tell the latter anyway."""
    equals_contains: bool = False
    """`equals` in a search also finds texts in which the value is one word of several."""
    fields_api: bool = True
    """Custom fields can be made by the API."""
    watch_again: Literal["replaces", "refused"] = "replaces"
    """What becomes of a new channel with the number of one that lasts."""
    renew_expired: bool = False
    """Channels that have expired can be renewed."""
    token_errors: Literal[200, 400, 401] = 200
    """The status with which errors of the addresses for tokens come."""
    live_tokens: Times = 30
    """Live access tokens of one refresh token: 30, or 15 by another source; one more ends the oldest."""
    mints: Times = 10
    """Access tokens that one refresh token may ask for within `mints_within` seconds; to ask on prolongs the wait."""
    mints_within: Annotated[float, Field(gt=0)] = 600
