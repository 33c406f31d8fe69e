"""The alert watch: looks at everything, tells each channel what it does not know yet, and says that it is alive."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx
import structlog
from pydantic import SecretStr
from temporalio import activity

from activities.alert_texts import blind, clock, message, sighted, trial
from activities.channels import MESSAGE_SECONDS, Channel
from activities.lookout import Lookout
from activities.models import AlertsSeen, AlertsSent, ChannelNumber, ChannelTrial, ChannelTrials
from activities.watch_models import Blindness
from store.alerts import Rhythm
from store.store import Store

log = structlog.get_logger()

ALERT_QUEUE = "ledgerline-alerts"
# One round of messages to one channel begins none after this long; the channel is ours for that and one message more.
ROUND_SECONDS = 45.0
LEASE = timedelta(seconds=ROUND_SECONDS + MESSAGE_SECONDS + 5)
HEARTBEAT_SECONDS = 10.0


class AlertActivities:
    """The steps of the alert watch. Channels are numbered from 1, in the order of the settings."""

    def __init__(
        self,
        store: Store,
        lookout: Lookout,
        channels: Sequence[Channel],
        rhythm: Rhythm,
        *,
        http: httpx.AsyncClient,
        heartbeat_url: SecretStr | None,
        blind_after: timedelta = timedelta(minutes=15),
    ) -> None:
        self._store, self._lookout, self._rhythm = store, lookout, rhythm
        self._channels = {channel.number: channel for channel in channels}
        self._http, self._heartbeat_url, self._blind_after = http, heartbeat_url, blind_after
        self._warned_of = 0
        self._tidied_on = datetime.min.replace(tzinfo=UTC).date()

    @property
    def channel_numbers(self) -> Sequence[int]:
        """The channels that there are."""
        return [*self._channels]

    @activity.defn
    async def look(self) -> AlertsSeen:
        """Take note of what is wrong and what is over, and return whom to tell of it. Safe to repeat."""
        await self._tidy()
        watched_since = await self._store.alerts.looked()
        await self._store.alerts.observe(await self._lookout.incidents(watched_since))
        listed = await self._store.alerts.listed()
        self._warn(max((alert.id for alert, _ in listed), default=0))
        failing = {
            each.channel: each for each in await self._store.channels.failing() if each.channel in self._channels
        }
        now = datetime.now(UTC)
        awake = [number for number in self._channels if number not in failing or failing[number].next_try_at <= now]
        return AlertsSeen(
            open=len(listed),
            due=[number for number in awake if await self._store.alerts.due(number, self._rhythm)],
            failing=[
                f"{self._channels[number].name} since {clock(each.since)}: {each.problem}"
                for number, each in failing.items()
            ],
            anybody_told=bool(self._channels),
            heartbeat=self._heartbeat_url is not None,
        )

    @activity.defn
    async def send_alerts(self, asked: ChannelNumber) -> AlertsSent:
        """Tell one channel what is due, unless another attempt is at it or the channel is given a pause.

        A channel that has taken a message just before this process died is sent it again when the claim has run out.
        """
        channel, begun = self._channels.get(asked.number), time.monotonic()
        claim = await self._store.channels.claim(asked.number, LEASE) if channel else None
        if channel is None or claim is None:
            return AlertsSent()
        sent, problem = 0, None
        for group in await self._store.alerts.due(channel.number, self._rhythm):
            if time.monotonic() - begun > ROUND_SECONDS:
                break
            failure = await channel.send(*message(group))
            if failure is None:
                await self._store.alerts.told(channel.number, group)
                sent += 1
            problem = failure or problem
        await self._store.channels.release(channel.number, claim, problem)
        if problem:
            log.warning("alerts could not be sent; trying again", channel=channel.name, reason=problem)
        return AlertsSent(messages=sent, problem=problem or "")

    @activity.defn
    async def tell_blindness(self, blindness: Blindness) -> AlertsSent:
        """Tell every channel that the watch has not been able to look for too long, or that it is able again.

        Nothing is asked of the store, which may be what is away: the workflow remembers who was told.
        """
        if not blindness.over and datetime.now(UTC) - blindness.since < self._blind_after:
            return AlertsSent()
        text = sighted(blindness.since) if blindness.over else blind(blindness.since)
        problems = await asyncio.gather(*(channel.send(*text) for channel in self._channels.values()))
        failed = [problem for problem in problems if problem]
        return AlertsSent(messages=len(problems) - len(failed), problem=next(iter(failed), ""))

    @activity.defn
    async def beat(self) -> bool:
        """Tell the monitor elsewhere that the watch is alive and able to tell people. False if it did not hear."""
        if self._heartbeat_url is None:
            return False
        try:
            answer = await self._http.get(self._heartbeat_url.get_secret_value(), timeout=HEARTBEAT_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL) as error:  # their texts may quote the address
            log.warning("the heartbeat monitor cannot be reached", reason=type(error).__name__)
            return False
        if not answer.is_success:
            log.warning("the heartbeat monitor refused the heartbeat", reason=f"HTTP {answer.status_code}")
        return answer.is_success

    @activity.defn
    async def try_channels(self) -> ChannelTrials:
        """Send a test message to every channel."""
        problems = await asyncio.gather(*(channel.send(*trial()) for channel in self._channels.values()))
        names = [channel.name for channel in self._channels.values()]
        return ChannelTrials(
            trials=[
                ChannelTrial(channel=name, problem=problem or "") for name, problem in zip(names, problems, strict=True)
            ]
        )

    def _warn(self, newest: int) -> None:
        """Where there is no channel at least the log says so, once for each alert."""
        if not self._channels and newest > self._warned_of:
            self._warned_of = newest
            log.warning("alerts are open and nobody is told: set alerts.urls; see ledgerline alerts list")

    async def _tidy(self) -> None:
        today = datetime.now(UTC).date()
        if today > self._tidied_on:
            self._tidied_on = today
            await self._store.alerts.forget_old()
