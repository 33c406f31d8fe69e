"""What the sync of a client without a party says: finding one, creating it, tying the two.

Fields are only ever added, with defaults: old runs live on.
"""

from typing import Literal

from pydantic import BaseModel, Field

from activities.models import ClientKey, ClientSide, OpenCreate, PartyKey
from mapping.values import Value


class CreateParty(BaseModel):
    """A party to be created for a client that people entered in the books."""

    key: ClientKey
    values: dict[str, Value]  # what the client says, named by its fields
    mapping_version: str
    cause: str
    create: OpenCreate


class PartyWritten(BaseModel):
    """The party that a write left behind."""

    party_id: int


class PartyCandidate(BaseModel):
    """A party that may already be a client's."""

    party_id: int
    email: str | None = None
    reference: str | None = None


class LookForParty(BaseModel):
    """Search for parties that may be a client's: by email address if one is given, else by our reference."""

    key: ClientKey
    email: str | None = None
    reference: str


class FoundParties(BaseModel):
    """The parties that a search found, each checked on our side."""

    parties: list[PartyCandidate] = Field(default_factory=list)


class ClientStanding(BaseModel):
    """Where a client of the books stands: linked to a party, known as one that we made for a party, or without any."""

    party_id: int | None = None
    state: str = "active"
    current_mapping: str
    two_way: bool = False
    create: OpenCreate | None = None


class PlanParty(BaseModel):
    """Everything that decides what becomes of a client without a party."""

    key: ClientKey
    client: ClientSide
    candidates: list[PartyCandidate] = Field(default_factory=list)
    create: OpenCreate
    chosen: int | None = None
    create_anyway: bool = False


class PartyPlan(BaseModel):
    """What becomes of a client without a party. `forward`: the party that it belongs to sees to it."""

    action: Literal["link", "create", "hold", "forward"]
    party_id: int | None = None
    hold_reason: str | None = None
    explanation: str = ""
    candidate_ids: list[int] = Field(default_factory=list)
    create: OpenCreate | None = None
    digest: str = ""


class ClaimParty(BaseModel):
    """Tie a client to a party, before anything is agreed on."""

    key: ClientKey
    party_id: int
    create: OpenCreate | None = None


class AnnounceParty(BaseModel):
    """Let the workflow of a party make a pass."""

    key: PartyKey
    cause: str
    priority: int
