"""How payments, invoices and credit notes look to the activities that weigh them against each other."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from activities.payment_models import ClientSum
from activities.queues import FRESHBOOKS
from connectors.errors import Refused
from connectors.freshbooks.document_models import Invoice
from connectors.freshbooks.document_models import Money as SaidMoney
from connectors.freshbooks.models import DELETED
from connectors.freshbooks.payment_models import Credit, Payment
from mapping import allocations, payments
from mapping.money import Money, MoneyError
from mapping.values import Value

DRAFT = "draft"
OVERPAYMENT = "overpayment"


def as_payment(said: Payment) -> allocations.Payment:
    """Return a payment as it is reckoned with. Raises Refused for one without amount or day."""
    what = f"payment {said.id}"
    if said.date is None:
        raise Refused(FRESHBOOKS, f"{what} has no date: enter one in FreshBooks, then retry")
    return allocations.Payment(
        id=said.id,
        amount=money(said.amount, what),
        day=said.date,
        invoice_id=said.invoiceid,
        client_id=said.clientid,
        reference=said.transactionid or said.orderid or None,
        bulk_id=said.bulk_paymentid,
        from_credit=bool(said.from_credit),
        is_deleted=said.vis_state == DELETED,
    )


def as_invoice(said: Invoice) -> payments.Invoice:
    """Return an invoice as it is reckoned with. Raises Refused for one that does not say its amounts."""
    what = f"invoice {said.id}"
    amount = money(said.amount, what)
    nothing = Money.of_minor(0, amount.currency)
    paid = money(said.paid, what) if said.paid else nothing
    return payments.Invoice(
        id=said.id,
        client_id=said.customerid or 0,
        amount=amount,
        paid=paid,
        outstanding=money(said.outstanding, what) if said.outstanding else amount - paid,
        payment_status=said.payment_status or "",
        due=said.due_date,
        is_draft=said.state == DRAFT,
        is_deleted=said.vis_state == DELETED,
    )


def money(said: SaidMoney | None, what: str) -> Money:
    """Return an amount exactly. Raises Refused, naming the record, for what is no money."""
    if said is None:
        raise Refused(FRESHBOOKS, f"{what} says no amount: look at it in FreshBooks, then retry")
    try:
        return Money(said.amount, said.code)
    except MoneyError as error:
        raise Refused(FRESHBOOKS, f"the amount of {what} cannot be reckoned with: {error}") from None


def seen_of(payment: Payment) -> dict[str, Value]:
    """Return what a payment is known by: if any of it is another, it has to be judged anew."""
    return {
        "invoice": payment.invoiceid,
        "client": payment.clientid,
        "amount": _text(payment.amount),
        "date": payment.date.isoformat() if payment.date else None,
        "credit": bool(payment.from_credit),
        "deleted": payment.vis_state == DELETED,
    }


def shown_of(invoice: Invoice | None) -> dict[str, Value]:
    """Return what of an invoice decides how its payments are judged."""
    if invoice is None:
        return {"known": False}
    return {
        "amount": _text(invoice.amount),
        "paid": _text(invoice.paid),
        "outstanding": _text(invoice.outstanding),
        "status": invoice.payment_status,
        "deleted": invoice.vis_state == DELETED,
    }


def invoice_sums(invoices: Iterable[Invoice]) -> list[ClientSum]:
    """Return what a page of invoices comes to, by client and currency."""
    found = [as_invoice(each) for each in invoices]
    return _together(
        ClientSum(
            client_id=each.client_id,
            currency=each.amount.currency,
            invoiced=each.amount.minor,
            shown_paid=each.paid.minor,
            outstanding=each.outstanding.minor,
        )
        for each in found
        if not each.is_deleted
    )


def payment_sums(found: Iterable[Payment]) -> list[ClientSum]:
    """Return what a page of payments comes to, by client and currency."""
    live = [as_payment(each) for each in found if each.vis_state != DELETED]
    return _together(
        ClientSum(client_id=each.client_id or 0, currency=each.amount.currency, paid=each.amount.minor) for each in live
    )


def credit_sums(found: Sequence[Credit]) -> list[ClientSum]:
    """Return what of a page of credit notes payments have brought in beyond their invoices, by client and currency."""
    made = [each for each in found if each.credit_type == OVERPAYMENT and each.vis_state != DELETED]
    amounts = [(each.clientid or 0, money(each.amount, f"credit note {each.id}")) for each in made]
    return _together(
        ClientSum(client_id=client_id, currency=amount.currency, overpaid=amount.minor) for client_id, amount in amounts
    )


def _together(parts: Iterable[ClientSum]) -> list[ClientSum]:
    found: dict[tuple[int, str], ClientSum] = {}
    for each in parts:
        known = found.get((each.client_id, each.currency))
        found[each.client_id, each.currency] = known.plus(each) if known else each
    return list(found.values())


def _text(said: SaidMoney | None) -> str | None:
    return None if said is None else f"{Decimal(said.amount).normalize():f} {said.code}"
