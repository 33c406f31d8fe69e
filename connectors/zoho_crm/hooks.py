"""Reading and checking what Zoho CRM's notification channels deliver. They are not signed: a token comes back.

Source: https://www.zoho.com/crm/developer/docs/api/v8/notifications/overview.html
"""

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from connectors.answers import parse_json
from connectors.errors import MalformedHook

OPERATIONS = ("insert", "update", "delete")
# Later instants are no instants of ours, and datetime has none for them.
LATEST_MILLISECONDS = 10**14


@dataclass(frozen=True)
class HookDelivery:
    """Which records of a module were inserted, updated or deleted; fetch them before deciding anything.

    `at` is Zoho's own instant, in UTC; deliveries of one channel may come twice and in any order.
    """

    module: str
    record_ids: tuple[str, ...]
    operation: str
    channel_id: str
    token: SecretStr
    at: datetime | None = None


def parse_delivery(body: bytes) -> HookDelivery:
    """Return what one delivery says, each id once. Raises MalformedHook for anything else. Then ask `verify`.

    Values of fields are not read: they may be old, and whoever knows address and token could have written them.
    """
    try:
        said = parse_json(body)
    except ValueError as error:
        raise MalformedHook(f"the delivery from Zoho CRM is not JSON: {type(error).__name__}") from None
    if not isinstance(said, dict):
        raise MalformedHook("the delivery from Zoho CRM is no JSON object")
    operation = said.get("operation")
    if operation not in OPERATIONS:
        raise MalformedHook("the delivery from Zoho CRM names no operation such as update")
    return HookDelivery(
        module=_text(said, "module", r"[A-Za-z][A-Za-z0-9_]{0,99}"),
        record_ids=_ids(said.get("ids")),
        operation=operation,
        channel_id=_digits(said.get("channel_id"), "channel_id"),
        token=SecretStr(_text(said, "token", r"[ -~]{1,50}")),
        at=_instant(said.get("server_time")),
    )


def verify(token: str, delivery: HookDelivery) -> bool:
    """Return whether a delivery brings the token of our channel, in constant time."""
    # Without a token everybody could bring it.
    return bool(token) and hmac.compare_digest(token.encode("utf-8"), delivery.token.get_secret_value().encode("utf-8"))


def _text(said: dict[str, Any], key: str, pattern: str) -> str:
    found = said.get(key)
    if not isinstance(found, str) or not re.fullmatch(pattern, found):
        raise MalformedHook(f"the delivery from Zoho CRM has no usable {key}")
    return found


def _ids(said: Any) -> tuple[str, ...]:
    if not isinstance(said, list):
        raise MalformedHook("the delivery from Zoho CRM has no list of ids")
    return tuple(dict.fromkeys(_digits(each, "id") for each in said))


def _digits(said: Any, key: str) -> str:
    found = str(said) if type(said) is int else said
    if not isinstance(found, str) or not re.fullmatch(r"[0-9]{1,25}", found):
        raise MalformedHook(f"the delivery from Zoho CRM has no {key} of digits")
    return found


def _instant(said: Any) -> datetime | None:
    known = type(said) is int and 0 < said < LATEST_MILLISECONDS
    return datetime.fromtimestamp(said / 1000, UTC) if known else None
