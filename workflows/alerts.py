"""The alert watch: looks at everything every half minute, and sees to it that people are told what needs them.

One run goes on for hours, so that the list of workflows holds one line of it and not one for each look; then it
completes, and its schedule starts the next within a minute.
"""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.alerts import ALERT_QUEUE, AlertActivities
    from activities.models import AlertsSeen, AlertsSent, ChannelNumber
    from activities.watch_models import Blindness
    from workflows.models import AlertTestResult, AlertWatchRequest, AlertWatchResult

# Our store, and a few questions to Temporal. What cannot be seen within a minute is looked at in the next round.
LOOK = workflow.ActivityConfig(
    task_queue=ALERT_QUEUE,
    start_to_close_timeout=timedelta(seconds=30),
    schedule_to_close_timeout=timedelta(seconds=60),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(seconds=10)),
)
# A round of messages ends after 75 s by itself. One attempt: the outbox knows what is still to be sent, and when.
SEND = workflow.ActivityConfig(
    task_queue=ALERT_QUEUE,
    start_to_close_timeout=timedelta(seconds=90),
    schedule_to_close_timeout=timedelta(seconds=120),
    heartbeat_timeout=timedelta(seconds=10),
    retry_policy=RetryPolicy(maximum_attempts=1),
)
# One short request. A heartbeat that is lost is made up for by the next.
BEAT = workflow.ActivityConfig(
    task_queue=ALERT_QUEUE,
    start_to_close_timeout=timedelta(seconds=15),
    schedule_to_close_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(maximum_attempts=1),
)
# A person waits for the answer, or nobody else tells them; all channels are tried at once.
TRY = workflow.ActivityConfig(
    task_queue=ALERT_QUEUE,
    start_to_close_timeout=timedelta(seconds=45),
    schedule_to_close_timeout=timedelta(seconds=60),
    retry_policy=RetryPolicy(maximum_attempts=1),
)


@workflow.defn
class AlertWatch:
    """Tell people what needs them, and only that; say to a monitor elsewhere that somebody is watching."""

    def __init__(self) -> None:
        self._blind_since: datetime | None = None
        self._blindness_told = False

    @workflow.run
    async def run(self, request: AlertWatchRequest) -> AlertWatchResult:
        """Watch until the history has grown long."""
        self._remember()
        result = AlertWatchResult(looks=0, messages=0)
        while not workflow.info().is_continue_as_new_suggested():
            result.messages += await self._watch()
            result.looks += 1
            await workflow.sleep(request.every, summary="until the next look")
        result.blind_since, result.blindness_told = self._blind_since, self._blindness_told
        return result

    def _remember(self) -> None:
        """Go on where the run before ended: people are told once of a blindness, however many runs it lasts."""
        earlier = workflow.get_last_completion_result(AlertWatchResult)
        if earlier is not None:
            self._blind_since, self._blindness_told = earlier.blind_since, earlier.blindness_told

    async def _watch(self) -> int:
        """Look, tell, and return how many messages were taken. What fails is tried again in the next round."""
        try:
            seen = await workflow.execute_activity_method(AlertActivities.look, **_said(LOOK, "what is wrong?"))
            sent = await asyncio.gather(*(self._tell(number) for number in seen.due))
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.set_current_details("**The watch could not look** the last time; trying again.")
            # Not since the look began: if Temporal was away, that was long ago, and is over.
            return await self._went_blind(self._blind_since or workflow.now())
        if self._blind_since is not None:
            await self._sees_again(self._blind_since)
        problems = [*seen.failing, *(each.problem for each in sent if each.problem)]
        workflow.set_current_details(_details(seen, sent))
        if seen.heartbeat and not problems:
            await self._beat()
        return sum(each.messages for each in sent)

    async def _went_blind(self, since: datetime) -> int:
        """Tell people once that nobody looks, if it has lasted; return how many messages were taken."""
        self._blind_since = since
        if self._blindness_told or not workflow.patched("tell-blindness"):
            return 0
        sent = await self._tell_of(Blindness(since=since))
        self._blindness_told = sent > 0
        return sent

    async def _sees_again(self, since: datetime) -> None:
        if self._blindness_told:
            await self._tell_of(Blindness(since=since, over=True))
        self._blind_since, self._blindness_told = None, False

    async def _tell_of(self, blindness: Blindness) -> int:
        try:
            told = await workflow.execute_activity_method(
                AlertActivities.tell_blindness, blindness, **_said(TRY, "the watch itself")
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return 0
        return told.messages

    async def _tell(self, number: int) -> AlertsSent:
        channel, tell = ChannelNumber(number=number), _said(SEND, f"messages to channel {number}")
        try:
            return await workflow.execute_activity_method(AlertActivities.send_alerts, channel, **tell)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return AlertsSent(problem=f"channel {number}: the attempt was cut off")

    async def _beat(self) -> None:
        try:
            await workflow.execute_activity_method(AlertActivities.beat, **_said(BEAT, "the watch is alive"))
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise


@workflow.defn
class AlertTest:
    """Send a test message to every channel. `ledgerline alerts test` asks for it."""

    @workflow.run
    async def run(self) -> AlertTestResult:
        """Return what became of it."""
        tried = await workflow.execute_activity_method(AlertActivities.try_channels, **_said(TRY, "a test message"))
        return AlertTestResult(channels={each.channel: each.problem for each in tried.trials})


def _said(config: workflow.ActivityConfig, summary: str) -> workflow.ActivityConfig:
    return {**config, "summary": summary}


def _details(seen: AlertsSeen, sent: list[AlertsSent]) -> str:
    """Return what operators read: how much is open, and what keeps people from being told."""
    lines = [f"**{seen.open} alerts are open**" if seen.open else "**nothing needs a person**"]
    if not seen.anybody_told:
        lines.append("Nobody is told: `alerts.urls` is not set.")
    lines += [f"Not answering: {each}" for each in seen.failing]
    lines += [f"{each.messages} messages sent just now" for each in sent if each.messages]
    return "\n\n".join(lines)
