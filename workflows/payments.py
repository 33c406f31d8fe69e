"""A payment is matched to its invoice, and what does not add up waits for a person: one workflow for each payment."""

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.models import HeldRecord, OpenHold, PartyKey
    from activities.payment_models import PaymentJudged, PaymentKey, SettlePayment
    from activities.payment_passes import PaymentPassActivities as Store
    from activities.payments import PaymentActivities
    from activities.queues import FRESHBOOKS
    from workflows.clients import cause_of, rank_of
    from workflows.desk import PAYMENTS, Desk
    from workflows.failures import evidence_of, looks_again, reason_of, text_of
    from workflows.models import Change, Resolution
    from workflows.options import STORE_CALL, api_call
    from workflows.payment_models import PaymentRequest, PaymentResult
    from workflows.search_attributes import IN_STEP, SYNC_STATE


@workflow.defn
class PaymentReconciliation:
    """Look at one payment and its invoice, and have the CRM told once what is paid."""

    @workflow.init
    def __init__(self, request: PaymentRequest) -> None:
        self._key = PaymentKey(connection=request.connection, payment_id=request.payment_id)
        self._changes, self._desk = list(request.changes), Desk()
        self._rank, self._cause = 3, ""

    @workflow.run
    async def run(self, request: PaymentRequest) -> PaymentResult:
        """Make passes until no change waits."""
        result = PaymentResult(outcome="in-step")
        while await self._news(request):
            changes, self._changes = self._changes, []
            self._rank, self._cause = rank_of(changes), cause_of(changes)
            result = await self._pass()
        workflow.upsert_search_attributes([SYNC_STATE.value_set(IN_STEP)])
        workflow.set_current_details(f"**{result.outcome}**")
        return result

    @workflow.signal(description="news that the payment or its invoice may have changed")
    def changed(self, change: Change) -> None:
        """Take note; changes that arrive during a pass become one further pass."""
        self._changes.append(change)

    @workflow.update(description="decide a hold: retry or skip")
    async def resolve(self, resolution: Resolution) -> str:
        """Let the payment go on as a person decided."""
        return await self._desk.decide(resolution)

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        self._desk.check(resolution)

    async def _news(self, request: PaymentRequest) -> bool:
        if not self._changes:
            await workflow.wait_condition(workflow.all_handlers_finished)
        if workflow.info().is_continue_as_new_suggested() and self._changes:
            workflow.continue_as_new(request.model_copy(update={"changes": self._changes}))
        return bool(self._changes)

    async def _pass(self) -> PaymentResult:
        """Judge the payment until it is settled, or a person leaves it alone, or news of it arrived."""
        while True:
            try:
                judged = await self._judged()
            except FailureError as error:
                if is_cancelled_exception(error):
                    raise
                if looks_again(error):
                    continue
                decided = await self._ask(reason_of(error), evidence_of(error), text_of(error))
                if decided is None or decided.choice == "skip":
                    return PaymentResult(outcome="skipped" if decided else "news")
                continue
            known = await workflow.execute_local_activity_method(Store.begin_payment, self._key, **STORE_CALL)
            if known.fingerprint == judged.fingerprint:
                return PaymentResult(outcome="in-step")
            if judged.hold_reason is not None:
                decided = await self._ask(judged.hold_reason, judged.evidence, judged.explanation)
                if decided is None:
                    return PaymentResult(outcome="news")
                if decided.choice == "retry":
                    continue
            await self._settle(judged)
            return PaymentResult(outcome=judged.verdict)

    async def _judged(self) -> PaymentJudged:
        call = api_call(FRESHBOOKS, self._key.connection, self._rank, f"payment {self._key.payment_id} and its invoice")
        return await workflow.execute_activity_method(PaymentActivities.judge_payment, self._key, **call)

    async def _settle(self, judged: PaymentJudged) -> None:
        settled = SettlePayment(key=self._key, judged=judged, cause=self._cause, priority=self._rank)
        await workflow.execute_local_activity_method(Store.settle_payment, settled, **STORE_CALL)

    async def _ask(self, reason: str, evidence: dict[str, object], text: str) -> Resolution | None:
        """Wait for a decision and return it; None once there is news, which may have cured it."""
        hold = OpenHold(
            key=PartyKey(connection=self._key.connection, party_id=0),
            record=HeldRecord(flow=PAYMENTS, record_id=self._key.payment_id),
            reason=reason,
            evidence=evidence,
        )
        return await self._desk.ask(hold, text, lambda: bool(self._changes), self._is_news)

    async def _is_news(self) -> bool:
        return True
