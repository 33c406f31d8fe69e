"""What each client owes in each currency, proven, and for how long it has been due."""

from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter

from mapping.allocations import Payment
from mapping.money import Money
from mapping.payments import Invoice, OverpaidShown, PaymentRules, Reconciled, reconcile
from mapping.statements import Bucket, Credit, CreditKind, Statement, bucket_of, statements
from tests.mapping.test_payments import invoice, money, payment

TODAY = date(2026, 4, 30)


def credit(number: int, amount: str, kind: CreditKind = CreditKind.GOODWILL, **values: Any) -> Credit:
    return Credit(number, 7, money(amount), kind, **values)


def stated(
    invoices: list[Invoice], payments: list[Payment], credits_: list[Credit] | None = None, **rules: Any
) -> list[Statement]:
    return statements(reconcile(invoices, payments, PaymentRules(**rules)), credits_ or [], TODAY)


def only(*given: Any, **rules: Any) -> Statement:
    (one,) = stated(*given, **rules)
    return one


def told(one: Statement) -> dict[str, str]:
    return {name: getattr(one, name).format() for name in ("invoiced", "paid", "credited", "outstanding", "unapplied")}


def test_invoices_less_payments_less_credits_are_what_is_outstanding() -> None:
    """Z13: 1,234.50 and 500.00 invoiced, 1,000.00 paid, 34.50 of a credit of 50.00 spent."""
    one = only(
        [invoice(), invoice("500.00", id=71)],
        [payment(1, "1000.00"), payment(2, "34.50", invoice_id=71, from_credit=True)],
        [credit(5, "50.00")],
    )
    assert told(one) == {
        "invoiced": "1734.50",
        "paid": "1000.00",
        "credited": "34.50",
        "outstanding": "700.00",
        "unapplied": "15.50",
    }
    assert one.balance == money("684.50")
    assert one.is_proven
    assert one.reasons() == []


def test_what_was_overpaid_is_counted_once_though_it_is_a_credit_note_too() -> None:
    """F28: 1,300.00 for 1,234.50 leaves 65.50, of which 40.00 pay the next invoice of 100.00."""
    one = only(
        [invoice(), invoice("100.00", id=71)],
        [payment(1, "1300.00"), payment(2, "40.00", invoice_id=71, from_credit=True)],
        [credit(5, "65.50", CreditKind.OVERPAYMENT)],
    )
    assert told(one) == {
        "invoiced": "1334.50",
        "paid": "1234.50",
        "credited": "40.00",
        "outstanding": "60.00",
        "unapplied": "25.50",
    }
    assert one.reasons() == []


@pytest.mark.parametrize("kept", [[], ["65.49"], ["65.50", "0.01"]])
def test_an_overpayment_without_its_credit_note_is_told(kept: list[str]) -> None:
    """F27: the customer's money must not vanish."""
    credits_ = [credit(number, amount, CreditKind.OVERPAYMENT) for number, amount in enumerate(kept)]
    deleted = credit(9, "65.50", CreditKind.OVERPAYMENT, is_deleted=True)
    one = only([invoice()], [payment(1, "1300.00")], [*credits_, deleted])
    assert one.reasons() == [
        "what was overpaid by client 7 in EUR is not what its overpayment credit notes come to: look for one that was "
        "deleted, or for a payment that was changed"
    ]


def test_where_overpaid_invoices_count_everything_no_credit_note_is_expected() -> None:
    one = only([invoice()], [payment(1, "1300.00")], overpaid_shown=OverpaidShown.COUNTED)
    assert (one.overpaid, one.overpayment_credits, one.reasons()) == (money("65.50"), None, [])


def test_credit_that_was_spent_though_it_is_gone_is_told() -> None:
    """F30"""
    one = only([invoice()], [payment(1, "50.00", from_credit=True)], [credit(5, "50.00", is_deleted=True)])
    assert one.unapplied == money("-50.00")
    assert one.reasons() == [
        "more was credited or given back in EUR for client 7 than there was: look for a deleted one"
    ]


def test_every_client_and_currency_has_a_statement_of_its_own() -> None:
    """F26: nothing is added up across currencies."""
    found = stated(
        [
            invoice(),
            invoice("1250", id=71, currency="JPY"),
            invoice("10.125", id=72, currency="KWD", client_id=8),
        ],
        [
            payment(1, "250", invoice_id=71, currency="JPY"),
            payment(2, "10.125", invoice_id=72, currency="KWD", client_id=8),
        ],
    )
    assert [(one.client_id, one.outstanding) for one in found] == [
        (7, money("1234.50")),
        (7, money("1000", "JPY")),
        (8, money("0", "KWD")),
    ]


def test_money_that_pays_no_invoice_is_not_forgotten() -> None:
    """F27: unapplied, in another currency, for a deleted invoice, and from nobody known."""
    found = stated(
        [invoice(), invoice("5.00", id=71, is_deleted=True)],
        [
            payment(1, "100.00", invoice_id=None),
            payment(2, "20.00", currency="USD", client_id=None),
            payment(3, "5.00", invoice_id=71),
            payment(4, "1.00", invoice_id=None, client_id=None),
        ],
    )
    assert [(one.client_id, one.currency, one.outstanding.format(), one.unapplied.format()) for one in found] == [
        (7, "EUR", "1234.50", "105.00"),
        (7, "USD", "0.00", "20.00"),
        (None, "EUR", "0.00", "1.00"),
    ]
    assert found[0].balance == money("1129.50")


def test_a_refund_is_money_that_was_not_received() -> None:
    one = only([invoice()], [payment(1, "1234.50"), payment(2, "-234.50")])
    assert (one.received, one.paid, one.outstanding) == (money("1000.00"), money("1000.00"), money("234.50"))


@pytest.mark.parametrize(
    ("due", "bucket"),
    [
        (None, Bucket.NOT_DUE),
        ("2026-05-15", Bucket.NOT_DUE),
        ("2026-04-30", Bucket.NOT_DUE),
        ("2026-04-29", Bucket.TO_30),
        ("2026-03-31", Bucket.TO_30),
        ("2026-03-30", Bucket.TO_60),
        ("2026-03-01", Bucket.TO_60),
        ("2026-02-28", Bucket.TO_90),
        ("2026-01-30", Bucket.TO_90),
        ("2026-01-29", Bucket.OVER_90),
    ],
)
def test_how_long_an_invoice_has_been_due_on_30_april(due: str | None, bucket: Bucket) -> None:
    assert bucket_of(date.fromisoformat(due) if due else None, TODAY) is bucket


def test_what_is_outstanding_is_listed_by_age() -> None:
    """Z13: of 1,234.50 due in January 234.50 are left; the draft is due to nobody."""
    one = only(
        [
            invoice(due=date(2026, 1, 1)),
            invoice("80.00", id=71, due=date(2026, 4, 1)),
            invoice("20.00", id=72, due=date(2026, 4, 30)),
            invoice("7.00", id=73, due=date(2026, 1, 1), is_draft=True),
        ],
        [payment(1, "1000.00")],
    )
    assert {bucket.value: amount.format() for bucket, amount in one.ageing.items()} == {
        "not-due": "27.00",
        "1-30": "80.00",
        "31-60": "0.00",
        "61-90": "0.00",
        "over-90": "234.50",
    }
    assert one.is_proven


def test_a_statement_that_does_not_add_up_is_not_proven() -> None:
    one = only([invoice()], [payment(1, "1000.00")])
    wrong = Statement(**{**vars(one), "outstanding": one.outstanding + Money.of_minor(1, "EUR")})
    assert not wrong.is_proven
    assert wrong.reasons() == ["the invoices of client 7 in EUR do not come to what is outstanding: read again"]


def test_what_was_reconciled_is_the_same_after_it_was_kept_as_json() -> None:
    found = reconcile([invoice(paid="1234.50")], [payment(1, "500.00"), payment(2, "20.00", currency="USD")])
    kept = TypeAdapter(Reconciled)
    assert kept.validate_json(kept.dump_json(found)) == found
    pages, stated_ = TypeAdapter(list[Statement]), statements(found, [credit(5, "50.00")], TODAY)
    assert pages.validate_json(pages.dump_json(stated_)) == stated_
