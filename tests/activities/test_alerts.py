"""The steps of the alert watch, with a real store, and a real HTTP server as the channel."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import structlog
import time_machine
from pydantic import SecretStr
from temporalio.testing import ActivityEnvironment

from activities.alerts import AlertActivities
from activities.channels import Channel, UnusableChannel
from activities.lookout import Lookout
from activities.models import AlertsSeen, AlertsSent, ChannelNumber
from runtime.logs import set_up_logs
from store.alerts import Incident, Rhythm
from store.records import RecordKey
from store.store import Store
from tests.channels import PASSWORD, Post

MINUTE = timedelta(minutes=1)
RHYTHM = Rhythm(group_for=MINUTE, quiet_for=15 * MINUTE)
FIRST, SECOND = 1, 2


class Nothing(Lookout):
    """A lookout that sees what a test says."""

    def __init__(self, *incidents: Incident) -> None:
        self.seen = list(incidents)

    async def incidents(self, watched_since: datetime) -> list[Incident]:
        del watched_since
        return self.seen


@pytest.fixture
def post() -> Iterator[Post]:
    """Somebody who takes alerts."""
    opened = Post()
    yield opened
    opened.close()


@pytest.fixture
def other_post() -> Iterator[Post]:
    """Somebody else who takes alerts."""
    opened = Post()
    yield opened
    opened.close()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


class Watch:
    """The activities as the worker makes them, and one round of the workflow."""

    def __init__(self, store: Store, http: httpx.AsyncClient, *posts: Post, heartbeat: SecretStr | None = None) -> None:
        self.lookout = Nothing()
        channels = [Channel(number, post.url) for number, post in enumerate(posts, start=1)]
        self.activities = AlertActivities(store, self.lookout, channels, RHYTHM, http=http, heartbeat_url=heartbeat)

    async def look(self) -> AlertsSeen:
        return await ActivityEnvironment().run(self.activities.look)

    async def send(self, channel: int = FIRST) -> AlertsSent:
        return await ActivityEnvironment().run(self.activities.send_alerts, ChannelNumber(number=channel))

    async def round(self) -> AlertsSeen:
        """Look, and tell whom it concerns."""
        seen = await self.look()
        for channel in seen.due:
            await self.send(channel)
        return seen


async def hold(store: Store, number: int, reason: str = "conflict") -> str:
    key = RecordKey("acme", "clients", str(number))
    workflow_id = f"client-upsert/acme/capsule-party-{number}"
    evidence = {"explanation": "Nora Quist", "email": ["nora@quist.test", "office@quist.test"]}
    await store.holds.open(workflow_id, key, reason, evidence)
    return workflow_id


def later(minutes: float) -> time_machine.travel:
    return time_machine.travel(datetime.now(UTC) + minutes * MINUTE)


async def test_fifty_holds_are_one_message_that_says_what_to_type(
    sqlite_store: Store, http: httpx.AsyncClient, post: Post
) -> None:
    """S48, Z112, I5."""
    for number in range(50):
        await hold(sqlite_store, number)
    watch = Watch(sqlite_store, http, post)
    assert (await watch.round()).due == []
    with later(1.1):
        assert (await watch.round()).due == [FIRST]
        assert (await watch.round()).due == []
    (heard,) = post.taken
    assert heard.subject == "Ledgerline: 50 syncs wait for a person (acme: conflict)"
    assert "ledgerline holds list --reason conflict" in heard.text
    assert "- client-upsert/acme/capsule-party-0\n" in heard.text
    assert "- and 45 more" in heard.text


async def test_a_hold_that_is_resolved_before_the_message_is_sent_is_told_to_nobody(
    sqlite_store: Store, http: httpx.AsyncClient, post: Post
) -> None:
    """S29."""
    await sqlite_store.holds.close(await hold(sqlite_store, 7))
    with later(1.1):
        await Watch(sqlite_store, http, post).round()
    assert post.taken == []


async def test_a_channel_that_is_down_for_ten_minutes_is_told_later_and_once(
    sqlite_store: Store, http: httpx.AsyncClient, post: Post
) -> None:
    """F20."""
    await hold(sqlite_store, 7)
    watch = Watch(sqlite_store, http, post)
    post.close()
    for minutes in (1, 2, 4, 6, 8, 10):
        with later(minutes):
            seen = await watch.round()
    (failing,) = seen.failing
    assert failing.startswith("channel 1 (JSON) since 2")
    assert failing.endswith(": no answer, or refused")
    post.open()
    for minutes in (13, 14, 15):
        with later(minutes):
            seen = await watch.round()
    assert [heard.subject for heard in post.taken] == ["Ledgerline: 1 sync waits for a person (acme: conflict)"]
    assert seen.failing == []


async def test_what_was_resolved_while_the_channel_was_down_is_not_told_when_it_is_back(
    sqlite_store: Store, http: httpx.AsyncClient, post: Post
) -> None:
    """S29."""
    resolved = await hold(sqlite_store, 7)
    await hold(sqlite_store, 8)
    watch = Watch(sqlite_store, http, post)
    post.status = 503
    with later(1.1):
        await watch.round()
    await sqlite_store.holds.close(resolved)
    post.status = 200
    with later(5):
        await watch.round()
    (heard,) = post.taken
    assert resolved not in heard.text
    assert heard.subject.startswith("Ledgerline: 1 sync waits")


async def test_a_channel_that_is_down_holds_up_no_other(
    sqlite_store: Store, http: httpx.AsyncClient, post: Post, other_post: Post
) -> None:
    await hold(sqlite_store, 7)
    watch = Watch(sqlite_store, http, post, other_post)
    post.status = 500
    with later(1.1):
        await watch.round()
    assert len(other_post.taken) == 1
    post.status = 200
    with later(5):
        await watch.round()
    assert (len(post.taken), len(other_post.taken)) == (1, 1)


async def test_two_watches_at_once_send_one_message(store: Store, http: httpx.AsyncClient, post: Post) -> None:
    """F20."""
    await hold(store, 7)
    watches = [Watch(store, http, post) for _ in range(4)]
    with later(1.1):
        sent = await asyncio.gather(*(watch.send() for watch in watches))
    assert sorted(each.messages for each in sent) == [0, 0, 0, 1]
    assert len(post.taken) == 1


async def test_a_message_that_was_taken_just_before_the_worker_died_is_sent_again(
    sqlite_store: Store, http: httpx.AsyncClient, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F40: at least once. Nobody but the channel knows that it was taken; a lost alert would be worse than a second."""
    await hold(sqlite_store, 7)
    watch = Watch(sqlite_store, http, post)

    async def dies(*_: object) -> None:
        raise ConnectionError("the worker died")

    with later(1.1):
        with monkeypatch.context() as patch:
            patch.setattr(sqlite_store.alerts, "told", dies)
            with pytest.raises(ConnectionError):
                await watch.send()
        assert await watch.send() == AlertsSent()  # the channel still belongs to the dead worker
    with later(4):
        assert (await watch.send()).messages == 1
    assert len(post.taken) == 2


async def test_a_message_that_a_worker_did_not_get_to_send_is_sent_by_the_next(
    sqlite_store: Store, http: httpx.AsyncClient, post: Post
) -> None:
    """S48."""
    await hold(sqlite_store, 7)
    with later(1.1):
        assert await sqlite_store.channels.claim(FIRST, MINUTE)  # and dies
    with later(4):
        await Watch(sqlite_store, http, post).round()
    assert len(post.taken) == 1


async def test_silence_is_told_with_its_end(sqlite_store: Store, http: httpx.AsyncClient, post: Post) -> None:
    """F35, S50."""
    watch = Watch(sqlite_store, http, post)
    since = datetime(2026, 3, 2, 11, tzinfo=UTC)
    watch.lookout.seen = [Incident("silence/acme/capsule.parties", "acme", "silence", since)]
    await watch.round()
    with later(1.1):
        await watch.round()
    watch.lookout.seen = []
    with later(30):
        await watch.round()
    assert [heard.subject for heard in post.taken] == [
        "Ledgerline: no sweep has ended for too long (acme)",
        "Ledgerline: sweeps end again (acme)",
    ]
    assert "- no sweep of acme/capsule.parties has ended since 2026-03-02 11:00 UTC" in post.taken[0].text


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("backlog/inbox", "changes have waited in the inbox since"),
        ("backlog/freshbooks@acme", "tasks have waited in the queue freshbooks@acme since"),
    ],
)
async def test_a_queue_that_does_not_drain_is_named(
    sqlite_store: Store, http: httpx.AsyncClient, post: Post, key: str, said: str
) -> None:
    watch = Watch(sqlite_store, http, post)
    watch.lookout.seen = [Incident(key, "", "backlog", datetime.now(UTC))]
    await watch.round()
    with later(1.1):
        await watch.round()
    assert said in post.taken[0].text


async def test_a_connection_without_consent_is_told_once_with_what_to_do(
    sqlite_store: Store, http: httpx.AsyncClient, post: Post
) -> None:
    """F13."""
    key = RecordKey("acme", "connection", "capsule")
    await sqlite_store.holds.open("consent/acme/capsule", key, "needs-consent", {})
    watch = Watch(sqlite_store, http, post)
    for minutes in (1.1, 20, 60):
        with later(minutes):
            await watch.round()
    (heard,) = post.taken
    assert heard.subject == "Ledgerline: the connection acme needs consent"
    assert "ledgerline holds show consent/acme/capsule" in heard.text
    assert "ledgerline connect SYSTEM --connection acme" in heard.text


async def test_no_message_quotes_a_record(sqlite_store: Store, http: httpx.AsyncClient, post: Post) -> None:
    """Z132, I9: ids, reasons and commands alone."""
    for number, reason in enumerate(("conflict", "rejected", "doubtful-match", "needs-consent", "bulk-limit")):
        await hold(sqlite_store, number, reason)
    with later(1.1):
        await Watch(sqlite_store, http, post).round()
    assert len(post.taken) == 5
    said = repr(post.taken).lower()
    assert not [secret for secret in ("nora", "quist", "@", PASSWORD) if secret in said]


async def test_nothing_of_an_address_reaches_the_logs(
    sqlite_store: Store, http: httpx.AsyncClient, post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    """Z137, I9: neither when all is well nor when it is not, even where everything is logged."""
    await hold(sqlite_store, 7)
    with everything_logged():
        watch = Watch(sqlite_store, http, post, heartbeat=post.heartbeat_url)
        for minutes, status in ((1.1, 404), (5, 302), (9, 200)):
            post.status = status
            with later(minutes):
                await watch.round()
                await watch.activities.beat()
        post.close()
        await watch.activities.beat()
        await hold(sqlite_store, 8, "rejected")
        with later(20):
            await watch.round()
    logged = capsys.readouterr().err
    assert logged.count("alerts could not be sent; trying again") == 3
    assert "channel 1 (JSON)" in logged
    assert "HTTP 404" in logged
    assert PASSWORD not in logged
    assert f":{post.port}" not in logged  # with its colon: the digits alone may stand in a time of the log


async def test_an_address_that_moved_is_not_followed(sqlite_store: Store, http: httpx.AsyncClient, post: Post) -> None:
    """A stranger who answers for the channel must not lead our messages elsewhere."""
    await hold(sqlite_store, 7)
    post.status = 302
    with later(1.1):
        sent = await Watch(sqlite_store, http, post).send()
    assert (sent.messages, sent.problem) == (0, "HTTP 302")
    assert post.refused == 1


async def test_without_a_channel_the_log_says_that_nobody_is_told(sqlite_store: Store, http: httpx.AsyncClient) -> None:
    await hold(sqlite_store, 7)
    watch = Watch(sqlite_store, http)
    with structlog.testing.capture_logs() as logs:
        seen = await watch.look()
        await watch.look()
    warnings = [each["event"] for each in logs if each["log_level"] == "warning"]
    assert warnings == ["alerts are open and nobody is told: set alerts.urls; see ledgerline alerts list"]
    assert (seen.open, seen.due, seen.anybody_told) == (1, [], False)


async def test_the_heartbeat_reaches_a_monitor_elsewhere(
    sqlite_store: Store, http: httpx.AsyncClient, post: Post
) -> None:
    """F35: who watches the watch."""
    watch = Watch(sqlite_store, http, post, heartbeat=post.heartbeat_url)
    assert (await watch.look()).heartbeat
    assert await watch.activities.beat()
    post.status = 500
    assert not await watch.activities.beat()
    assert post.beats == 1


async def test_a_test_message_says_of_each_channel_whether_it_was_taken(
    sqlite_store: Store, http: httpx.AsyncClient, post: Post, other_post: Post
) -> None:
    other_post.status = 403
    tried = await Watch(sqlite_store, http, post, other_post).activities.try_channels()
    assert [(each.channel, each.problem) for each in tried.trials] == [
        ("channel 1 (JSON)", ""),
        ("channel 2 (JSON)", "HTTP 403"),
    ]
    assert [heard.subject for heard in post.taken] == ["Ledgerline: a test"]


async def test_a_look_that_cannot_see_everything_changes_nothing(
    sqlite_store: Store, http: httpx.AsyncClient, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a look would tell people that something is over."""
    watch = Watch(sqlite_store, http, post)
    watch.lookout.seen = [Incident("backlog/inbox", "", "backlog", datetime.now(UTC))]
    await watch.look()

    async def blind(*_: object) -> Any:
        raise ConnectionError("Temporal is away")

    with monkeypatch.context() as patch:
        patch.setattr(watch.lookout, "incidents", blind)
        with pytest.raises(ConnectionError):
            await watch.look()
    assert len(await sqlite_store.alerts.listed()) == 1


@pytest.mark.parametrize("url", ["slack://short", "mailtos://", "tgram://nonsense"])
def test_an_address_that_is_none_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(UnusableChannel, match="cannot be read") as refused:
        Channel(1, SecretStr(url))
    assert url not in str(refused.value)


@contextmanager
def everything_logged() -> Iterator[None]:
    """Log all that any library says, as a worker with `log_level: debug` does; put the logs back as they were."""
    root, config = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    set_up_logs("worker", level="debug")
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**config)
        structlog.contextvars.clear_contextvars()
