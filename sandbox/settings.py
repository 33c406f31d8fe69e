"""The knobs of a stand-in, read and changed at `/_sandbox/settings`. Each default is the plain service."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from sandbox.ledger import Record

Seconds = Annotated[float, Field(ge=0)]


class HookSettings(BaseModel):
    """How badly hooks are delivered."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool = True
    delay: tuple[Seconds, Seconds] = (0, 0)
    """Shortest and longest wait before the first attempt; drawn by seed."""
    duplicates: Annotated[int, Field(ge=1)] = 1
    """How often each delivery is made: 1 is once."""
    drop: Annotated[float, Field(ge=0, le=1)] = 0
    reorder: bool = False
    """Each second delivery overtakes the one before it (held for at most a second)."""


class Settings(BaseModel):
    """What both stand-ins can be told."""

    model_config = ConfigDict(extra="forbid")

    search_lag: Seconds | tuple[Seconds, Seconds] = 0
    """Seconds for which lists, filters and search do not see a new record; of a pair each record draws its own."""
    hooks: HookSettings = HookSettings()
    clock_rate: Annotated[float, Field(gt=0)] = 1
    """How much faster than the documented schedule failed hooks are tried again."""

    def change(self, patch: Record) -> None:
        """Change the given keys, `hooks` key by key. Raises pydantic's ValidationError, and then changes nothing."""
        current = self.model_dump()
        hooks = {**current["hooks"], **patch.get("hooks", {})}
        self._take(type(self).model_validate({**current, **patch, "hooks": hooks}))

    def reset(self) -> None:
        """Return to the defaults."""
        self._take(type(self)())

    def _take(self, other: Self) -> None:
        for name in type(self).model_fields:
            setattr(self, name, getattr(other, name))


class CapsuleSettings(Settings):
    """What only Capsule's stand-in can be told."""

    delete_as_job: bool = False
    """Deleting a party answers 202 with the address of a job, as the documentation allows."""


class FreshBooksHookSettings(HookSettings):
    """FreshBooks signs its hooks, unless told otherwise."""

    signed: bool = True


class FreshBooksSettings(Settings):
    """The modes that FreshBooks has been seen in."""

    hooks: FreshBooksHookSettings = FreshBooksHookSettings()
    errors_as_200: bool = False
    grpc_errors: bool = False
    null_account_id: bool = False
    feature_gate: bool = False
    """Every accounting call answers 200 with errno 12001: the plan lacks the feature."""
    extra_total: Annotated[int, Field(ge=0)] = 0
    """Lists count so many records more than they show."""
