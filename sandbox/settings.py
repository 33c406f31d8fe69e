"""The knobs of a stand-in, read and changed at `/_sandbox/settings`. Each default is the plain service."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from sandbox.ledger import Record


def _ascending(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError("the smaller number comes first")
    return pair


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
    """What both stand-ins can be told."""

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
        """Change the given keys, inside of `hooks` and `oauth` too only those. Raises pydantic's ValidationError, and
        then changes nothing.
        """
        current = self.model_dump()
        inner = {key: {**current[key], **patch[key]} for key in ("hooks", "oauth") if key in patch}
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


class FreshBooksSettings(Settings):
    """The modes that FreshBooks has been seen in, and who the identity is."""

    LAGGING: ClassVar[frozenset[str]] = frozenset({"list", "email", "updated_min", "updated_max"}) | {
        f"{key}_like" for key in ("email", "fname", "lname", "organization", "address", "note", "phone", "user")
    }

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

    def role_in(self, account_id: str | None, of_token: str) -> str:
        """Return the identity's role in the business with an account, or in the sandbox's own."""
        found = (each.role for each in self.businesses if each.account_id is not None and each.account_id == account_id)
        return next(found, None) or self.role or of_token
