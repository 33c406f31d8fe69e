"""What the models of all systems share: tolerance on the wire, aware instants, and silence about people."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

T = TypeVar("T")


def _in_utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def _none_is_empty(rows: Any) -> Any:
    return () if rows is None else rows


Instant = Annotated[datetime, AfterValidator(_in_utc)]
"""An aware instant in UTC. Text without an offset is read as UTC."""

Rows = Annotated[tuple[T, ...], BeforeValidator(_none_is_empty)]
"""A list for which a system may also say null."""


class Record(BaseModel):
    """One object of a system. Unknown keys are dropped; numbers are accepted where text is expected."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,  # the input is often a person's data, and error texts reach logs
    )

    def document(self) -> dict[str, Any]:
        """Return what the system sent, as far as we know it, in its own key names and ready for JSON.

        A key that the system left out stays out. Instants are ISO 8601 in UTC with `Z`.
        """
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        # Records end up in log lines by accident; then they show which one it was, and nothing about whom.
        return [(name, value) for name, value in super().__repr_args__() if name == "id"]
