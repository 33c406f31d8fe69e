"""The sweep of payments, which finds what no webhook announced, and the daily proof that the books add up."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.models import HeldRecord, OpenHold, PartyKey
    from activities.payment_models import ClientSum, LedgerPage, LedgerSums, PaymentsPage
    from activities.payments import PaymentActivities
    from activities.queues import FRESHBOOKS
    from activities.sweep_models import Stream, SweepEnd, SweptPage
    from activities.sweeps import CursorActivities
    from workflows.desk import PROOF, Desk
    from workflows.models import Resolution, SweepResult
    from workflows.options import STORE_CALL, api_call
    from workflows.payment_models import PaymentSweepRequest, ProofRequest, ProofResult
    from workflows.sweeps import BACKFILL, SWEEP

PAYMENTS_STREAM = "freshbooks.payments"
SWEPT = ("payments", "deleted payments", "deleted invoices")
PARTS = ("invoices", "payments", "credits")


@workflow.defn
class PaymentSweep:
    """List the payments that changed or were deleted, and deleted invoices, announce the payments that were not judged
    as they are, and then move the cursor.
    """

    @workflow.run
    async def run(self, request: PaymentSweepRequest) -> SweepResult:
        """Read each list to its end."""
        self._now, stream = request, Stream(connection=request.connection, name=PAYMENTS_STREAM)
        if request.started_at is None:
            start = await workflow.execute_local_activity_method(CursorActivities.begin_sweep, stream, **STORE_CALL)
            self._update(since=start.since, started_at=start.started_at)
        parts = len(SWEPT) if workflow.patched("deleted-payments") else 1
        while self._now.part < parts:
            await self._read_list()
            self._update(part=self._now.part + 1, page=1)
        end = SweepEnd(stream=stream, read_until=self._now.started_at or workflow.now())
        await workflow.execute_local_activity_method(CursorActivities.end_sweep, end, **STORE_CALL)
        return SweepResult(listed=self._now.listed, announced=self._now.announced, passes=1)

    async def _read_list(self) -> None:
        has_more = True
        while has_more:
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self._now)
            swept, now = await self._read_page(), self._now
            has_more = swept.has_more
            listed, announced = now.listed + swept.listed, now.announced + swept.announced
            self._update(page=now.page + 1, listed=listed, announced=announced)

    async def _read_page(self) -> SweptPage:
        now, what = self._now, SWEPT[self._now.part]
        rank = SWEEP if now.since else BACKFILL
        page = PaymentsPage(
            connection=now.connection, since=now.since, page=now.page, priority=rank, deleted=now.part > 0
        )
        call = api_call(FRESHBOOKS, now.connection, rank, f"page {now.page} of {what}")
        if what == "deleted invoices":
            return await workflow.execute_activity_method(PaymentActivities.sweep_deleted_invoices, page, **call)
        return await workflow.execute_activity_method(PaymentActivities.sweep_payments, page, **call)

    def _update(self, **changes: object) -> None:
        self._now = self._now.model_copy(update=changes)


@workflow.defn
class LedgerProof:
    """Add up every invoice, payment and credit, by client and currency: what is outstanding must be what is left.

    Sums that do not meet are one hold, with the numbers.
    """

    @workflow.init
    def __init__(self, request: ProofRequest) -> None:
        self._now, self._desk = request, Desk()
        self._sums = {(each.client_id, each.currency): each for each in request.sums}

    @workflow.run
    async def run(self, request: ProofRequest) -> ProofResult:
        """Read all three lists, and ask a person about what does not add up."""
        del request
        while self._now.part < len(PARTS):
            await self._read_list()
            self._update(part=self._now.part + 1, page=1)
        unproven = [each for _, each in sorted(self._sums.items()) if not each.is_proven]
        result = ProofResult(listed=self._now.listed, proven=len(self._sums) - len(unproven), unproven=unproven)
        workflow.set_current_details(f"{result.proven} of {len(self._sums)} sums meet, {result.listed} records")
        if unproven:
            await self._ask(unproven)
        return result

    @workflow.update(description="decide a hold: retry or skip")
    async def resolve(self, resolution: Resolution) -> str:
        """Add up everything once more, or let the proof end."""
        return await self._desk.decide(resolution)

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        self._desk.check(resolution)

    async def _read_list(self) -> None:
        has_more = True
        while has_more:
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self._now.model_copy(update={"sums": list(self._sums.values())}))
            page = await self._page()
            for each in page.sums:
                known = self._sums.get((each.client_id, each.currency))
                self._sums[each.client_id, each.currency] = known.plus(each) if known else each
            has_more = page.has_more
            self._update(page=self._now.page + 1, listed=self._now.listed + page.listed)

    async def _page(self) -> LedgerSums:
        part = PARTS[self._now.part]
        asked = LedgerPage(connection=self._now.connection, part=part, page=self._now.page)
        call = api_call(FRESHBOOKS, self._now.connection, SWEEP, f"page {self._now.page} of all {part}")
        return await workflow.execute_activity_method(PaymentActivities.sum_page, asked, **call)

    async def _ask(self, unproven: list[ClientSum]) -> None:
        clients = ", ".join(str(each.client_id) for each in unproven[:20])
        text = (
            f"invoices less payments and credits are not what is outstanding, for {len(unproven)} sums "
            f"(clients {clients}): the numbers are in the evidence; correct FreshBooks, or skip"
        )
        evidence: dict[str, object] = {"explanation": text, "sums": [each.model_dump() for each in unproven]}
        hold = OpenHold(
            key=PartyKey(connection=self._now.connection, party_id=0),
            record=HeldRecord(flow=PROOF, record_id=unproven[0].client_id),
            reason="money-mismatch",
            evidence=evidence,
        )
        decided = await self._desk.ask(hold, text, lambda: False, self._no_news)
        if decided is not None and decided.choice != "skip":
            workflow.continue_as_new(ProofRequest(connection=self._now.connection))

    async def _no_news(self) -> bool:
        return False

    def _update(self, **changes: object) -> None:
        self._now = self._now.model_copy(update=changes)
