"""The judge of the pipeline campaign, on ledgers small enough to be read: it finds each fault that is planted."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.faults.pipeline_judge import House, judged, sums
from tests.faults.pipeline_reckoning import expected_total, split
from tests.faults.pipeline_sales import CapsuleSales, ZohoSales
from tests.faults.pipeline_terms import IN_LINES, IN_ONE_SUM

Entry = dict[str, Any]
SHARES = ("333.33", "415.00", "251.67")
"""1000.00 EUR in the three lines of the terms; with VAT of 19 % and a levy of 0.875 % 1198.75 EUR."""


def entry(kind: str, number: int, record: Entry, operation: str = "create") -> Entry:
    return {"kind": kind, "operation": operation, "id": number, "record": {"id": number, **record}}


def opportunity(milestone: int, amount: float = 1000, **more: Any) -> Entry:
    """Opportunity 7 of the party 1."""
    value = {"amount": amount, "currency": "EUR"}
    said = {"party": {"id": 1}, "milestone": {"id": milestone}, "value": value, "fields": [], **more}
    return entry("opportunity", 7, said, "update")


def document(kind: str, number: int, **more: Any) -> Entry:
    """The estimate or the invoice of opportunity 7, for the client 90."""
    said = {
        f"{kind}_number": f"{kind[0].upper()}-7-1",
        "customerid": 90,
        "vis_state": 0,
        "currency_code": "EUR",
        "lines": [{"amount": {"amount": share}} for share in SHARES],
        "amount": {"amount": "1198.75", "code": "EUR"},
        "v3_status": "draft",
        "estimateid": 50,
    }
    return entry(kind, number, {**said, **more})


def fields(amount: str = "1198.75") -> list[Entry]:
    shown = {"Invoice_No": "I-7-1", "Invoiced": amount}
    return [{"definition": {"name": name}, "value": value} for name, value in shown.items()]


PROPOSAL, WON, LOST = 31_003, 31_005, 31_006
PARTY = entry("party", 1, {"lastName": "Quist"})
CLIENT = entry("client", 90, {"lname": "Quist"})
ESTIMATE, INVOICE = document("estimate", 50), document("invoice", 70)
NOTE = entry("entry", 5, {"opportunity": {"id": 7}, "content": "Invoice I-7-1 in FreshBooks: 1198.75 EUR [x]"})
IS_WON = opportunity(WON, fields=fields())
IN_ORDER = [PARTY, CLIENT, opportunity(PROPOSAL), ESTIMATE, IS_WON, INVOICE, NOTE]

Found = Callable[[Sequence[Entry]], dict[str, Sequence[str]]]


@pytest.fixture
def found(tmp_path: Path) -> Found:
    """Writes a ledger, and returns what the judge says is wrong, with whom."""

    def looked(entries: Sequence[Entry]) -> dict[str, Sequence[str]]:
        book = tmp_path / "ledger.jsonl"
        book.write_text("".join(json.dumps(each) + "\n" for each in entries))
        return {each.what: each.offenders for each in judged([House(CapsuleSales(), book).read_on()]) if each.count}

    return looked


def without(*left_out: Entry) -> list[Entry]:
    return [each for each in IN_ORDER if each not in left_out]


def test_one_estimate_and_one_invoice_that_is_told_are_in_order(found: Found) -> None:
    assert found(IN_ORDER) == {}


def test_an_opportunity_at_its_proposal_without_an_estimate_is_found(found: Found) -> None:
    wrong = found([PARTY, CLIENT, opportunity(PROPOSAL)])
    assert wrong == {"due opportunities without an estimate": ["acme: opportunity 7"]}


def test_a_won_opportunity_without_an_invoice_is_found(found: Found) -> None:
    wrong = found([PARTY, CLIENT, opportunity(PROPOSAL), ESTIMATE, opportunity(WON)])
    assert wrong["won opportunities without an invoice"] == ["acme: opportunity 7"]
    assert wrong["currencies whose sums differ"] == ["acme: EUR: 100000 in the CRM, 0 invoiced"]


@pytest.mark.parametrize("kind", ["estimate", "invoice"])
def test_a_second_document_is_found_even_if_it_was_deleted_since(found: Found, kind: str) -> None:
    """F1, F2."""
    second = document(kind, 99, vis_state=1)
    what = f"opportunities with two {kind}s"
    assert found([*IN_ORDER, second])[what] == [f"acme: opportunity 7 has {50 if kind == 'estimate' else 70}, 99"]


def test_a_document_of_no_opportunity_is_found(found: Found) -> None:
    stray = document("invoice", 99, invoice_number="I-8-1")
    assert found([*IN_ORDER, stray])["documents of no opportunity"] == ["acme: invoice 99"]


def test_a_document_of_another_customer_is_found(found: Found) -> None:
    wrong = found([*without(CLIENT), entry("client", 90, {"lname": "Berg"})])
    assert wrong == {"documents of another customer": ["acme: estimate 50", "acme: invoice 70"]}


def test_the_visible_estimate_of_a_lost_opportunity_is_found(found: Found) -> None:
    wrong = found([PARTY, CLIENT, opportunity(PROPOSAL), ESTIMATE, opportunity(LOST)])
    assert wrong == {"documents that should not stand there": ["acme: estimate 50"]}


def test_the_visible_invoice_of_what_is_won_no_more_is_found(found: Found) -> None:
    wrong = found([*IN_ORDER, opportunity(PROPOSAL, fields=fields())])
    assert wrong["documents that should not stand there"] == ["acme: invoice 70"]


def test_an_archived_estimate_of_an_open_opportunity_is_found(found: Found) -> None:
    wrong = found([PARTY, CLIENT, opportunity(PROPOSAL), document("estimate", 50, vis_state=2)])
    assert wrong == {"estimates that are gone and should not be": ["acme: opportunity 7"]}


def test_an_invoice_of_another_amount_is_found(found: Found) -> None:
    wrong = found([*IN_ORDER, opportunity(WON, 1000.01, fields=fields())])
    assert wrong["documents of another amount than their opportunity"] == ["acme: invoice 70"]
    assert wrong["currencies whose sums differ"] == ["acme: EUR: 100001 in the CRM, 100000 invoiced"]


def test_a_total_that_is_one_cent_off_is_found(found: Found) -> None:
    """F23 to F30."""
    off = document("invoice", 70, amount={"amount": "1198.76", "code": "EUR"})
    told = opportunity(WON, fields=fields("1198.76"))
    wrong = found([*without(INVOICE, IS_WON), told, off])
    assert wrong == {"totals that come to something else": ["acme: invoice 70"]}


def test_a_draft_that_was_sent_is_found(found: Found) -> None:
    wrong = found([*without(INVOICE), document("invoice", 70, v3_status="sent")])
    assert wrong == {"invoices that are draft and should be sent, or sent": ["acme: invoice 70 is sent"]}


def test_an_invoice_that_does_not_name_its_estimate_is_found(found: Found) -> None:
    wrong = found([*without(INVOICE), document("invoice", 70, estimateid=0)])
    assert wrong == {"invoices that do not name their estimate": ["acme: invoice 70"]}


@pytest.mark.parametrize(("entries", "count"), [(without(NOTE), 0), ([*IN_ORDER, NOTE], 2)])
def test_an_invoice_that_is_in_no_note_or_in_two_is_found(found: Found, entries: list[Entry], count: int) -> None:
    """S38."""
    wrong = found(entries)
    assert wrong == {"invoices that are not in just one note": [f"acme: opportunity 7 has {count} notes"]}


def test_an_opportunity_that_shows_an_old_total_is_found(found: Found) -> None:
    """S38, S39."""
    wrong = found([*without(IS_WON), opportunity(WON, fields=fields("1198.76"))])
    assert wrong == {"invoices that their opportunity shows otherwise": ["acme: opportunity 7"]}


def test_a_deal_is_read_as_an_opportunity_is(tmp_path: Path) -> None:
    deal = {"Contact_Name": "1", "Stage": "Closed Won", "Amount": 12.345, "Currency": "KWD", "Invoiced": "13.000"}
    note = {"parent": "7", "Note_Content": "Invoice I-7-1 in FreshBooks"}
    book = tmp_path / "ledger.jsonl"
    lines = [json.dumps(each) + "\n" for each in (entry("Deals", 7, deal), entry("Notes", 5, note))]
    book.write_text("".join(lines))
    house = House(ZohoSales(), book).read_on()
    assert (house.opportunities[7].milestone, house.opportunities[7].shown) == ("won", {"Invoiced": "13.000"})
    assert house.notes == {7: ["Invoice I-7-1 in FreshBooks"]}
    assert sums([house])["KWD"] == (12_345, 0)


def test_lines_that_do_not_divide_come_to_the_whole() -> None:
    """1.00 EUR in 33.333 %, 41.5 % and the rest of 25.167 %: the cent that is left goes to the largest remainder."""
    assert split(100, IN_LINES) == [33, 42, 25]


@pytest.mark.parametrize(
    ("net", "rounding", "total"),
    [
        (10, "half_even", 10 + 0 + 1),  # 0.5 of GST is even as 0; 0.9975 of QST is 1
        (10, "half_up", 10 + 1 + 1),
        (1000, "half_even", 1000 + 50 + 100),
    ],
)
def test_taxes_of_a_whole_document_are_rounded_once(net: int, rounding: Any, total: int) -> None:
    """JPY: GST of 5 %, QST of 9.975 %."""
    assert expected_total(Fraction(net), replace(IN_ONE_SUM, rounding=rounding)) == total


def test_taxes_of_each_line_are_rounded_on_their_own() -> None:
    """1000.00 EUR: VAT 63.33 + 78.85 + 47.82, levy 2.92 + 3.63 + 2.20 (2.9166, 3.6312, 2.2021)."""
    assert expected_total(Fraction(100_000), IN_LINES) == 100_000 + 6_333 + 7_885 + 4_782 + 292 + 363 + 220
