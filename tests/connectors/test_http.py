"""What a lost, late, refused or damaged answer means, and what never leaves the house."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import time_machine
from pydantic import SecretStr

from connectors.capsule.api import CapsuleApi
from connectors.errors import (
    ConnectorError,
    Forbidden,
    NotFound,
    RateLimited,
    Refused,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
)
from connectors.freshbooks.api import FreshBooksApi
from connectors.http import LARGEST_BODY, AccessToken, fixed_token, http_client
from tests.connectors.answering import SECOND, TOKEN, Script, Step, capsule, clients, freshbooks, one_client, one_party

NORA = {"fname": "Nora", "email": "nora@quist.test"}
NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)

not_connected = pytest.mark.parametrize(
    "failure", [httpx.ConnectError("dns"), httpx.ConnectTimeout(""), httpx.PoolTimeout(""), httpx.ProxyError("")]
)
lost_on_the_way = pytest.mark.parametrize(
    "step",
    [
        httpx.ReadTimeout(""),
        httpx.WriteError(""),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("server disconnected"),
        httpx.Response(500),
        httpx.Response(502, text="<html>bad gateway</html>"),
        httpx.Response(504),
        httpx.Response(408),
        httpx.Response(301, headers={"Location": "https://elsewhere.test/"}),
        httpx.Response(200, text="<html>we are back soon</html>"),
        httpx.Response(200, text='{"response": {"result": {"client": {"id": 3301'),
        httpx.Response(200, text=""),
        httpx.Response(200, json=["surprise"]),
        httpx.Response(200, json={"response": {"result": {"client": {"fname": "no id"}}}}),
        httpx.Response(200, text='{"response": NaN}'),
        httpx.Response(200, content=b"\xff\xfe"),
    ],
    ids=lambda step: (
        f"{step.status_code}-{len(step.content)}" if isinstance(step, httpx.Response) else type(step).__name__
    ),
)


@not_connected
async def test_a_client_whose_request_never_left_may_be_created_later(failure: Exception) -> None:
    """S27."""
    api, _ = freshbooks(failure)
    with pytest.raises(Unavailable, match="nothing was sent"):
        await api.create_client(NORA)


@lost_on_the_way
async def test_a_lost_answer_leaves_open_whether_the_client_was_created(step: Step) -> None:
    """F1, F3: never shown as failed or done."""
    api, script = freshbooks(step)
    with pytest.raises(UnknownOutcome, match="look before trying again"):
        await api.create_client(NORA)
    assert len(script.sent) == 1  # F34: and never repeated by the HTTP client


@lost_on_the_way
async def test_reading_a_client_again_is_safe_however_the_answer_was_lost(step: Step) -> None:
    """S27."""
    api, script = freshbooks(step)
    with pytest.raises(Unavailable, match="read client 330101"):
        await api.get_client(330101)
    assert len(script.sent) == 1


async def test_an_update_is_repeatable_and_so_only_waits() -> None:
    api, _ = freshbooks(httpx.ReadTimeout(""))
    with pytest.raises(Unavailable, match="update client 330101"):
        await api.update_client(330101, {"fname": "Nora"})


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Refused),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (409, Refused),
        (422, Refused),
        (425, Unavailable),
        (429, RateLimited),
    ],
)
async def test_a_create_that_was_turned_away_is_no_unknown_outcome(status: int, error: type[ConnectorError]) -> None:
    api, _ = capsule(httpx.Response(status, text="<html>no JSON here</html>"))
    with pytest.raises(error, match="Capsule refused to create a party") as caught:
        await api.create_party({"type": "person", "firstName": "Nora"})
    assert caught.value.system == "capsule"


async def test_an_outage_says_when_to_come_back() -> None:
    """S47."""
    api, _ = freshbooks(httpx.Response(503, headers={"Retry-After": "120"}))
    with pytest.raises(Unavailable) as caught:
        await api.get_client(330101)
    assert caught.value.retry_after == timedelta(minutes=2)


async def test_no_answer_within_the_time_limit_is_a_lost_answer() -> None:
    """F1."""

    async def slow(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(5)
        return one_client()

    api = FreshBooksApi(
        http_client(httpx.MockTransport(slow)), fixed_token(SecretStr(TOKEN)), "aB3xYz", time_limit=SECOND / 20
    )
    with pytest.raises(UnknownOutcome, match=r"limit 0\.05 s"):
        await api.create_client(NORA)
    with pytest.raises(Unavailable):
        await api.get_client(330101)


async def test_the_time_limit_covers_a_body_that_trickles() -> None:
    async def trickle() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    api = CapsuleApi(
        http_client(httpx.MockTransport(lambda _: httpx.Response(200, content=trickle()))),
        fixed_token(SecretStr(TOKEN)),
        time_limit=SECOND / 10,
    )
    with pytest.raises(Unavailable):
        await api.get_party(11)


async def test_a_cancelled_request_stays_cancelled() -> None:
    started = asyncio.Event()

    async def slow(_: httpx.Request) -> httpx.Response:
        started.set()
        await asyncio.sleep(5)
        return one_party()

    api = CapsuleApi(http_client(httpx.MockTransport(slow)), fixed_token(SecretStr(TOKEN)))
    reading = asyncio.create_task(api.create_party({"type": "organisation", "name": "Acme Ltd"}))
    await started.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


@pytest.mark.parametrize(("status", "error"), [(200, Unavailable), (404, NotFound)])
async def test_a_body_without_end_is_not_read_to_its_end(status: int, error: type[ConnectorError]) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1024 * 1024
            yield b" " * (1024 * 1024)

    api, _ = capsule(httpx.Response(status, content=endless()))
    with pytest.raises(error):
        await api.get_party(11)
    assert read <= LARGEST_BODY + 2 * 1024 * 1024


async def test_a_refusal_is_believed_even_if_its_body_breaks_off() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b'{"message": "Validation'
        raise httpx.ReadError("reset")

    api, _ = capsule(httpx.Response(422, content=broken()))
    with pytest.raises(Refused):
        await api.create_party({"type": "person"})


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "30"}, timedelta(seconds=30)),
        ({"Retry-After": "Mon, 02 Mar 2026 12:00:45 GMT"}, timedelta(seconds=45)),
        ({"Retry-After": "soon"}, timedelta(seconds=60)),
        ({"Retry-After": "0"}, timedelta(seconds=1)),
        ({"Retry-After": "999999999"}, timedelta(days=1)),
        ({"X-RateLimit-Reset": "1772452890"}, timedelta(seconds=90)),
        ({"X-RateLimit-Reset": "1772452790"}, timedelta(seconds=1)),
        ({"X-RateLimit-Reset": "-5"}, timedelta(seconds=60)),
        # The provider's clock is ten minutes ahead of ours: its own Date tells.
        ({"X-RateLimit-Reset": "1772453490", "Date": "Mon, 02 Mar 2026 12:10:00 GMT"}, timedelta(seconds=90)),
        ({}, timedelta(seconds=60)),
    ],
)
async def test_too_many_requests_says_how_long_to_wait(headers: dict[str, str], wait: timedelta) -> None:
    """S26, S61."""
    api, _ = capsule(httpx.Response(429, json={"error": "rate limit reached"}, headers=headers))
    with (
        time_machine.travel(NOON, tick=False),
        pytest.raises(RateLimited, match=f"wait {wait.total_seconds():.0f} s") as caught,
    ):
        await api.get_party(11)
    assert caught.value.retry_after == wait


async def test_nothing_is_sent_while_a_system_said_wait() -> None:
    """S61."""
    api, script = freshbooks(httpx.Response(429, headers={"Retry-After": "30"}), one_client())
    with time_machine.travel(NOON, tick=False) as clock:
        with pytest.raises(RateLimited):
            await api.create_client(NORA)
        clock.shift(timedelta(seconds=29))
        with pytest.raises(RateLimited, match="did not read client 330101 yet: wait 1 s"):
            await api.get_client(330101)
        assert len(script.sent) == 1
        clock.shift(timedelta(seconds=1))
        assert (await api.get_client(330101)).id == 330101


async def test_the_last_request_of_capsules_hour_holds_the_next_one_back() -> None:
    """S61: hammering on may get the user blocked."""
    last = httpx.Response(
        200, json={"party": {"id": 11}}, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1772453400"}
    )
    api, script = capsule(last, one_party())
    with time_machine.travel(NOON, tick=False) as clock:
        await api.get_party(11)
        with pytest.raises(RateLimited) as caught:
            await api.get_party(11)
        assert (len(script.sent), caught.value.retry_after) == (1, timedelta(minutes=10))
        clock.shift(timedelta(minutes=10))
        assert (await api.get_party(11)).id == 11


async def test_freshbooks_says_retry_after_on_every_success_and_means_nothing_by_it() -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9999999999", "Retry-After": "57"}
    api, _ = freshbooks(httpx.Response(200, json=one_client().json(), headers=headers), one_client())
    await api.get_client(330101)
    assert (await api.get_client(330101)).id == 330101


async def test_one_accounts_quota_does_not_hold_back_another_account() -> None:
    script = Script(httpx.Response(429, headers={"Retry-After": "30"}), one_client())
    http = http_client(httpx.MockTransport(script.handle))
    acme = FreshBooksApi(http, fixed_token(SecretStr("acme")), "acme")
    berg = FreshBooksApi(http, fixed_token(SecretStr("berg")), "berg")
    with pytest.raises(RateLimited):
        await acme.get_client(330101)
    assert (await berg.get_client(330101)).id == 330101


async def test_requests_carry_the_token_our_name_and_nothing_of_another_account() -> None:
    """S10: and a session cookie that one account was given stays out of the next account's request."""
    api, script = capsule(
        httpx.Response(200, json={"party": {"id": 11}}, headers={"Set-Cookie": "sid=acme; Path=/"}), one_party()
    )
    await api.get_party(11)
    await api.get_party(11)
    headers = script.sent[-1].headers
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["User-Agent"].startswith("Ledgerline/")
    assert "cookie" not in headers


class Renewing:
    """A source whose tokens follow each other: the next one after each request, or after each refusal."""

    def __init__(self, *texts: str, each_request: bool = False) -> None:
        self._left = [AccessToken(text, version) for version, text in enumerate(texts)]
        self._each_request = each_request
        self.refused: list[str] = []
        self.accepted_ones: list[str] = []

    async def current(self) -> AccessToken:
        return self._left.pop(0) if self._each_request else self._left[0]

    async def rejected(self, token: AccessToken) -> AccessToken | None:
        self.refused.append(token.text)
        del self._left[0]
        return self._left[0] if self._left else None

    def accepted(self, token: AccessToken) -> None:
        self.accepted_ones.append(token.text)


def calling_with(source: Renewing, *steps: Step) -> tuple[CapsuleApi, Script]:
    script = Script(*steps)
    return CapsuleApi(http_client(httpx.MockTransport(script.handle)), source, time_limit=SECOND), script


def tokens_sent(script: Script) -> list[str]:
    return [each.headers["Authorization"].removeprefix("Bearer ") for each in script.sent]


async def test_a_refreshed_token_is_used_from_the_next_request_on() -> None:
    """S11."""
    api, script = calling_with(Renewing("old", "new", each_request=True), one_party(), one_party())
    await api.get_party(11)
    await api.get_party(11)
    assert tokens_sent(script) == ["old", "new"]


async def test_a_create_that_met_an_expired_token_is_sent_once_more_with_a_fresh_one() -> None:
    """S11, Z113: a 401 means that nothing was created."""
    source = Renewing("old", "new")
    api, script = calling_with(source, httpx.Response(401), one_party())
    assert (await api.create_party({"type": "person", "firstName": "Nora"})).id == 11
    assert tokens_sent(script) == ["old", "new"]
    assert (source.refused, source.accepted_ones) == (["old"], ["new"])


async def test_a_request_is_sent_no_third_time_however_many_tokens_there_are() -> None:
    source = Renewing("first", "second", "third")
    api, script = calling_with(source, httpx.Response(401), httpx.Response(401))
    with pytest.raises(Unauthorized):
        await api.get_party(11)
    assert tokens_sent(script) == source.refused == ["first", "second"]


async def test_a_second_request_that_is_cut_leaves_the_create_open() -> None:
    """F1: it was sent with a token that works."""
    api, _ = calling_with(Renewing("old", "new"), httpx.Response(401), httpx.ReadError("reset"))
    with pytest.raises(UnknownOutcome):
        await api.create_party({"type": "person", "firstName": "Nora"})


@pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(429), httpx.Response(403)])
async def test_an_answer_that_says_nothing_of_the_token_proves_nothing(answer: httpx.Response) -> None:
    source = Renewing("old")
    api, _ = calling_with(source, answer)
    with pytest.raises(ConnectorError):
        await api.get_party(11)
    assert source.accepted_ones == []


async def test_waiting_for_a_token_counts_towards_the_time_limit() -> None:
    """F1: a request that begins late would end after its outcome was taken to be settled."""

    class Late(Renewing):
        async def current(self) -> AccessToken:
            await asyncio.sleep(1.1)
            return AccessToken("late")

    api, script = calling_with(Late())
    with pytest.raises(Unavailable, match="gave no access token in time, so we did not read party 11"):
        await api.get_party(11)
    assert not script.sent


@pytest.mark.parametrize("token", ["", "line\nbreak", "spa ce", "schlüssel"])
async def test_a_damaged_token_asks_for_a_new_connection_and_is_not_shown(token: str) -> None:
    api, script = calling_with(Renewing(token))
    with pytest.raises(Unauthorized, match="connect again") as caught:
        await api.get_party(11)
    assert not script.sent
    assert "line" not in str(caught.value)


async def test_logs_hold_neither_addresses_of_people_nor_urls_nor_tokens(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    api, _ = freshbooks(clients([]), httpx.Response(500, text="nora@quist.test"))
    await api.find_clients_by_email("nora@quist.test")
    with pytest.raises(Unavailable):
        await api.find_clients_by_email("nora@quist.test")
    assert not [word for word in ("nora", "quist", "https://", TOKEN) if word in caplog.text]


async def test_an_unreadable_record_is_not_quoted_in_the_error() -> None:
    api, _ = capsule(one_party(createdAt="Nora Quist was here"))
    with pytest.raises(Unavailable) as caught:
        await api.get_party(11)
    assert "Nora" not in str(caught.value)
    assert caught.value.__cause__ is None
