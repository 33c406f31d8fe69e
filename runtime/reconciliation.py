"""What an installation is told about comparing both sides in full. Left out, a connection is compared every morning."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from runtime.fields import Section, TimeZone

_FIELD = r"[\d*,/A-Za-z-]+"


def _calendar(text: str) -> str:
    if not re.fullmatch(rf"{_FIELD}( {_FIELD}){{4}}", text):
        raise ValueError(
            'write minute, hour, day, month and weekday as cron does, such as "0 5 * * *" or "0 5 * * MON"'
        )
    return text


class ReconciliationRules(Section):
    """When both sides of a connection are compared."""

    # Off: only `ledgerline reconcile` compares.
    scheduled: bool = True
    calendar: Annotated[str, AfterValidator(_calendar)] = "0 5 * * *"
    time_zone: TimeZone = "UTC"
    # Of these, the ones that the connection syncs.
    flows: Annotated[tuple[Literal["clients", "opportunities", "payments"], ...], Field(min_length=1)] = (
        "clients",
        "opportunities",
        "payments",
    )
    # Whether what a sync mends is handed to the records' own workflows at once. They write as any sync does.
    repair: bool = False
