"""Reading and verifying what FreshBooks' callbacks deliver. Source: https://www.freshbooks.com/api/webhooks"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from pydantic import SecretStr

from connectors.errors import MalformedHook

Fields = Sequence[tuple[str, str]]
"""The form fields of a delivery, in the order in which they came."""

MOST_FIELDS = 32
VERIFICATION = "callback.verify"

DOCUMENT_EVENTS = ("estimate", "invoice")
"""What to subscribe to in order to hear of all that happens to estimates and invoices. A noun stands for all its verbs;
each needs the read scope of its name. Source: https://www.freshbooks.com/api/webhooks
"""

HOURS_EVENTS = ("time_entry", "project", "service")
"""And this of what hours become invoices of: time entries, projects, services. The read scopes are those of
`HOURS_SCOPES`; services are read as billable items.
"""


@dataclass(frozen=True)
class HookDelivery:
    """Which object of which account an event such as `client.update` concerns; fetch it before deciding anything.

    `verifier` comes only with `callback.verify`, whose `object_id` is the callback's id.
    """

    event: str
    object_id: int
    account_id: str
    verifier: SecretStr | None = None

    @property
    def noun(self) -> str:
        """What kind of object it is: `client`, `estimate`, `invoice` …"""
        return self.event.partition(".")[0]

    @property
    def verb(self) -> str:
        """What happened to it: `create`, `update`, `delete`, or `sendByEmail`, which comes beside an `update`."""
        return self.event.partition(".")[2]


def parse_fields(body: bytes) -> list[tuple[str, str]]:
    """Return the fields of a form body in the order received, blank values included. Raises MalformedHook.

    The order is part of what is signed. A name that comes twice is refused: readers differ on which one counts.
    """
    try:
        text = body.decode("utf-8")
        fields = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise MalformedHook(f"the delivery from FreshBooks is not a form: {type(error).__name__}") from None
    if not fields or len(dict(fields)) != len(fields):
        raise MalformedHook("the delivery from FreshBooks is empty or names a field twice")
    return fields


def parse_delivery(fields: Fields) -> HookDelivery:
    """Return what a delivery says. Raises MalformedHook. Verify the signature before believing any of it."""
    said = dict(fields)
    event, object_id, account_id = (said.get(key, "") for key in ("name", "object_id", "account_id"))
    if not re.fullmatch(r"[A-Za-z_]{1,40}\.[A-Za-z_]{1,40}", event):
        raise MalformedHook("the delivery from FreshBooks names no event such as client.update")
    if not re.fullmatch(r"[0-9]{1,18}", object_id):
        raise MalformedHook("the delivery from FreshBooks has no whole number as its object_id")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", account_id):
        raise MalformedHook("the delivery from FreshBooks has no account_id")
    verifier = said.get("verifier") if event == VERIFICATION else None
    if event == VERIFICATION and not verifier:
        raise MalformedHook("the verification from FreshBooks has no verifier")
    return HookDelivery(event, int(object_id), account_id, SecretStr(verifier) if verifier else None)


def signature(verifier: str, fields: Fields) -> str:
    """Return the `X-FreshBooks-Hmac-SHA256` of a delivery: over JSON as Python writes it, keyed by the verifier's text.

    That other characters than ASCII are escaped follows from this recipe; FreshBooks does not say it.
    """
    message = json.dumps(dict(fields))
    digest = hmac.new(verifier.encode("utf-8"), message.encode("ascii"), hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")


def verify(verifier: str, fields: Fields, header: str | None) -> bool:
    """Return whether the header signs these fields. Any other header gives False, in constant time."""
    # Without a key everybody can sign.
    if not verifier or header is None:
        return False
    expected = signature(verifier, fields).encode("ascii")
    return hmac.compare_digest(expected, header.encode("utf-8", errors="replace"))
