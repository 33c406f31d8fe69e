"""What a sync of one client would write, and why: data that activities hand to workflows and people can look at."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from mapping.values import Value


class FieldWrite(BaseModel):
    """One field of a client that would change. None stands for empty."""

    model_config = ConfigDict(frozen=True)

    field: str
    before: Value
    after: Value


def field_writes(before: Mapping[str, Value], after: Mapping[str, Value]) -> list[FieldWrite]:
    """Return what is written so that a record says `after`: the fields that say something else now, by name."""
    return [
        FieldWrite(field=field, before=before.get(field), after=value)
        for field, value in sorted(after.items())
        if before.get(field) != value
    ]


class ClientPlan(BaseModel):
    """What a sync of one party and its FreshBooks client would do.

    `none`: in step. `create`: there is no client yet. `update`: write `writes` to the linked client. `link`: adopt
    `client_id`, which was not linked so far, and write `writes`, if any. `crm_writes` go the other way, to the party,
    still named by field of the client. `hold`: a person decides, for `hold_reason`. `explanation` is for people and
    names fields, never their values.
    """

    model_config = ConfigDict(frozen=True)

    action: Literal["none", "create", "update", "link", "hold"]
    client_id: int | None
    writes: list[FieldWrite]
    crm_writes: list[FieldWrite] = []
    hold_reason: str | None
    explanation: str
    mapping_version: str
