"""Where a workflow waits for a person: the hold, the update that decides it, and what operators see meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from activities.models import OpenHold
    from activities.passes import PassActivities
    from workflows.models import Resolution
    from workflows.options import STORE_CALL
    from workflows.search_attributes import HELD, HOLD_REASON, SYNC_STATE, SYNCING

# What helps depends on why it is held; everything can also be tried again or left alone.
CHOICES = {
    "conflict": "crm, books, create",
    "doubtful-match": "pick (a client or a party), create",
    "duplicate-found": "pick (a client or a party), create, approve",
    "bulk-limit": "approve, reject",
    "breaker": "approve",
    "anomaly": "approve, reject",
    "approval": "approve, reject",
    "money-mismatch": "approve",
}
OF_HOURS = {"approval": "approve, reject", "conflict": "approve", "money-mismatch": "approve"}


OPPORTUNITIES, PAYMENTS, PROOF, HOURS = "opportunities", "payments", "proof", "hours"
PROJECTS, OF_PROJECTS = "projects", {"duplicate-found": "approve"}


def choices_of(reason: str, evidence: Mapping[str, object], flow: str) -> str:
    """Return what a hold can be decided with, besides `retry` and `skip`; "" if that is all.

    An opportunity's conflict has sides only where fields differ, and a wrong sum of its lines cannot be approved.
    Payments and hours are corrected in FreshBooks, or left as they are.
    """
    of_opportunity = flow == OPPORTUNITIES
    if flow == HOURS:
        return OF_HOURS.get(reason, "")
    if flow in {PAYMENTS, PROOF, PROJECTS}:
        return OF_PROJECTS.get(reason, "") if flow == PROJECTS else ""
    if of_opportunity and reason == "conflict":
        return "crm, books" if "fields" in evidence else ""
    if of_opportunity and reason == "money-mismatch" and "predicted" not in evidence:
        return ""
    if of_opportunity and reason in {"anomaly", "duplicate-found", "doubtful-match"}:
        return ""
    return CHOICES.get(reason, "")


def _choices(hold: OpenHold) -> str:
    flow = hold.record.flow if hold.record else OPPORTUNITIES if hold.opportunity_id is not None else ""
    more = choices_of(hold.reason, hold.evidence, flow)
    return ", ".join(filter(None, (more, "retry, skip")))


class Desk:
    """One workflow's hold, if there is one. A workflow has at most one at a time."""

    def __init__(self) -> None:
        self._held: OpenHold | None = None
        self._resolution: Resolution | None = None

    async def decide(self, resolution: Resolution) -> str:
        """Take a person's decision, and return once the workflow goes on."""
        self._resolution = resolution
        await workflow.wait_condition(lambda: self._held is None)
        return f"resolved: {resolution.choice}"

    def check(self, resolution: Resolution) -> None:
        """Raise ApplicationError, for the person to read, unless this decides what is held."""
        if self._held is None:
            raise ApplicationError("nothing is held here: the sync goes on by itself", non_retryable=True)
        if self._resolution is not None:
            raise ApplicationError("somebody has just decided this: look again", non_retryable=True)
        fitting = _choices(self._held)
        strict = self._held.opportunity_id is not None or self._held.record is not None
        if strict and resolution.choice not in fitting.split(", "):
            text = f"{resolution.choice} does not decide a hold of the reason {self._held.reason}; choices: {fitting}"
            raise ApplicationError(text, non_retryable=True)
        if resolution.choice == "pick" and resolution.client_id is None and resolution.party_id is None:
            text = "say which client: {choice: pick, client_id: …}, or which party: {choice: pick, party_id: …}"
            raise ApplicationError(text, non_retryable=True)

    async def ask(
        self,
        hold: OpenHold,
        text: str,
        arrived: Callable[[], bool],
        is_news: Callable[[], Awaitable[bool]],
        *,
        within: timedelta | None = None,
    ) -> Resolution | None:
        """Wait for a decision and return it; None once there is news that may cure the hold.

        `arrived` says that something came, and `is_news` looks whether it matters. Raises TimeoutError if neither
        comes `within` a time.
        """
        self._held, self._resolution = hold, None
        show(HELD, f"{hold.reason}: {text}\n\nDecide with the update `resolve`: {_choices(hold)}.", hold)
        try:
            await workflow.execute_local_activity_method(PassActivities.open_hold, hold, **STORE_CALL)
            resolution = await self._decision(arrived, is_news, within)
        except (asyncio.CancelledError, FailureError, TimeoutError):  # nobody waits any more
            await self._close()
            raise
        await self._close()
        show(SYNCING, f"going on: {resolution.choice if resolution else 'news of the record'}")
        return resolution

    async def approval(
        self,
        hold: OpenHold,
        text: str,
        arrived: Callable[[], bool],
        is_news: Callable[[], Awaitable[bool]],
        waits: tuple[timedelta | None, timedelta | None],
    ) -> Resolution | None:
        """Ask, once more and louder after the first wait, and give up after the second: then it counts as rejected."""
        for within, louder in zip(waits, ("", "still not approved; "), strict=True):
            try:
                return await self.ask(hold, louder + text, arrived, is_news, within=within)
            except TimeoutError:
                continue
        return Resolution(choice="reject")

    async def _decision(
        self, arrived: Callable[[], bool], is_news: Callable[[], Awaitable[bool]], within: timedelta | None
    ) -> Resolution | None:
        while self._resolution is None:
            await workflow.wait_condition(lambda: self._resolution is not None or arrived(), timeout=within)
            if self._resolution is None and await is_news():
                break
        return self._resolution

    async def _close(self) -> None:
        await workflow.execute_local_activity_method(PassActivities.close_hold, **STORE_CALL)
        self._held = None


def show(state: str, details: str, hold: OpenHold | None = None) -> None:
    """Tell operators how it stands: for searching, and in Markdown for reading."""
    reason = HOLD_REASON.value_set(hold.reason) if hold else HOLD_REASON.value_unset()
    workflow.upsert_search_attributes([SYNC_STATE.value_set(state), reason])
    workflow.set_current_details(details)
