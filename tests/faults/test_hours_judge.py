"""The judge of the hours campaign, on ledgers small enough to be read: it finds each fault that is planted."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.faults.hours_judge import BillSaid, Books, judged, sums
from tests.faults.hours_reckoning import Work, half_up, reckoned

Entry = dict[str, Any]
SECONDS = {11: 5400, 12: 4321}
"""Two hours and a half of client 90 by service 41 at 95.00 EUR: 1.50 h, and 73 started minutes, together 2.72 h.

258.40 EUR, with VAT of 19 % (49.10) and a levy of 0.875 % (2.26) 309.76 EUR.
"""


def write(kind: str, number: int, record: Entry, via: str = "control") -> Entry:
    return {"kind": kind, "operation": "create", "id": number, "record": {"id": number, **record}, "via": via}


def time_entry(number: int, via: str = "control", **more: Any) -> Entry:
    said = {
        "identity_id": 7001,
        "is_logged": True,
        "active": True,
        "started_at": "2026-03-10T08:00:00Z",
        "duration": SECONDS.get(number, 3600),
        "client_id": 90,
        "project_id": None,
        "service_id": 41,
        "note": "Work",
        "billable": True,
        "billed": False,
    }
    return write("time_entry", number, {**said, **more}, via)


def invoice(number: int = 70, **more: Any) -> Entry:
    said = {
        "invoice_number": f"H-{number - 69}-1",
        "po_number": f"reference {number}",
        "customerid": 90,
        "vis_state": 0,
        "currency_code": "EUR",
        "lines": [{"amount": {"amount": "258.40"}}],
        "amount": {"amount": "309.76", "code": "EUR"},
        "v3_status": "sent",
    }
    return write("invoice", number, {**said, **more}, "api")


ACCOUNT = [
    write("client", 90, {"currency_code": "EUR"}),
    write("client", 91, {"currency_code": "KWD"}),
    write("service_rate", 41, {"service_id": 41, "rate": "95.00"}),
    write("project", 6001, {"client_id": 90, "project_type": "fixed_price", "billing_method": None, "rate": None}),
]
LOGGED = [
    time_entry(11),
    time_entry(12),
    time_entry(21, billable=False),
    time_entry(22, billed=True),
    time_entry(23, is_logged=False, duration=None),
    time_entry(24, project_id=6001),
    time_entry(25, started_at="2026-03-31T22:30:00Z"),  # April in Berlin
    time_entry(26, client_id=None),
]
TICKED = [time_entry(11, "api", billed=True), time_entry(12, "api", billed=True)]
BILL = BillSaid(1, 90, "done", 70, (11, 12))
IN_ORDER = [*ACCOUNT, *LOGGED, invoice(), *TICKED]

Found = Callable[[Sequence[Entry], Sequence[BillSaid]], dict[str, Sequence[str]]]


@pytest.fixture
def found(tmp_path: Path) -> Found:
    """Writes a ledger, and returns what the judge says is wrong, with whom."""

    def looked(entries: Sequence[Entry], bills: Sequence[BillSaid] = (BILL,)) -> dict[str, Sequence[str]]:
        return {each.what: each.offenders for each in judged(read(tmp_path, entries), bills) if each.count}

    return looked


def read(folder: Path, entries: Sequence[Entry]) -> Books:
    book = folder / "ledger.jsonl"
    book.write_text("".join(json.dumps(each) + "\n" for each in entries))
    return Books(book).read_on()


def test_hours_that_are_billed_once_and_ticked_are_in_order(found: Found) -> None:
    assert found(IN_ORDER, [BILL]) == {}


def test_hours_come_to_what_was_invoiced(tmp_path: Path) -> None:
    assert sums(read(tmp_path, IN_ORDER))["EUR"] == (30976, 30976)


def test_an_hour_that_nobody_billed_is_found(found: Found) -> None:
    """Its invoice is short by as much."""
    wrong = found(IN_ORDER, [replace(BILL, entry_ids=(11,))])
    assert wrong["billable entries in no invoice"] == ["entry 12"]
    assert wrong["invoices of another sum than their hours"] == ["invoice 70"]


def test_an_hour_that_is_in_two_invoices_is_found(found: Found) -> None:
    wrong = found([*IN_ORDER, invoice(71)], [BILL, BillSaid(2, 90, "done", 71, (11, 12))])
    assert wrong["entries in two invoices"] == ["entry 11 is in bills [1, 2]", "entry 12 is in bills [1, 2]"]
    assert wrong["clients billed another sum than all their hours"] == ["client 90 has 2 invoices"]


@pytest.mark.parametrize("number", [21, 22, 23, 24, 25, 26])
def test_an_entry_that_nobody_has_to_pay_for_is_found_in_an_invoice(found: Found, number: int) -> None:
    """Not billable, billed before, running, of a fixed price, of a later period, of no client."""
    wrong = found(IN_ORDER, [replace(BILL, entry_ids=(11, 12, number))])
    assert wrong["entries in an invoice that nobody has to pay for"] == [f"entry {number}"]


def test_an_hour_that_was_not_ticked_is_found(found: Found) -> None:
    assert found(IN_ORDER[:-1], [BILL]) == {"billed entries that are not ticked": ["entry 12"]}


def test_a_tick_on_what_nobody_has_to_pay_for_is_found(found: Found) -> None:
    ticked = time_entry(21, "api", billable=False, billed=True)
    assert found([*IN_ORDER, ticked], [BILL]) == {"entries ticked that nobody has to pay for": ["entry 21"]}


@pytest.mark.parametrize("change", [{"note": None}, {"identity_id": 7002}, {"duration": 0}, {"service_id": None}])
def test_a_tick_that_changes_more_than_the_tick_is_found(found: Found, change: Entry) -> None:
    """FreshBooks empties what a PUT of a time entry does not name."""
    ticked = time_entry(12, "api", billed=True, **change)
    wrong = found([*IN_ORDER[:-1], ticked], [BILL])
    assert wrong == {"entries of which more was changed than the tick": [f"entry 12: {next(iter(change))}"]}


def test_an_invoice_that_no_bill_knows_is_found(found: Found) -> None:
    wrong = found([*IN_ORDER, invoice(71)], [BILL])
    assert wrong["invoices of no bill"] == ["invoice 71"]
    assert wrong["clients billed another sum than all their hours"] == ["client 90 has 2 invoices"]


@pytest.mark.parametrize("name", ["invoice_number", "po_number"])
def test_two_invoices_of_one_bill_are_found_even_if_one_was_deleted(found: Found, name: str) -> None:
    same = invoice()["record"][name]
    wrong = found([*IN_ORDER, invoice(71, vis_state=1, **{name: same})], [BILL])
    expected = f"invoices [70, 71] have one {name}"
    assert wrong["invoices with the number or reference of another"] == [expected]


@pytest.mark.parametrize("bill", [replace(BILL, state="open"), replace(BILL, invoice_id=None)])
def test_a_bill_that_is_not_finished_is_found(found: Found, bill: BillSaid) -> None:
    assert found(IN_ORDER, [bill])["bills without their invoice, or not finished"] == [f"bill 1 is {bill.state}"]


@pytest.mark.parametrize("change", [{"customerid": 91}, {"currency_code": "USD"}])
def test_an_invoice_for_another_client_or_in_another_currency_is_found(found: Found, change: Entry) -> None:
    wrong = found([*ACCOUNT, *LOGGED, invoice(**change), *TICKED], [BILL])
    assert wrong["invoices for another client, or in another currency"] == ["invoice 70"]


@pytest.mark.parametrize(
    "change",
    [{"lines": [{"amount": {"amount": "258.39"}}]}, {"amount": {"amount": "309.77", "code": "EUR"}}],
)
def test_an_invoice_that_is_off_by_a_cent_is_found(found: Found, change: Entry) -> None:
    """Before tax, and after it."""
    wrong = found([*ACCOUNT, *LOGGED, invoice(**change), *TICKED], [BILL])
    assert wrong["invoices of another sum than their hours"] == ["invoice 70"]


def test_an_invoice_that_was_left_a_draft_is_found(found: Found) -> None:
    wrong = found([*ACCOUNT, *LOGGED, invoice(v3_status="draft"), *TICKED], [BILL])
    assert wrong == {"invoices that were not sent": ["invoice 70"]}


def test_a_client_with_hours_and_no_invoice_is_found(found: Found) -> None:
    wrong = found([*ACCOUNT, *LOGGED], [])
    assert wrong["billable entries in no invoice"] == ["entry 11", "entry 12"]
    assert wrong["clients billed another sum than all their hours"] == ["client 90 has 0 invoices"]


@pytest.mark.parametrize(
    ("currency", "rate", "expected"),
    [("EUR", "95.00", (25840, 30976)), ("JPY", "9871", (26849, 32185)), ("KWD", "31.255", (85014, 101911))],
)
def test_hours_are_reckoned_by_hand(currency: str, rate: str, expected: tuple[int, int]) -> None:
    """2.72 h: 258.40 EUR, 26849 JPY (26849.12), 85.014 KWD (85.0136); taxes of 19 % and 0.875 % each rounded."""
    works = [Work(seconds, None, 41, rate) for seconds in SECONDS.values()]
    assert reckoned(works, currency) == expected


def test_hours_of_two_projects_are_rounded_in_two_lines() -> None:
    """61 s are two started minutes, 0.04 h of 1.00 EUR: four cents each; of one line 0.07 h, seven cents."""
    works = [Work(61, 1, 41, "1.00"), Work(61, 2, 41, "1.00")]
    assert reckoned(works, "EUR")[0] == 8
    assert reckoned([replace(each, project_id=1) for each in works], "EUR")[0] == 7


@pytest.mark.parametrize(("exact", "whole"), [("1/2", 1), ("3/2", 2), ("5/2", 3), ("249/100", 2)])
def test_the_middle_goes_up(exact: str, whole: int) -> None:
    assert half_up(Fraction(exact)) == whole
