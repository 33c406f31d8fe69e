"""One attempt to bill a client's hours: plan, claim the entries, make the invoice, mark the entries."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.billing_models import BillKey, BillPlan, InvoiceMade, OpenBill, PlanBill
    from activities.models import HeldRecord, OpenHold, PartyKey
    from workflows.billing_calls import BillingCalls
    from workflows.billing_models import BillingChoice
    from workflows.desk import HOURS, show
    from workflows.models import Resolution
    from workflows.search_attributes import IN_DOUBT, SYNCING

Ask = Callable[[OpenHold, str, BillPlan | None], Awaitable[Resolution]]


class Again(Exception):
    """A person decided, or something moved while we looked: make another attempt."""


class Left(Exception):
    """A person leaves the hours alone for now: skipped, or rejected."""


class BillingPass:
    """A pass over one client's hours. `choice` is what a person has decided so far."""

    def __init__(self, key: BillKey, calls: BillingCalls, ask: Ask, choice: BillingChoice) -> None:
        self._key, self._calls, self._ask = key, calls, ask
        self.choice = choice
        self.settle_time = timedelta(0)

    async def attempt(self, first: date | None, until: date) -> int | None:
        """Bring one bill to its end and return its invoice's id; None if there is nothing to bill.

        Raises Again, Left, and FailureError for what an activity could not do.
        """
        standing = await self._calls.begin()
        self.settle_time = standing.settle_time
        bill = standing.bill or await self._claimed(first, until)
        if bill is None:
            return None
        if bill.invoice_id is None:
            bill = await self._invoiced(bill)
        elif standing.is_mismatched and not self.choice.mismatch:
            # A pass that asked about the total was overtaken, or somebody wanted another look: read it anew, ask again.
            await self._compare(bill, await self._calls.adopt(bill))
        if bill.is_final and not bill.is_sent:
            await self._calls.send(bill)
        await self._mark(bill)
        await self._calls.finish(bill)
        return bill.invoice_id

    async def _claimed(self, first: date | None, until: date) -> OpenBill | None:
        asked = PlanBill(key=self._key, first=first, until=until, approved=self.choice.approved)
        plan = await self._calls.plan(asked)
        if plan.hold_reason is not None:
            await self._decided(self.held(plan.hold_reason, plan.evidence), plan.explanation, plan)
            raise Again
        if not plan.lines:
            return None
        claimed = await self._calls.claim(plan)
        if claimed.bill is None:
            raise Again
        return claimed.bill

    async def _invoiced(self, bill: OpenBill) -> OpenBill:
        """Return the bill with its invoice: found, if a lost answer has left one, or made."""
        await self._settle(bill)
        bill = await self._calls.reserve(bill)
        await self._settle(bill)
        found = await self._calls.look(bill)
        if found.ours is not None:
            made = await self._calls.adopt(bill.model_copy(update={"invoice_id": found.ours}))
        elif found.foreign is not None:
            await self._number_taken(bill, found.foreign)
            raise Again
        else:
            made = await self._made(bill)
        await self._compare(bill, made)
        return bill.model_copy(update={"invoice_id": made.invoice_id})

    async def _made(self, bill: OpenBill) -> InvoiceMade:
        """Make the invoice, unless its entries were changed since they were claimed: then all begins anew."""
        checked = await self._calls.check(bill)
        if checked.changed:
            await self._calls.drop(bill)
            raise Again
        if bill.create is not None and bill.create.in_doubt:
            bill = await self._calls.reopen(bill)
        return await self._calls.create(bill)

    async def _settle(self, bill: OpenBill) -> None:
        """Wait until a create whose answer was lost can no longer take effect unseen."""
        create = bill.create
        if create is None or not create.in_doubt or create.settle_until is None:
            return
        wait = create.settle_until - workflow.now()
        if wait > timedelta(0):
            show(IN_DOUBT, f"invoice {bill.number} was not answered; looking again in {wait.total_seconds():.0f} s")
            await workflow.sleep(wait, summary="until the lost create has settled")
        show(SYNCING, "looking for what a lost create may have left")

    async def _number_taken(self, bill: OpenBill, invoice_id: int) -> None:
        text = (
            f"invoice {invoice_id}, which is not ours, has the number {bill.number} of this bill: "
            "give it another number, then retry"
        )
        await self._decided(self.held("duplicate-found", {"explanation": text}), text, None)

    async def _compare(self, bill: OpenBill, made: InvoiceMade) -> None:
        if not made.mismatch or self.choice.mismatch:
            return
        evidence: dict[str, object] = {
            "explanation": made.mismatch,
            "predicted": bill.plan.predicted,
            "answered": made.total,
            "currency": bill.plan.currency,
        }
        decided = await self._decided(self.held("money-mismatch", evidence), made.mismatch, None)
        if decided.choice != "approve":
            raise Again
        self.choice.mismatch = True

    async def _mark(self, bill: OpenBill) -> None:
        """Mark every entry as billed. What somebody changed meanwhile is shown to a person, with its ids."""
        odd: dict[str, list[int]] = {}
        for entry in bill.entries:
            if entry.is_marked:
                continue
            marked = await self._calls.mark(bill, entry, anyway=self.choice.changed)
            if marked.outcome != "marked":
                odd.setdefault(marked.outcome, []).append(entry.entry_id)
        if not odd:
            return
        listed = "; ".join(f"{outcome}: {', '.join(map(str, ids))}" for outcome, ids in sorted(odd.items()))
        text = (
            f"invoice {bill.invoice_id} holds time entries that somebody changed while it was made ({listed}): "
            "correct the invoice or the entries; `retry` looks again, `approve` leaves the invoice as it is"
        )
        decided = await self._decided(self.held("conflict", {"explanation": text, "entries": odd}), text, None)
        self.choice.changed = decided.choice == "approve"
        raise Again

    async def _decided(self, hold: OpenHold, text: str, plan: BillPlan | None) -> Resolution:
        decided = await self._ask(hold, text, plan)
        if decided.choice in {"skip", "reject"}:
            raise Left(decided.choice)
        return decided

    def held(self, reason: str, evidence: dict[str, object]) -> OpenHold:
        """Return a hold of this client's hours."""
        return OpenHold(
            key=PartyKey(connection=self._key.connection, party_id=0),
            record=HeldRecord(flow=HOURS, record_id=self._key.client_id),
            reason=reason,
            evidence=evidence,
        )
