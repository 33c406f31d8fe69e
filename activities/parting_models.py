"""What the end of a pair says, and its return.

Fields are only ever added, with defaults: old runs live on.
"""

from typing import Literal

from pydantic import BaseModel, Field

from activities.models import PartyKey


class Fate(BaseModel):
    """What became of a party that the CRM does not find: deleted, hidden from our user, or unknown.

    `heirs` are the parties that may be left of it after a merge, with the client each is linked to.
    """

    fate: Literal["deleted", "hidden", "unknown"]
    heirs: dict[int, int | None] = Field(default_factory=dict)


class AskFate(BaseModel):
    """A party that is gone; the email address under which both sides last knew it, if any, is read from the link."""

    key: PartyKey


class Farewell(BaseModel):
    """The end of a link whose party was deleted, or its return."""

    key: PartyKey
    client_id: int
    cause: str
    mapping_version: str
    vis_state: int | None = None  # what the client becomes; None leaves it as it is
    state: Literal["active", "orphaned", "tombstoned"]
    action: str


class FarewellPolicy(BaseModel):
    """What becomes of the client of a deleted party, and how many have gone that way today."""

    archive: bool
    today: int
    limit: int


class FollowMerge(BaseModel):
    """A link that follows its party into the one that is left."""

    key: PartyKey
    now_party_id: int
    cause: str
    mapping_version: str
