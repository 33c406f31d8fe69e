"""What a mismatch report says of payments, by examples that a bookkeeper can check."""

from typing import Any

import pytest

from activities.reconciliation_payments import compare_payments, sums_of
from mapping.payments import DEFAULT_RULES
from store.reconciliation_models import AmountSum, Drift
from tests.mapping.test_payments import invoice, money, payment


def found(invoices: list[Any], payments: list[Any]) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.kind, each.books_ids) for each in compare_payments(invoices, payments, DEFAULT_RULES)]


def test_an_invoice_that_shows_what_its_payments_come_to_is_in_step() -> None:
    """S33: nothing is invented."""
    assert found([invoice(paid="1234.50")], [payment(1, "1000.00"), payment(2, "234.50")]) == []


@pytest.mark.parametrize(
    ("odd", "kind", "ids"),
    [
        (payment(9, "10.00", invoice_id=None), "unapplied-payment", ("payment:9",)),
        (payment(9, "10.00", invoice_id=71), "orphaned-link", ("payment:9", "invoice:71")),
        (payment(9, "10.00", currency="USD"), "currency", ("payment:9", "invoice:70")),
        (payment(9, "10.00", client_id=8), "field-drift", ("payment:9", "invoice:70")),
    ],
)
def test_a_payment_that_counts_towards_no_invoice_is_found(odd: Any, kind: str, ids: tuple[str, ...]) -> None:
    """S31, Z8: unapplied, for an unknown invoice, in another currency, of another client."""
    assert found([invoice()], [odd]) == [(kind, ids)]


def test_the_same_transfer_entered_twice_names_both_payments() -> None:
    """Z8."""
    twice = [payment(number, "617.25", reference="TRX 7") for number in (1, 2)]
    assert found([invoice(paid="1234.50")], twice) == [("duplicate", ("payment:2", "payment:1", "invoice:70"))]


def test_an_invoice_that_shows_less_than_was_paid_says_both_amounts() -> None:
    """S33: 34.50 EUR have gone astray."""
    [each] = compare_payments([invoice(paid="1200.00")], [payment(1, "1234.50")], DEFAULT_RULES)
    assert each.kind == "amount"
    assert Drift("paid", "1234.50 EUR", "1200.00 EUR") in each.drifts


def test_a_paid_invoice_that_still_counts_as_unpaid_differs_in_status() -> None:
    """S33."""
    said = invoice(paid="1234.50", payment_status="unpaid")
    assert found([said], [payment(1, "1234.50")]) == [("status", ("invoice:70",))]


def test_sums_are_by_currency_and_status_and_leave_deleted_invoices_out() -> None:
    """S32."""
    invoices = [
        invoice(),
        invoice("10.00", "10.00", id=71),
        invoice("5.00", id=72),
        invoice("1000", currency="JPY", id=73, is_draft=True),
        invoice("99.00", id=74, is_deleted=True),
    ]
    assert sums_of(invoices) == (
        AmountSum("books", "EUR", "paid", 1, 1000),
        AmountSum("books", "EUR", "unpaid", 2, money("1239.50").minor),
        AmountSum("books", "JPY", "draft", 1, 1000),
    )
