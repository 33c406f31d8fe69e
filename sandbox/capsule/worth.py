"""What an opportunity is worth: an amount in a currency, for a fixed price or for each unit of time.

Source: https://developer.capsulecrm.com/v2/models/opportunity
"""

from typing import Any

from sandbox.capsule.errors import invalid
from sandbox.capsule.reference import CURRENCY_CODES
from sandbox.ledger import Record

BASES = ("FIXED", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR")
LARGEST = 10**13
LONGEST = 10**6


def merge_worth(record: Record, changes: Record) -> None:
    """Set amount, currency and duration of an opportunity that is not stored yet. Raises the 422."""
    if "value" in changes:
        record["value"] = _value(record["value"], changes["value"])
    if "durationBasis" in changes:
        basis = changes["durationBasis"] or "FIXED"
        if basis not in BASES:
            raise invalid("unknown duration basis", "opportunity", "durationBasis")
        record["durationBasis"] = basis
    if "duration" in changes:
        record["duration"] = _duration(changes["duration"])
    elif record["durationBasis"] == "FIXED":
        record["duration"] = None
    if record["durationBasis"] == "FIXED" and record["duration"] is not None:
        raise invalid("duration must be empty for a fixed value", "opportunity", "duration")


def _value(before: Record, value: Any) -> Record:
    """Return amount and currency after a write. An amount asks for its currency each time; a currency stays."""
    if value is None:
        return {**before, "amount": None}
    if not isinstance(value, dict):
        raise invalid("invalid type for field", "opportunity", "value")
    if value.get("amount") is not None and value.get("currency") is None:
        raise invalid("currency is required", "opportunity", "value")
    amount = _amount(value["amount"]) if "amount" in value else before["amount"]
    currency = value.get("currency") or before["currency"]
    if currency not in CURRENCY_CODES.split():
        raise invalid("unknown currency", "opportunity", "value")
    return {"amount": amount, "currency": currency}


def _amount(value: Any) -> float | None:
    """Return an amount as it was sent: whole, or with a fraction."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < LARGEST:
        raise invalid("invalid amount", "opportunity", "value")
    return value


def _duration(value: Any) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= LONGEST:
        raise invalid("invalid duration", "opportunity", "duration")
    return value
