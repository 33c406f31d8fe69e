"""What a sync of parties asks of a CRM, whichever it is; each CRM answers it in a module of its own."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Protocol

from connectors.answers import Page

# A custom field that was deleted must not look empty for long: that would empty it in the books.
FIELDS_LIVE = timedelta(minutes=1)


@dataclass(frozen=True)
class CrmParty:
    """A person or an organisation as a CRM shows it. `document` is what mappings read."""

    id: int
    is_organisation: bool
    document: Mapping[str, Any]
    name: str = ""
    """How people call it."""
    emails: Sequence[str] = ()
    reference: str | None = None
    """Ours, on a party that we created."""
    changed_at: datetime | None = None
    created_at: datetime | None = None
    stands_alone: bool | None = True
    """False for an organisation whose people are its clients; None as long as it may yet get people."""

    @property
    def party_type(self) -> str:
        """As mappings name it."""
        return "organisation" if self.is_organisation else "person"

    def has_email(self, email: str) -> bool:
        """Return whether it has this address, whatever its case."""
        return email.strip().casefold() in {each.strip().casefold() for each in self.emails}


def one_named(name: str, found: Sequence[CrmParty]) -> int | None:
    """Return the party of exactly this name, whatever its case; None if several have it."""
    exact = [each.id for each in found if each.name.casefold() == name.casefold()]
    return exact[0] if len(exact) == 1 else None


class FieldIds:
    """The ids of an account's custom fields by name, as `read` gives them; read again every minute."""

    def __init__(self, read: Callable[[], Awaitable[Mapping[str, int]]]) -> None:
        self._read = read
        self._known: Mapping[str, int] = {}
        self._until = 0.0

    async def now(self) -> Mapping[str, int]:
        """Return them, read if need be."""
        if monotonic() > self._until:
            self._known = await self._read()
            self._until = monotonic() + FIELDS_LIVE.total_seconds()
        return self._known

    def forget(self) -> None:
        """Read them anew the next time: a person may have made a field a moment ago."""
        self._until = 0.0


@dataclass(frozen=True)
class Gone:
    """A party that was deleted, and when."""

    id: int
    at: datetime | None


@dataclass(frozen=True)
class GonePage:
    """One page of what became invisible. `hidden` are parties that exist, but not for our user: no deletions."""

    deleted: Sequence[Gone]
    hidden: Sequence[int]
    has_more: bool


class Crm(Protocol):
    """The parties of one account. Every method raises the errors of `connectors.errors`."""

    system: str

    async def read(self, party_id: int) -> CrmParty:
        """Return one party in full. Raises NotFound."""

    async def read_many(self, party_ids: Sequence[int]) -> Sequence[CrmParty]:
        """Return those of the parties that exist, read a hundred at a time; none where a CRM cannot do that."""

    async def with_email(self, email: str) -> Sequence[CrmParty]:
        """Return the parties that have exactly this address, whatever its case."""

    async def with_reference(self, reference: str) -> Sequence[CrmParty]:
        """Return the parties that carry a reference of ours."""

    async def marks(self, page: int) -> tuple[Sequence[tuple[str, str]], bool]:
        """Return one page of the parties that carry any, (reference, id), and whether there is more."""

    async def employer(self, name: str) -> int | None:
        """Return the organisation of this name for a new person, None if there are several.

        If there is none, it is made where a person's employer has to be a record. A repeat makes no second one.
        """

    async def create(self, body: Mapping[str, Any], reference: str, client_id: int) -> CrmParty:
        """Create a party that carries our reference. Raises Refused, with what to do, where it cannot carry one."""

    async def update(self, party_id: int, changes: Mapping[str, Any]) -> CrmParty:
        """Write these changes and return the party as it is then."""

    def adds(self, changes: Mapping[str, Any]) -> bool:
        """Return whether a repeat of these changes would add something twice."""

    async def field_ids(self) -> Mapping[str, int]:
        """Return the ids of the account's custom fields by name; read again every minute."""

    async def listed(self, since: datetime | None, page: int) -> Page[CrmParty]:
        """Return one page of the parties that changed since an instant, of all if there is none."""

    async def people_of(self, organisation_id: int, page: int) -> Page[CrmParty]:
        """Return one page of the people who belong to an organisation. Raises NotFound."""

    async def gone(self, since: datetime, page: int) -> GonePage:
        """Return one page of the parties that were deleted since an instant."""
