"""Time as the stand-ins tell it: UTC inside, US Eastern where FreshBooks answers so."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")


def now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


def later(instant: datetime, seconds: float) -> datetime:
    """Return the instant so many seconds later."""
    return instant + timedelta(seconds=seconds)


def told(skew: float) -> datetime:
    """Return the present instant as a clock has it that is so many seconds ahead."""
    return later(now(), skew)


def zulu(instant: datetime) -> str:
    """Return an instant as `2026-01-02T10:00:00Z`: UTC, whole seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_zulu(text: str) -> datetime:
    """Return the instant that an ISO 8601 text names, UTC where it names no zone. Raises ValueError."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
