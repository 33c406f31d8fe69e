"""What the sandbox counts of refresh tokens: they work once, and one refresh at a time is enough."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import control
from tests.sandbox.test_consent import Way
from tests.sandbox.test_consent import way as way  # noqa: PLC0414 - a fixture of both systems

TOKEN_PATH = "/token$"


async def counted(way: Way) -> dict[str, int]:
    found: dict[str, int] = (await control(way.http, "info", method="GET"))["refreshes"]
    return found


async def harm(way: Way, **rule: Any) -> None:
    await control(way.http, "faults", {"method": "POST", "path": TOKEN_PATH, "times": 1, **rule})


async def test_a_chain_of_refreshes_uses_every_token_once(way: Way) -> None:
    """F9, F11."""
    tokens = await way.connect()
    for _ in range(3):
        tokens = (await way.refresh(tokens)).json()
    counts = await counted(way)
    assert (counts["asked"], counts["succeeded"], counts["answered"]) == (3, 3, 3)
    assert (counts["used_again"], counts["used_again_after_success"], counts["at_once"]) == (0, 0, 1)


async def test_a_used_refresh_token_that_comes_back_is_refused_and_counted(way: Way) -> None:
    """F9."""
    tokens = await way.connect()
    await way.refresh(tokens)
    replay = await way.refresh(tokens)
    assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
    counts = await counted(way)
    assert (counts["succeeded"], counts["used_again"], counts["used_again_after_success"]) == (1, 1, 1)


async def test_trying_again_after_an_outage_is_no_misuse(way: Way) -> None:
    tokens = await way.connect()
    await harm(way, fault="status", status=503)
    assert (await way.refresh(tokens)).status_code == 503
    assert (await way.refresh(tokens)).status_code == 200
    counts = await counted(way)
    assert (counts["asked"], counts["succeeded"]) == (2, 1)
    assert (counts["used_again"], counts["used_again_after_success"]) == (1, 0)


@pytest.mark.parametrize("fault", ["commit_then_cut", "commit_then_status", "truncated", "malformed"])
async def test_a_lost_answer_uses_the_refresh_token_up(way: Way, fault: str) -> None:
    """F9: losing the answer locks the integration out, and whoever tries again had no way to know."""
    tokens = await way.connect()
    await harm(way, fault=fault)
    try:
        lost = await way.refresh(tokens)
    except httpx.RemoteProtocolError:
        assert fault == "commit_then_cut"
    else:
        assert fault != "commit_then_status" or lost.status_code == 503
    replay = await way.refresh(tokens)
    assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
    counts = await counted(way)
    assert (counts["succeeded"], counts["answered"]) == (1, 0)
    assert (counts["used_again"], counts["used_again_after_success"]) == (1, 0)


async def test_two_refreshes_at_once_are_seen_and_only_one_wins(way: Way) -> None:
    """F10: parallel workers that refresh the same token destroy the connection."""
    tokens = await way.connect()
    await control(way.http, "settings", {"oauth": {"refresh_seconds": 0.1}})
    answers = await asyncio.gather(way.refresh(tokens), way.refresh(tokens))
    assert sorted(each.status_code for each in answers) == [200, 400]
    counts = await counted(way)
    assert (counts["at_once"], counts["at_once_of_one_grant"], counts["used_again_after_success"]) == (2, 2, 1)


async def test_two_connections_may_refresh_at_the_same_time(way: Way) -> None:
    first, second = await way.connect(), await way.connect()
    await control(way.http, "settings", {"oauth": {"refresh_seconds": 0.1}})
    answers = await asyncio.gather(way.refresh(first), way.refresh(second))
    assert [each.status_code for each in answers] == [200, 200]
    counts = await counted(way)
    assert (counts["at_once"], counts["at_once_of_one_grant"], counts["used_again"]) == (2, 1, 0)


async def test_a_reset_forgets_what_was_counted(way: Way) -> None:
    tokens = await way.connect()
    await way.refresh(tokens)
    await control(way.http, "reset")
    assert set((await counted(way)).values()) == {0}
