"""Entering, changing and deleting payments, and what that does to invoices and credit notes.

Source: https://www.freshbooks.com/api/payments, /api/active_deleted
"""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from sandbox.freshbooks.account import ACCOUNT_ID, Account, eastern
from sandbox.freshbooks.credit_write import CreditWriter
from sandbox.freshbooks.document_fields import stamped
from sandbox.freshbooks.errors import unknown
from sandbox.freshbooks.invoices import counting, payments_of, with_balance
from sandbox.freshbooks.payment_fields import DELETED, THING, blank, written
from sandbox.freshbooks.totals import reckoner
from sandbox.freshbooks.values import number, vis_state
from sandbox.ledger import SILENT, Record


class PaymentWriter:
    """Writes payments for callers of the API, whose mistakes are refused, and for people, who (or whose bank's imports)
    also enter refunds, foreign money, and payments without an invoice that exists.
    """

    def __init__(self, account: Account, notes: CreditWriter) -> None:
        self._account, self._credits = account, notes

    def create(self, draft: Record, account_id: str = ACCOUNT_ID, *, by_hand: bool = False) -> Record:
        """Enter a payment and return it. Raises a 404 or a 422."""
        payment = written(self._account, blank(account_id), draft, new=True, by_hand=by_hand)
        number = self._account.next_id(THING)
        return self._store("create", {**payment, "id": number, "logid": number})

    def update(self, payment: Record, changes: Record, *, by_hand: bool = False) -> Record:
        """Change a payment by the first phase that applies, and return it. Raises a 404 or a 422."""
        if "ext_vis_state" in changes:
            return self._store("update", payment)
        if "vis_state" in changes:
            return self._store("update", {**payment, "vis_state": vis_state(changes["vis_state"], THING)})
        if any(key.startswith("action_") for key in changes):
            return self._store("update", payment)
        changed = written(self._account, payment, changes, new=False, by_hand=by_hand)
        return self._store("update", changed, before=payment)

    def edit(self, payment_id: int, changes: Record) -> Record:
        """A person changes a payment. Raises the 404 or a 422."""
        return self.update(self.found(payment_id), changes, by_hand=True)

    def remove(self, payment_id: int) -> Record:
        """A person deletes a payment, which hides it. Raises the 404."""
        return self.edit(payment_id, {"vis_state": DELETED})

    def refund(self, payment_id: int, body: Record) -> Record:
        """A person gives a payment back, in whole or the `amount` in the body: a payment below zero of its invoice."""
        payment = self.found(payment_id)
        given = number("amount", body.get("amount", payment["amount"]["amount"]), THING)
        draft = {**{key: payment[key] for key in ("invoiceid", "clientid", "date", "type")}, **body}
        draft["amount"] = {"amount": str(-given), "code": payment["amount"]["code"]}
        return self.create(draft, payment["accounting_systemid"], by_hand=True)

    def found(self, payment_id: int) -> Record:
        """Return a payment. Raises the 404."""
        payment = self._account.records.get(THING, payment_id)
        if payment is None:
            raise unknown(THING, "logid", payment_id)
        return payment

    def _store(self, operation: str, payment: Record, before: Record | None = None) -> Record:
        """Store a payment, and what follows from it: the credit note of what was too much, and the balances."""
        payment = {**payment, "updated": eastern(self._account.now())}
        payment["overpaymentid"] = self._overpayment(payment)
        self._account.records.commit(operation, THING, payment["id"], payment)
        for each in dict.fromkeys((payment["invoiceid"], *([before["invoiceid"]] if before else []))):
            self._rebalance(each)
        for each in dict.fromkeys((payment["creditid"], *([before["creditid"]] if before else []))):
            self._credits.rebalance(each)
        return payment

    def _overpayment(self, payment: Record) -> int | None:
        """Bring the credit note of an overpayment in step and return its id: made when needed, hidden when not."""
        invoice = self._account.records.get("invoice", payment["invoiceid"])
        excess = self._excess(payment, invoice) if invoice else Decimal(0)
        credit_id: int | None = payment["overpaymentid"]
        if excess <= 0:
            if credit_id is not None:
                self._credits.hide(credit_id)
            return credit_id
        money = reckoner(self._account.settings, payment["amount"]["code"]).money(excess)
        return self._credits.overpaid(credit_id, payment, money)

    def _excess(self, payment: Record, invoice: Record) -> Decimal:
        if not counting([payment], invoice["currency_code"]):
            return Decimal(0)
        others = [each for each in payments_of(self._account, invoice["id"]) if each["id"] != payment["id"]]
        sums = [Decimal(each["amount"]["amount"]) for each in counting(others, invoice["currency_code"])]
        amount = Decimal(payment["amount"]["amount"])
        return min(amount, sum(sums, amount) - Decimal(invoice["amount"]["amount"]))

    def _rebalance(self, invoice_id: int) -> None:
        """Store an invoice with what its payments come to; its own event is sent only if the settings say so."""
        invoice = self._account.records.get("invoice", invoice_id)
        if invoice is None:
            return
        with _hushed(hushed=not self._account.settings.payments_tell_invoices):
            changed = stamped(self._account, with_balance(self._account, invoice))
            self._account.records.commit("update", "invoice", invoice_id, changed)


@contextmanager
def _hushed(*, hushed: bool) -> Iterator[None]:
    token = SILENT.set(SILENT.get() or hushed)
    try:
        yield
    finally:
        SILENT.reset(token)
