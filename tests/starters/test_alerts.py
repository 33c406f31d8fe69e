"""`ledgerline alerts`, and the schedule that keeps the alert watch running."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from temporalio.client import Client, ScheduleOverlapPolicy
from temporalio.worker import Worker

import starters.alerts
from runtime.load import load_settings
from runtime.queues import WORKFLOW_QUEUE
from runtime.settings import Settings
from starters.alerts import NoAnswer, list_alerts, try_channels
from starters.operators import show_status
from starters.schedules import ensure_schedules
from starters.wanted_schedules import ALERTS, wanted_schedules
from store.alerts import Rhythm
from store.store import open_store
from tests.channels import PASSWORD, Post
from tests.sandboxes import Firm
from worker.alerts import alert_queue
from worker.main import account_worker, sandboxed_runner
from workflows.alerts import AlertTest


@pytest.fixture
def post() -> Iterator[Post]:
    """Somebody who takes alerts."""
    opened = Post()
    yield opened
    opened.close()


@asynccontextmanager
async def working(temporal: Client, firm: Firm) -> AsyncIterator[None]:
    """Run what tries the channels, with the settings of the installation."""
    queue = alert_queue(load_settings(), temporal, firm.store, firm.http)
    workflows = Worker(temporal, task_queue=WORKFLOW_QUEUE, workflows=[AlertTest], workflow_runner=sandboxed_runner())
    async with account_worker(temporal, queue), workflows:
        yield


def tell(installed: Path, monkeypatch: pytest.MonkeyPatch, *posts: Post) -> None:
    """Write channels into the settings as an operator does."""
    for number, post in enumerate(posts):
        monkeypatch.setenv(f"CHANNEL_{number}", post.url.get_secret_value())
    content: dict[str, Any] = YAML(typ="safe").load(installed.read_text())
    YAML().dump({**content, "alerts": {"urls": [f"env:CHANNEL_{number}" for number in range(len(posts))]}}, installed)


async def hold(firm: Firm) -> None:
    store = await open_store(load_settings())
    evidence = {"email": "nora@quist.test"}
    await store.holds.open(f"client-upsert/{firm.name}/capsule-party-7", firm.record_key(7), "conflict", evidence)
    await store.close()


async def test_what_needs_a_person_is_listed_and_that_nobody_is_told(
    firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Z72, S46."""
    await hold(firm)
    assert await list_alerts() == 0
    said = capsys.readouterr().out
    assert f"client-upsert/{firm.name}/capsule-party-7" in said
    assert "nobody yet" in said
    assert "nobody is told: set `alerts.urls`" in said
    assert "quist" not in said


async def test_the_list_says_which_channel_was_told_and_which_does_not_answer(
    firm: Firm, installed: Path, post: Post, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(installed, monkeypatch, post)
    await hold(firm)
    store = await open_store(load_settings())
    (group,) = await store.alerts.due(1, Rhythm(timedelta(0), timedelta(0)))
    await store.alerts.told(1, group)
    claim = await store.channels.claim(2, timedelta(minutes=1))
    assert claim is not None
    await store.channels.release(2, claim, "HTTP 503")
    await store.close()
    await list_alerts()
    said = capsys.readouterr().out
    assert re.search(r"channel 1 \d s ago", said)
    assert re.search(r"channel 2 takes no messages since \d s ago: HTTP 503", said)
    assert "nobody is told" not in said


async def test_where_nothing_is_wrong_the_list_says_so(
    firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await list_alerts()
    assert capsys.readouterr().out.startswith("nothing needs a person")


async def test_the_status_counts_open_alerts(firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await hold(firm)
    await show_status()
    assert "1 alerts are open; see `ledgerline alerts list`" in capsys.readouterr().out


async def test_an_operator_tries_the_channels_by_the_way_that_alerts_go(
    temporal: Client,
    firm: Firm,
    installed: Path,
    post: Post,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Z72, Z137."""
    dead = Post()
    dead.close()
    tell(installed, monkeypatch, post)
    async with working(temporal, firm):
        assert await try_channels() == 0
    assert capsys.readouterr().out == "channel 1 (JSON): sent\n"
    tell(installed, monkeypatch, post, dead)
    async with working(temporal, firm):
        assert await try_channels() == 1
    said = capsys.readouterr().out
    assert said == "channel 1 (JSON): sent\nchannel 2 (JSON): no answer, or refused\n"
    assert PASSWORD not in said
    assert [heard.subject for heard in post.taken] == ["Ledgerline: a test"] * 2


async def test_without_channels_there_is_nothing_to_try(
    temporal: Client, firm: Firm, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with working(temporal, firm):
        assert await try_channels() == 1
    assert "nobody is told: set `alerts.urls`" in capsys.readouterr().out


async def test_without_a_worker_the_channels_cannot_be_tried(
    firm: Firm, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starters.alerts, "WORKER_PATIENCE", 0.3)
    with pytest.raises(NoAnswer, match="start one with ledgerline worker"):
        await try_channels()


def test_one_schedule_watches_the_whole_installation(firm: Firm) -> None:
    accounts = {"capsule": {"token": "x"}, "freshbooks": {"token": "y", "account_id": "abc"}}
    for settings in (Settings(), firm.settings, Settings(connections={"acme": accounts, "globex": accounts})):
        assert [each.id for each in wanted_schedules(settings)].count(ALERTS) == 1


async def test_a_watch_that_runs_is_left_alone(temporal: Client) -> None:
    """Its schedule fires every minute, and the list of workflows still holds one line."""
    wanted = [each for each in wanted_schedules(Settings()) if each.id == ALERTS]
    await ensure_schedules(temporal, wanted, run_now=True)
    await ensure_schedules(temporal, wanted, run_now=True)
    handle = temporal.get_schedule_handle(ALERTS)
    described = await handle.describe()
    await handle.delete()
    assert described.schedule.policy.overlap == ScheduleOverlapPolicy.SKIP
    assert described.info.num_actions == 1
    (running,) = described.info.running_actions
    await temporal.get_workflow_handle(getattr(running, "workflow_id", "")).terminate()
