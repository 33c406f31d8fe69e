"""What holds of payments whatever happened: nothing counts twice, proofs hold, and every planted error is found."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from mapping.allocations import Payment
from mapping.money import Money
from mapping.payment_troubles import PaymentTrouble
from mapping.payments import Invoice, PaymentRules, reconcile
from mapping.statements import Credit, CreditKind, statements
from tests.mapping.parties import patient

TODAY = date(2026, 4, 30)
CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])
CLIENTS = st.sampled_from([7, 8])
DAYS = st.integers(0, 200).map(lambda back: TODAY - timedelta(days=back))
MINOR = st.integers(-2_000, 200_000)


@dataclass(frozen=True)
class History:
    """What happened in an account: invoices that show nothing yet, payments of all kinds, credit notes."""

    invoices: tuple[Invoice, ...]
    payments: tuple[Payment, ...]
    credits: tuple[Credit, ...]


@st.composite
def invoice_of(draw: st.DrawFn, number: int) -> Invoice:
    amount = Money.of_minor(draw(st.integers(-500, 150_000)), draw(CURRENCIES))
    zero = Money.of_minor(0, amount.currency)
    kept = {"is_draft": draw(st.booleans()), "is_deleted": draw(st.integers(0, 5)) == 0}
    return Invoice(number, draw(CLIENTS), amount, zero, amount, "unpaid", draw(st.none() | DAYS), **kept)


@st.composite
def payment_of(draw: st.DrawFn, number: int, invoices: Sequence[Invoice]) -> Payment:
    """A payment that mostly fits an invoice, and otherwise fits none in one of the ways in which they do not."""
    target = draw(st.sampled_from([*invoices, *invoices, None]))
    astray = draw(st.integers(0, 9)) == 0
    currency = draw(CURRENCIES) if target is None or astray else target.amount.currency
    return Payment(
        number,
        Money.of_minor(draw(MINOR), currency),
        draw(DAYS),
        draw(st.sampled_from([None, 0, 404])) if target is None else target.id,
        draw(st.none() | CLIENTS) if target is None or astray else target.client_id,
        reference=draw(st.sampled_from([None, "a", "b"])),
        from_credit=draw(st.integers(0, 4)) == 0,
        is_deleted=draw(st.integers(0, 9)) == 0,
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    invoices = tuple(draw(invoice_of(number)) for number in range(70, 70 + draw(st.integers(1, 4))))
    payments = tuple(draw(payment_of(number, invoices)) for number in range(1, 1 + draw(st.integers(0, 8))))
    amounts = st.builds(Money.of_minor, st.integers(0, 50_000), CURRENCIES)
    kept = st.builds(Credit, st.integers(500, 510), CLIENTS, amounts, st.sampled_from(CreditKind), st.booleans())
    return History(invoices, payments, tuple(draw(st.lists(kept, max_size=3))))


def shown_rightly(history: History) -> list[Invoice]:
    """Return the invoices as they must be shown, reckoned here in plain minor units, payment by payment."""
    shown = []
    for one in history.invoices:
        fits = [
            each.amount.minor
            for each in history.payments
            if each.invoice_id == one.id
            and not each.is_deleted
            and each.amount.currency == one.amount.currency
            and each.client_id in (None, one.client_id)
        ]
        paid = min(max(sum(fits), 0), max(one.amount.minor, 0))
        left = one.amount.minor - paid
        status = "paid" if left <= 0 else "partial" if paid else "unpaid"
        numbers = [Money.of_minor(minor, one.amount.currency) for minor in (paid, left)]
        shown.append(replace(one, paid=numbers[0], outstanding=numbers[1], payment_status=status))
    return shown


@patient
@given(histories())
def test_allocations_never_exceed_the_payment_nor_what_is_outstanding(history: History) -> None:
    """F28"""
    found = reconcile(history.invoices, history.payments)
    applied: dict[int, int] = defaultdict(int)
    for each in found.allocations:
        assert (each.applied + each.refunded + each.over) == each.payment.amount
        assert 0 <= each.applied.minor <= max(each.payment.amount.minor, 0)
        applied[each.payment.invoice_id or 0] += each.applied.minor
    for one in found.balances:
        assert applied[one.invoice.id] == one.applied.minor <= max(one.invoice.amount.minor, 0)
        assert one.outstanding.minor == one.invoice.amount.minor - applied[one.invoice.id]


@patient
@given(histories())
def test_every_live_payment_is_allocated_or_told_to_be_astray(history: History) -> None:
    """F27"""
    found = reconcile(history.invoices, history.payments)
    seen = [each.payment.id for each in found.allocations] + [each.id for each in found.astray]
    assert sorted(seen) == [each.id for each in history.payments if not each.is_deleted]
    counted = {PaymentTrouble.DUPLICATE, PaymentTrouble.OVER_REFUNDED}
    told = {each.payment_id for each in found.findings if each.trouble not in counted}
    assert told == {each.id for each in found.astray}


@patient
@given(histories())
def test_invoices_less_payments_less_credits_are_what_is_outstanding_in_any_history(history: History) -> None:
    """Z13, Z85: and what came in is either applied or kept for the client, to the minor unit."""
    found = statements(reconcile(history.invoices, history.payments), history.credits, TODAY)
    assert all(one.is_proven for one in found)
    by_currency: dict[str, int] = defaultdict(int)
    for one in found:
        by_currency[one.currency] += one.balance.minor
    owed: dict[str, int] = defaultdict(int)
    for invoice in history.invoices:
        owed[invoice.amount.currency] += 0 if invoice.is_deleted else invoice.amount.minor
    for payment in history.payments:
        owed[payment.amount.currency] -= 0 if payment.is_deleted or payment.from_credit else payment.amount.minor
    for credit in history.credits:
        counts = not credit.is_deleted and credit.kind is not CreditKind.OVERPAYMENT
        owed[credit.amount.currency] -= credit.amount.minor if counts else 0
    assert {code: minor for code, minor in by_currency.items() if minor} == {
        code: minor for code, minor in owed.items() if minor
    }


@patient
@given(histories())
def test_books_that_show_what_was_paid_have_no_difference(history: History) -> None:
    """Z85"""
    assert [
        one.differences for one in reconcile(shown_rightly(history), history.payments).balances if one.differences
    ] == []


@patient
@given(histories(), st.data())
def test_any_number_that_is_off_is_found_with_its_size(history: History, data: st.DataObject) -> None:
    """F24, S33: every planted error, and no other invoice is suspected."""
    invoices = shown_rightly(history)
    live = [place for place, each in enumerate(invoices) if not each.is_deleted]
    assume(live)
    place = data.draw(st.sampled_from(live))
    field = data.draw(st.sampled_from(["paid", "outstanding"]))
    off = data.draw(st.integers(-1_000, 1_000).filter(bool))
    right, more = invoices[place], Money.of_minor(off, invoices[place].amount.currency)
    wrong = replace(right, paid=right.paid + more), replace(right, outstanding=right.outstanding + more)
    invoices[place] = wrong[field == "outstanding"]
    found = {one.invoice.id: one.differences for one in reconcile(invoices, history.payments).balances}
    assert {number for number, told in found.items() if told} == {invoices[place].id}
    assert [(each.field, each.minor) for each in found[invoices[place].id]] == [(field, off)]


@patient
@given(histories(), st.data())
def test_a_payment_that_was_changed_behind_the_invoices_back_is_found(history: History, data: st.DataObject) -> None:
    """F28, F30, S33: deleted, or another amount, while the invoice still shows what it did."""
    invoices = shown_rightly(history)
    before = {one.invoice.id: one.applied for one in reconcile(invoices, history.payments).balances}
    assume(history.payments)
    place = data.draw(st.integers(0, len(history.payments) - 1))
    one = history.payments[place]
    more = Money.of_minor(data.draw(st.integers(1, 5_000)), one.amount.currency)
    edited = data.draw(st.sampled_from([replace(one, is_deleted=True), replace(one, amount=one.amount + more)]))
    payments = [edited if each.id == one.id else each for each in history.payments]
    after = reconcile(invoices, payments).balances
    assert {each.invoice.id for each in after if each.differences} == {
        each.invoice.id for each in after if each.applied != before[each.invoice.id]
    }


@patient
@given(histories().flatmap(lambda one: st.tuples(st.just(one), st.permutations(one.payments))))
def test_the_order_in_which_payments_were_read_changes_nothing(given_: tuple[History, list[Payment]]) -> None:
    history, shuffled = given_
    rules = PaymentRules()
    assert reconcile(history.invoices, history.payments, rules) == reconcile(history.invoices[::-1], shuffled, rules)


@patient
@given(histories(), st.data())
def test_the_same_money_entered_a_second_time_is_found(history: History, data: st.DataObject) -> None:
    """F3, S33"""
    named = [each for each in history.payments if each.reference and not each.from_credit and not each.is_deleted]
    assume(named)
    again = replace(data.draw(st.sampled_from(named)), id=99)
    found = reconcile(history.invoices, [*history.payments, again]).findings
    assert any(each.trouble is PaymentTrouble.DUPLICATE and each.payment_id == 99 for each in found)
