"""What the headers of one answer say about a system itself: its clock, and what is left of our quota.

Source: https://developer.capsulecrm.com/v2/overview/handling-api-responses. FreshBooks sends the same headers with most
answers and documents none of them. Zoho CRM counts credits, and says what is left of them once half of them are used.
Source: https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
"""

import re
from dataclasses import dataclass
from datetime import datetime

from connectors.answers import Answer, http_date


@dataclass(frozen=True)
class ServiceState:
    """The system's own instant, in whole seconds of UTC, and its quota; None for what it did not say.

    A quota is counted in requests, at Zoho in credits.
    """

    at: datetime | None
    limit: int | None
    remaining: int | None


def service_state(answer: Answer) -> ServiceState:
    """Read the headers of an answer."""
    headers = answer.headers
    return ServiceState(
        at=http_date(headers.get("date", "")),
        limit=_number(headers.get("x-ratelimit-limit", "")),
        remaining=_number(headers.get("x-ratelimit-remaining") or headers.get("x-api-credits-remaining", "")),
    )


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\s*[0-9]{1,9}\s*", text) else None
