"""What the headers of an answer say of a system: its clock and our quota."""

from datetime import UTC, datetime

import httpx
import pytest

from connectors.errors import Forbidden
from connectors.service_state import ServiceState
from tests.connectors.answering import capsule, freshbooks

NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
HEADERS = {"Date": "Mon, 02 Mar 2026 12:00:00 GMT", "X-RateLimit-Limit": "4000", "X-RateLimit-Remaining": "3987"}
SITE = {"site": {"subdomain": "acme"}}


async def test_capsules_answer_says_its_time_and_what_is_left_of_the_quota() -> None:
    """Z20."""
    api, script = capsule(httpx.Response(200, json=SITE, headers=HEADERS))
    assert await api.service_state() == ServiceState(at=NOON, limit=4000, remaining=3987)
    assert script.sent[0].url.path == "/api/v2/site"


async def test_freshbooks_is_asked_for_a_single_client() -> None:
    page = {"response": {"result": {"clients": [], "page": 1, "pages": 0, "per_page": 1, "total": 0}}}
    api, script = freshbooks(httpx.Response(200, json=page, headers={**HEADERS, "Retry-After": "60"}))
    assert (await api.service_state()).remaining == 3987
    assert script.query == {"page": "1", "per_page": "1"}


@pytest.mark.parametrize(
    "headers",
    [{}, {"Date": "noon", "X-RateLimit-Limit": "many", "X-RateLimit-Remaining": "-1"}],
    ids=["nothing said", "nonsense said"],
)
async def test_what_is_not_said_is_not_known(headers: dict[str, str]) -> None:
    api, _ = capsule(httpx.Response(200, json=SITE, headers=headers))
    assert await api.service_state() == ServiceState(None, None, None)


async def test_a_token_that_may_not_read_clients_is_refused() -> None:
    """Z130."""
    api, _ = freshbooks(httpx.Response(403, json={}))
    with pytest.raises(Forbidden):
        await api.service_state()
