"""What payments come to, by examples that a bookkeeper can check."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mapping.allocations import Payment, allocate
from mapping.money import Money, MoneyError
from mapping.payment_troubles import Finding, PaymentTrouble
from mapping.payments import (
    Difference,
    Invoice,
    InvoiceBalance,
    OverpaidShown,
    PaidStatus,
    PaymentRules,
    Reconciled,
    Standing,
    reconcile,
)


def money(text: str, currency: str = "EUR") -> Money:
    return Money.parse(text, currency)


def invoice(amount: str = "1234.50", paid: str = "0", currency: str = "EUR", **values: Any) -> Invoice:
    """Return invoice 70 of client 7 as FreshBooks shows it, its numbers and status agreeing unless said otherwise."""
    asked, shown = money(amount, currency), money(paid, currency)
    status = "paid" if shown == asked else "partial" if shown.minor else "unpaid"
    known: dict[str, Any] = {
        "id": 70,
        "client_id": 7,
        "amount": asked,
        "paid": shown,
        "outstanding": asked - shown,
        "payment_status": status,
    }
    return Invoice(**{**known, **values})


def payment(number: int, amount: str, day: str = "2026-03-10", currency: str = "EUR", **values: Any) -> Payment:
    """Return a payment of client 7 for invoice 70."""
    known = {"invoice_id": 70, "client_id": 7}
    return Payment(number, money(amount, currency), date.fromisoformat(day), **{**known, **values})


def balance(one: Invoice, *payments: Payment, **rules: Any) -> InvoiceBalance:
    return reconcile([one], payments, PaymentRules(**rules)).balances[0]


def troubles(found: Reconciled) -> list[tuple[PaymentTrouble, int]]:
    return [(each.trouble, each.payment_id) for each in found.findings]


@pytest.mark.parametrize(
    ("paid", "standing", "status", "outstanding"),
    [
        ([], Standing.UNPAID, PaidStatus.UNPAID, "1234.50"),
        (["500.00"], Standing.PARTIAL, PaidStatus.PARTIAL, "734.50"),
        (["1209.81"], Standing.UNDER, PaidStatus.PARTIAL, "24.69"),
        (["1209.80"], Standing.PARTIAL, PaidStatus.PARTIAL, "24.70"),
        (["500.00", "734.50"], Standing.PAID, PaidStatus.PAID, "0.00"),
        (["1234.50", "0.01"], Standing.OVER, PaidStatus.PAID, "0.00"),
        (["1234.50", "-1234.50"], Standing.REFUNDED, PaidStatus.UNPAID, "1234.50"),
        (["1234.50", "-234.50"], Standing.REFUNDED, PaidStatus.PARTIAL, "234.50"),
        (["1300.00", "-65.50"], Standing.PAID, PaidStatus.PAID, "0.00"),
    ],
)
def test_invoices_are_told_apart_by_what_was_paid(
    paid: list[str], standing: Standing, status: PaidStatus, outstanding: str
) -> None:
    """Z13, F28: two percent of 1,234.50 are 24.69, which a bank may have kept."""
    found = balance(invoice(), *(payment(number, amount) for number, amount in enumerate(paid, 1)))
    assert (found.standing, found.status, found.outstanding.format()) == (standing, status, outstanding)


@pytest.mark.parametrize(
    ("currency", "amount", "paid", "outstanding"),
    [("EUR", "1234.50", "1234.49", "0.01"), ("JPY", "1250", "1249", "1"), ("KWD", "10.125", "10.124", "0.001")],
)
def test_a_minor_unit_of_any_currency_is_outstanding_until_it_is_paid(
    currency: str, amount: str, paid: str, outstanding: str
) -> None:
    """S40"""
    found = balance(invoice(amount, currency=currency), payment(1, paid, currency=currency))
    assert (found.outstanding.format(), found.status) == (outstanding, PaidStatus.PARTIAL)


def test_a_payment_in_part_is_never_booked_for_the_whole() -> None:
    """F28"""
    (found,) = allocate(money("1234.50"), [payment(1, "500.00")])
    assert (found.applied, found.refunded, found.over) == (money("500.00"), money("0"), money("0"))


def test_the_payment_that_came_too_late_is_the_one_that_is_over() -> None:
    """F28: 1,000.00 and 300.00 for 1,234.50; by day, not in the order in which they were entered."""
    found = allocate(money("1234.50"), [payment(1, "300.00", "2026-03-12"), payment(2, "1000.00", "2026-03-10")])
    assert [(each.payment.id, each.applied.format(), each.over.format()) for each in found] == [
        (2, "1000.00", "0.00"),
        (1, "234.50", "65.50"),
    ]


def test_what_is_given_back_comes_off_the_last_payment_first() -> None:
    """600.00 and 634.50 less 700.00 leave 534.50, all of the first payment."""
    payments = [
        payment(1, "600.00", "2026-03-10"),
        payment(2, "634.50", "2026-03-11"),
        payment(3, "-700.00", "2026-03-20"),
    ]
    found = allocate(money("1234.50"), payments)
    assert [(each.applied.format(), each.refunded.format(), each.over.format()) for each in found] == [
        ("534.50", "65.50", "0.00"),
        ("0.00", "634.50", "0.00"),
        ("0.00", "-700.00", "0.00"),
    ]


def test_a_payment_in_another_currency_is_never_allocated() -> None:
    """F26"""
    with pytest.raises(MoneyError, match="do not mix"):
        allocate(money("1234.50"), [payment(1, "1234.50", currency="USD")])


@pytest.mark.parametrize(
    ("values", "trouble", "text"),
    [
        ({"invoice_id": None}, PaymentTrouble.UNAPPLIED, "payment 1 names no invoice: apply it to one"),
        ({"invoice_id": 0}, PaymentTrouble.UNAPPLIED, "payment 1 names no invoice: apply it to one"),
        (
            {"invoice_id": 404},
            PaymentTrouble.ORPHAN,
            "payment 1 is for invoice 404, which is deleted or unknown: restore it, or move the payment",
        ),
        (
            {"currency": "USD"},
            PaymentTrouble.WRONG_CURRENCY,
            "payment 1 is not in the currency of invoice 70, and nothing here converts: correct it",
        ),
        (
            {"client_id": 8},
            PaymentTrouble.WRONG_CLIENT,
            "payment 1 is from another client than invoice 70 is for: correct either",
        ),
    ],
)
def test_a_payment_that_fits_no_invoice_pays_none_and_is_told(
    values: dict[str, Any], trouble: PaymentTrouble, text: str
) -> None:
    """F26, F27"""
    found = reconcile([invoice()], [payment(1, "1234.50", **values)])
    assert troubles(found) == [(trouble, 1)]
    assert found.findings[0].reason() == text
    assert [each.id for each in found.astray] == [1]
    assert found.balances[0].standing is Standing.UNPAID


def test_a_payment_for_a_deleted_invoice_is_an_orphan() -> None:
    """F30"""
    found = reconcile([invoice(is_deleted=True)], [payment(1, "1234.50")])
    assert troubles(found) == [(PaymentTrouble.ORPHAN, 1)]
    assert found.balances == ()


def test_a_deleted_payment_counts_for_nothing() -> None:
    """F30: FreshBooks deletes softly, and the row is still there."""
    found = reconcile([invoice()], [payment(1, "1234.50", is_deleted=True)])
    assert (found.balances[0].standing, found.findings, found.allocations) == (Standing.UNPAID, (), ())


def test_the_same_money_entered_twice_is_told_and_not_taken_away() -> None:
    """F3: the second one may be a real payment, and FreshBooks counts both."""
    one, two = payment(1, "500.00", reference="bank:tx:88120"), payment(2, "500.00", reference="Bank TX 88120")
    found = reconcile([invoice()], [two, one])
    assert found.findings == (Finding(PaymentTrouble.DUPLICATE, 2, 70, 1),)
    assert found.findings[0].reason() == (
        "payment 2 has reference, amount and date of payment 1: delete one if it is the same money"
    )
    assert found.balances[0].applied == money("1000.00")


@pytest.mark.parametrize(
    "other",
    [
        {"reference": "88121"},
        {"reference": None},
        {"amount": "500.01"},
        {"day": "2026-03-11"},
        {"client_id": 8, "invoice_id": 71},
        {"bulk_id": 9, "invoice_id": 71},
        {"from_credit": True},
        {"is_deleted": True},
    ],
)
def test_payments_that_differ_are_no_duplicates(other: dict[str, Any]) -> None:
    """One transfer may pay two invoices of the same amount."""
    known: dict[str, Any] = {"amount": "500.00", "reference": "88120", "bulk_id": 9 if "bulk_id" in other else None}
    invoices = [invoice(), invoice(id=71, client_id=other.get("client_id", 7))]
    found = reconcile(invoices, [payment(1, **known), payment(2, **{**known, **other})])
    assert troubles(found) == []


def test_two_payments_without_a_reference_are_two() -> None:
    assert reconcile([invoice()], [payment(1, "500.00"), payment(2, "500.00", reference=" ")]).findings == ()


def test_giving_back_more_than_was_paid_is_told() -> None:
    found = reconcile([invoice()], [payment(1, "100.00"), payment(2, "-150.00")])
    assert troubles(found) == [(PaymentTrouble.OVER_REFUNDED, 2)]
    one = found.balances[0]
    assert (one.applied.format(), one.refunded.format(), one.over.format()) == ("0.00", "100.00", "-50.00")


def test_an_invoice_that_shows_what_was_paid_has_no_difference() -> None:
    found = balance(invoice(paid="500.00"), payment(1, "500.00"))
    assert (found.differences, found.reason(), found.amounts()) == ((), "", "")


def test_an_invoice_that_still_shows_a_deleted_payment_is_told_with_the_numbers() -> None:
    """Z85, F28, F30: the reason may be logged, the amounts are for the hold alone."""
    found = balance(invoice(paid="1234.50"), payment(1, "500.00"), payment(2, "734.50", is_deleted=True))
    assert found.differences == (
        Difference("paid", money("500.00"), money("1234.50")),
        Difference("outstanding", money("734.50"), money("0.00")),
        Difference("payment_status", PaidStatus.PARTIAL, "paid"),
    )
    assert [each.minor for each in found.differences] == [73_450, -73_450, None]
    assert found.reason() == (
        "invoice 70 shows other paid and outstanding and payment_status than its payments come to: look for a payment "
        "that was changed or deleted, or entered without its invoice"
    )
    assert found.amounts() == (
        "invoice 70: paid must be 500.00 EUR, FreshBooks shows 1234.50 EUR; outstanding must be 734.50 EUR, FreshBooks "
        "shows 0.00 EUR; payment_status must be partial, FreshBooks shows paid"
    )


def test_a_cent_of_difference_is_found() -> None:
    """F24"""
    found = balance(invoice(paid="500.01"), payment(1, "500.00"))
    assert [(each.field, each.minor) for each in found.differences] == [("paid", 1), ("outstanding", -1)]


def test_the_right_number_in_another_currency_is_a_difference() -> None:
    """F26: outstanding amounts were seen in the currency of the account."""
    found = balance(invoice(outstanding=money("1234.50", "USD")))
    assert [(each.field, each.minor) for each in found.differences] == [("outstanding", None)]


def test_an_invoice_that_a_card_paid_by_itself_is_paid() -> None:
    assert balance(invoice(paid="1234.50", payment_status="auto-paid"), payment(1, "1234.50")).differences == ()


def test_an_overpaid_invoice_shows_its_amount_or_all_that_was_paid_as_it_is_declared() -> None:
    """F28: 1,300.00 for 1,234.50; what is over is a credit note."""
    capped, counted = invoice(paid="1234.50"), invoice(paid="1300.00", payment_status="paid")
    paid = payment(1, "1300.00")
    assert balance(capped, paid).differences == ()
    assert balance(counted, paid, overpaid_shown=OverpaidShown.COUNTED).differences == ()
    assert [each.minor for each in balance(counted, paid).differences] == [6550, -6550]
    assert balance(capped, paid, overpaid_shown=OverpaidShown.COUNTED).differences != ()
    assert balance(capped, paid).over == money("65.50")


def test_how_little_counts_as_paid_too_little_is_declared() -> None:
    paid = payment(1, "1200.00")
    assert balance(invoice(), paid, under_percent=Decimal(3)).standing is Standing.UNDER
    assert balance(invoice(), paid, under_percent=Decimal(0)).standing is Standing.PARTIAL


def test_an_invoice_over_nothing_is_paid_whatever_its_status_says() -> None:
    for amount in ("0.00", "-20.00"):
        found = balance(invoice(amount, payment_status="unpaid"))
        assert (found.standing, found.status, found.differences) == (Standing.PAID, PaidStatus.PAID, ())


def test_the_order_of_payments_changes_nothing() -> None:
    payments = [payment(1, "300.00"), payment(2, "1000.00"), payment(3, "-50.00"), payment(4, "7.00", invoice_id=None)]
    assert reconcile([invoice()], payments) == reconcile([invoice()], payments[::-1])
    other = replace(invoice(), id=71)
    assert reconcile([invoice(), other], payments) == reconcile([other, invoice()], payments)
