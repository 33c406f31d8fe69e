"""The judge of the payments campaign bites: each kind of defect is found, and nothing is in a run without one."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.payments_judge import Ledger, Said, Sale, judged, stray_clients, sums
from tests.faults.payments_stories import ODD, STORIES, Owed, draw, story, text

AMOUNT = 10_000


def sale(kind: str, currency: str = "EUR", **more: Any) -> Sale:
    """Return an invoice over 100.00 of client 7, with all its payments entered."""
    told = story(kind, Owed(AMOUNT, currency, 5, stranger=8))
    ids = list(range(90, 90 + len(told.steps)))
    return Sale(7, 5, 70, AMOUNT, currency, told, ids, **more)


def ledger(tmp_path: Path, one: Sale, **shown: str) -> Ledger:
    """Return the ledger of a run in which everybody shows what the story says, unless `shown` says otherwise."""
    paid = one.story.shown_paid
    fields = {"Paid": text(paid, one.currency), "Outstanding": text(AMOUNT - paid, one.currency), **shown}
    rows = [{"definition": {"name": name}, "value": value} for name, value in fields.items()]
    money = {"amount": shown.get("paid", text(paid, one.currency)), "code": one.currency}
    entries = [
        {"kind": "opportunity", "id": 5, "via": "api", "system": "capsule", "record": {"fields": rows}},
        {"kind": "invoice", "id": 70, "via": "control", "system": "freshbooks", "record": {"id": 70, "paid": money}},
    ]
    path = tmp_path / "ledger.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in entries))
    return Ledger(path).read_on()


def said(one: Sale, **wrong: str) -> Said:
    """Return what the product says if it is right about every payment, but for what `wrong` says of the first."""
    verdicts = {number: min(step.verdicts) for number, step in one.told() if not step.reason}
    reasons = {number: step.reason for number, step in one.told() if step.reason}
    if "verdict" in wrong:
        verdicts[90] = wrong["verdict"]
    if "reason" in wrong:
        verdicts.pop(90, None)
        reasons[90] = wrong["reason"]
    return Said(verdicts, reasons, {number: f"payment {number} is odd" for number in reasons})


def found(one: Sale, books: Ledger, told: Said) -> list[str]:
    return [each.what for each in judged([one], books, told) if each.count]


@pytest.mark.parametrize("kind", list(STORIES))
def test_a_run_in_which_all_is_right_is_green(tmp_path: Path, kind: str) -> None:
    one = sale(kind)
    assert found(one, ledger(tmp_path, one), said(one)) == []


def test_a_part_that_is_taken_for_the_whole_is_found(tmp_path: Path) -> None:
    """F28."""
    one = sale("part")
    assert found(one, ledger(tmp_path, one), said(one, verdict="paid")) == [
        "payments judged otherwise than they must be"
    ]


def test_a_payment_that_nobody_looked_at_is_found(tmp_path: Path) -> None:
    one = sale("full")
    nothing = Said({}, {}, {})
    assert found(one, ledger(tmp_path, one), nothing) == ["payments judged otherwise than they must be"]


def test_a_needless_hold_is_found(tmp_path: Path) -> None:
    one = sale("full")
    assert "holds of payments that are in order" in found(one, ledger(tmp_path, one), said(one, reason="conflict"))


def test_a_hold_for_another_reason_is_found(tmp_path: Path) -> None:
    one = sale("foreign")
    assert found(one, ledger(tmp_path, one), said(one, reason="conflict")) == [
        "payments judged otherwise than they must be"
    ]


def test_a_hold_that_says_nothing_of_its_payment_is_found(tmp_path: Path) -> None:
    one = sale("foreign")
    silent = replace(said(one), explanations={})
    assert found(one, ledger(tmp_path, one), silent) == ["holds that do not name their payment"]


@pytest.mark.parametrize("field", ["Paid", "Outstanding"])
def test_a_cent_that_sales_see_wrongly_is_found(tmp_path: Path, field: str) -> None:
    """S38."""
    one = sale("part")
    books = ledger(tmp_path, one, **{field: "40.01"})
    assert found(one, books, said(one)) == ["opportunities that show another sum as paid"]


def test_a_story_that_is_wrong_about_freshbooks_is_found(tmp_path: Path) -> None:
    one = sale("part")
    assert "invoices that show another sum as paid" in found(one, ledger(tmp_path, one, paid="39.99"), said(one))


def test_a_payment_that_was_never_entered_is_found(tmp_path: Path) -> None:
    one = sale("thirds")
    one.payment_ids.pop()
    assert "payments that were never entered" in found(one, ledger(tmp_path, one), said(one))


def test_sums_are_told_for_each_side(tmp_path: Path) -> None:
    one = sale("part", currency="KWD")
    assert sums([one], ledger(tmp_path, one)) == {"KWD": ("4.000", "4.000", "4.000")}


def test_the_books_of_both_clients_cannot_meet_where_money_is_under_another_name() -> None:
    assert stray_clients([sale("of another"), sale("full"), sale("twice")]) == {7, 8}


def test_a_messy_customer_does_all_that_is_odd() -> None:
    assert set(ODD) <= set(draw(random.Random(1), 7, messy=True))
    assert not set(ODD) & set(draw(random.Random(1), 50, messy=False))
