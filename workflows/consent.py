"""An account that only a person can connect again: one hold for all that waits for it.

Its queue is paused meanwhile: activities wait in Temporal and are made once the account is usable again.
"""

import asyncio
import contextlib
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from activities.consent import CONNECTION_FLOW, REASON, ConsentActivities
    from activities.models import AccountKey, Consent
    from workflows.models import ConsentRequest, Resolution
    from workflows.options import STORE_CALL
    from workflows.search_attributes import CONNECTION, FLOW, HELD, HOLD_REASON, IN_STEP, RECORD_KEY, SYNC_STATE

# Whoever connects the account says so; a signal that got lost is made up for by looking now and then.
LOOK_EVERY = timedelta(hours=1)
ANSWER_FIRST = timedelta(seconds=1)


def consent_id(connection: str, system: str) -> str:
    """Return the id of the one workflow that waits for an account's consent."""
    return f"consent/{connection}/{system}"


@workflow.defn
class ConsentNeeded:
    """Hold one account until a person has connected it again, put another token in place, or says that it works."""

    @workflow.init
    def __init__(self, request: ConsentRequest) -> None:
        self._account = AccountKey(connection=request.connection, system=request.system)
        self._resolution: Resolution | None = None
        self._held = self._news = self._decided = False

    @workflow.run
    async def run(self, request: ConsentRequest) -> str:
        """Wait until the account is usable, and return what became of it."""
        try:
            await self._hold_until_cured(request)
        except (asyncio.CancelledError, FailureError):  # nobody waits any more
            await self._close()
            raise
        await self._close()
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._decided:
            # Ended in the same step, the decision would be lost to its caller if the worker's signal came in between.
            await workflow.sleep(ANSWER_FIRST, summary="the person who decided is answered first")
        return "usable"

    @workflow.signal(description="the account may be usable again")
    def look(self) -> None:
        """Have a look."""
        self._news = True

    @workflow.update(description="retry: try once more what is stored")
    async def resolve(self, resolution: Resolution) -> str:
        """Use the account once more. If it is refused again, another hold says so."""
        self._resolution = resolution
        await workflow.wait_condition(lambda: self._resolution is None)
        return f"resolved: {resolution.choice}"

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        if not self._held:
            raise ApplicationError("nothing is held here: the account is usable", non_retryable=True)
        if resolution.choice != "retry":
            place = f"{self._account.system} --connection {self._account.connection}"
            text = f"nothing can be synced without consent: run `ledgerline connect {place}`, or retry"
            raise ApplicationError(text, non_retryable=True)

    async def _hold_until_cured(self, request: ConsentRequest) -> None:
        consent = await self._read()
        while consent.needed:
            text = f"{consent.reason}\n\nWhat to do: {consent.remedy}\n\nOr use the update `resolve`: retry."
            self._show(HELD, text)
            await self._open()
            with contextlib.suppress(TimeoutError):
                await workflow.wait_condition(lambda: self._news or self._resolution is not None, timeout=LOOK_EVERY)
            await self._carry_out()
            consent = await self._read()
            if consent.needed and workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(request)

    async def _open(self) -> None:
        if not self._held:
            self._held = True  # from now on: whoever sees the hold may decide it
            hold = ConsentActivities.open_consent_hold
            await workflow.execute_local_activity_method(hold, self._account, **STORE_CALL)

    async def _carry_out(self) -> None:
        """Do as a person decided, if one did."""
        self._news = False
        if self._resolution is not None:
            again = ConsentActivities.try_account_again
            await workflow.execute_local_activity_method(again, self._account, **STORE_CALL)
            self._resolution, self._decided = None, True

    async def _close(self) -> None:
        if self._held:
            await workflow.execute_local_activity_method(ConsentActivities.close_consent_hold, **STORE_CALL)
            self._held = False
        self._show(IN_STEP, "**usable**")

    async def _read(self) -> Consent:
        return await workflow.execute_local_activity_method(ConsentActivities.read_consent, self._account, **STORE_CALL)

    def _show(self, state: str, details: str) -> None:
        """Tell operators how it stands: for searching, and in Markdown for reading."""
        workflow.upsert_search_attributes(
            [
                CONNECTION.value_set(self._account.connection),
                FLOW.value_set(CONNECTION_FLOW),
                RECORD_KEY.value_set(self._account.system),
                SYNC_STATE.value_set(state),
                HOLD_REASON.value_set(REASON) if state == HELD else HOLD_REASON.value_unset(),
            ]
        )
        workflow.set_current_details(details)
