"""What a sync of opportunities asks of a CRM, whichever it is; each CRM answers it in a module of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from activities.crm import GonePage
from activities.opportunity_models import State
from connectors.answers import Page


@dataclass(frozen=True)
class Milestone:
    """A milestone of a pipeline, in Zoho CRM a stage. `rank` grows along the way: its probability in percent."""

    name: str
    pipeline: str
    state: State
    rank: int

    def is_named(self, name: str) -> bool:
        """Return whether the settings mean this one: by its name, or by pipeline and name."""
        return name.casefold() in {self.name.casefold(), f"{self.pipeline} / {self.name}".casefold()}


@dataclass(frozen=True)
class CrmOpportunity:
    """An opportunity as a CRM shows it. `amount` is the whole of it; None if nobody has said it yet."""

    id: int
    name: str
    milestone: Milestone
    party_ids: Sequence[int]
    amount: Decimal | None
    currency: str | None
    problem: str = ""
    """Why no document can be made of it, with what to do."""
    is_by_unit: bool = False
    """Whether the amount was computed of one per unit of time: then it cannot be written back."""
    description: str = ""
    expected_close: date | None = None
    owner_email: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """The custom fields, by name."""
    tags: Sequence[str] = ()
    created_at: datetime | None = None
    changed_at: datetime | None = None


class OpportunityCrm(Protocol):
    """The opportunities of one account. Every method raises the errors of `connectors.errors`."""

    system: str

    async def read(self, opportunity_id: int) -> CrmOpportunity:
        """Return one opportunity in full. Raises NotFound."""

    async def listed(self, since: datetime | None, page: int) -> Page[CrmOpportunity]:
        """Return one page of those that changed since an instant, of all if there is none."""

    async def gone(self, since: datetime, page: int) -> GonePage:
        """Return one page of those that were deleted since an instant."""

    async def milestones(self) -> Sequence[Milestone]:
        """Return the milestones of all pipelines; read again every few minutes."""

    async def move(self, opportunity: CrmOpportunity, milestone: str) -> None:
        """Move it to the milestone of this name in its own pipeline. Raises Refused if there is none."""

    async def write(self, opportunity: CrmOpportunity, name: str | None, amount: Decimal | None) -> None:
        """Write its name, or its amount, or both. Raises Refused where the amount is one of units."""

    async def write_fields(self, opportunity_id: int, values: Mapping[str, str]) -> None:
        """Write custom fields by name. Raises Refused for one that does not exist."""

    async def note(self, opportunity_id: int, marker: str, text: str) -> None:
        """Let the opportunity have a note of this text; the marker in it tells ours from others'."""
