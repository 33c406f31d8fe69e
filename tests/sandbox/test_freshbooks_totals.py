"""What documents come to, by examples that were worked out by hand."""

from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import control, new_client
from tests.sandbox.freshbooks_documents import ITEMS, asked, changed, line, new, refusal, said


def vat(percent: float | str, name: str = "VAT", slot: int = 1) -> dict[str, Any]:
    return {f"taxName{slot}": name, f"taxAmount{slot}": percent}


async def come_to(freshbooks: httpx.AsyncClient, *lines: dict[str, Any], **draft: Any) -> str:
    amount: str = (await new(freshbooks, "invoice", lines=list(lines), **draft))["amount"]["amount"]
    return amount


async def test_the_discount_comes_off_before_tax(freshbooks: httpx.AsyncClient) -> None:
    """S39: two at 500.00 less a tenth, with a quarter of VAT: 1000.00 - 100.00 + 225.00."""
    invoice = await new(freshbooks, "invoice", lines=[line(**vat(25), qty=2)], discount_value=10)
    assert (invoice["amount"], invoice["outstanding"]) == ({"amount": "1125.00", "code": "EUR"},) * 2
    assert invoice["discount_total"] == {"amount": "-100.00", "code": "EUR"}
    assert (invoice["paid"]["amount"], invoice["discount_value"]) == ("0.00", "10")
    assert invoice["lines"][0]["amount"] == {"amount": "1000.00", "code": "EUR"}


async def test_the_recorded_discount_of_five_percent_is_rounded(freshbooks: httpx.AsyncClient) -> None:
    """Five percent of 14.43 is 0.7215."""
    invoice = await new(freshbooks, "invoice", lines=[line(cost="14.43")], discount_value="5")
    assert (invoice["discount_total"]["amount"], invoice["amount"]["amount"]) == ("-0.72", "13.71")


async def test_the_discount_is_rounded_before_it_is_taken_off(freshbooks: httpx.AsyncClient) -> None:
    """F23: five percent of 0.10 is half a cent, which counts as one: 0.09 remain, not 0.095."""
    invoice = await new(freshbooks, "invoice", lines=[line(cost="0.10")], discount_value=5)
    assert (invoice["discount_total"]["amount"], invoice["amount"]["amount"]) == ("-0.01", "0.09")


async def test_a_line_is_the_quantity_of_the_unit_cost_that_is_shown(freshbooks: httpx.AsyncClient) -> None:
    """F23: a hundred at 10.125, of which the account keeps 10.13."""
    assert await come_to(freshbooks, line(cost="10.125", qty=100)) == "1013.00"


async def test_an_estimate_is_reckoned_as_an_invoice_is(freshbooks: httpx.AsyncClient) -> None:
    estimate = await new(freshbooks, "estimate", lines=[line(**vat(25), qty=2)], discount_value=10)
    assert estimate["amount"]["amount"] == "1125.00"


@pytest.mark.parametrize(
    ("lines", "total"),
    [
        ([line(cost="4495.16", **vat("9.975"))], "4943.55"),  # tax 448.39221
        ([line(cost="100.00", **vat(5, "GST"), **vat("9.975", "QST", 2))], "114.98"),  # 5.00 and 9.975
        ([line(cost="33.33", qty="1.5")], "50.00"),  # 49.995
        ([line(cost="33.33", qty=3, **vat(19)), line(cost="0.01", **vat(7))], "119.00"),  # 99.99 + 19.00; 0.01 + 0.00
        ([line(cost="80.00"), line("Credit", cost="-30.00")], "50.00"),
        ([], "0.00"),
    ],
)
async def test_totals_as_a_bookkeeper_reckons_them(
    freshbooks: httpx.AsyncClient, lines: list[dict[str, Any]], total: str
) -> None:
    """F23: cents that do not divide."""
    assert await come_to(freshbooks, *lines) == total


async def test_a_compounded_tax_is_on_the_first_tax_too(freshbooks: httpx.AsyncClient) -> None:
    """9.975 percent of 105.00 is 10.47375."""
    taxes = {**vat(5, "GST"), **vat("9.975", "QST", 2), "compounded_tax": True}
    assert await come_to(freshbooks, line(cost="100.00", **taxes)) == "115.47"


@pytest.mark.parametrize(("mode", "total"), [("half_up", "2.63"), ("half_even", "2.62"), ("down", "2.62")])
async def test_how_half_a_cent_is_rounded_is_a_knob(freshbooks: httpx.AsyncClient, mode: str, total: str) -> None:
    """F23: five percent of 2.50 is 0.125."""
    await control(freshbooks, "settings", {"rounding": mode})
    assert await come_to(freshbooks, line(cost="2.50", **vat(5))) == total


@pytest.mark.parametrize(("what", "total"), [("line", "0.33"), ("document", "0.32")])
async def test_whether_tax_is_rounded_by_line_is_a_knob(freshbooks: httpx.AsyncClient, what: str, total: str) -> None:
    """F23: three times half a cent of tax is three cents, or one and a half of them rounded."""
    await control(freshbooks, "settings", {"tax_rounding": what})
    assert await come_to(freshbooks, *[line(cost="0.10", **vat(5))] * 3) == total


@pytest.mark.parametrize(
    ("decimals", "code", "cost", "shown"),
    [
        ("two", "JPY", "1000", "1000.00"),
        ("two", "KWD", "10.125", "10.13"),
        ("minor_units", "JPY", "1000", "1000"),
        ("minor_units", "KWD", "10.125", "10.125"),
        ("minor_units", "EUR", "10.12", "10.12"),
    ],
)
async def test_the_decimals_of_other_currencies_are_a_knob(
    freshbooks: httpx.AsyncClient, decimals: str, code: str, cost: str, shown: str
) -> None:
    """S40: a unit cost finer than the account reckons is rounded without a word."""
    await control(freshbooks, "settings", {"decimals": decimals})
    invoice = await new(freshbooks, "invoice", currency_code=code, lines=[line(cost=cost, code=code)])
    assert invoice["lines"][0]["unit_cost"] == {"amount": shown, "code": code}
    assert invoice["amount"] == {"amount": shown, "code": code}


async def test_a_third_tax_is_passed_over_without_a_word(freshbooks: httpx.AsyncClient) -> None:
    """Z52, F29: a line has two slots, and their names are written in no other way."""
    taxes = {**vat(5, "GST"), **vat(7, "PST", 2), **vat(2, "Eco", 3), "tax_name1": "VAT", "tax_amount1": 19}
    invoice = await new(freshbooks, "invoice", lines=[line(cost="100.00", **taxes)])
    assert invoice["amount"]["amount"] == "112.00"
    assert not any("3" in key or "tax_" in key for key in invoice["lines"][0])


async def test_a_change_of_lines_or_discount_is_reckoned_anew(freshbooks: httpx.AsyncClient) -> None:
    invoice = await new(freshbooks, "invoice", lines=[line(), line("Print", cost="20.00")])
    assert (await changed(freshbooks, "invoice", invoice, discount_value=50))["amount"]["amount"] == "260.00"
    alone = await changed(freshbooks, "invoice", invoice, lines=[line("Print", cost="20.00")])
    assert (alone["amount"]["amount"], alone["discount_total"]["amount"]) == ("10.00", "-10.00")


async def test_another_currency_converts_nothing(freshbooks: httpx.AsyncClient) -> None:
    """F26, S40: 500 euros become 500 crowns."""
    invoice = await new(freshbooks, "invoice")
    after = await changed(freshbooks, "invoice", invoice, currency_code="SEK")
    assert after["amount"] == after["lines"][0]["amount"] == {"amount": "500.00", "code": "SEK"}


@pytest.mark.parametrize(
    ("wrong", "errno", "field"),
    [
        (line(code="USD"), 1004, "unit_cost"),
        (line(cost="NaN"), 1015, "unit_cost"),
        (line(cost="1e9"), 1015, "unit_cost"),
        ({"unit_cost": "5.00"}, 1035, "unit_cost"),
        (line(qty="two"), 1015, "qty"),
        (line(qty=True), 1015, "qty"),
        (line(**vat("7.1234")), 1018, "taxAmount1"),
        (line(**vat(101)), 1018, "taxAmount1"),
        (line(**vat(-1)), 1018, "taxAmount1"),
        (line(taxAmount2=7), 1001, "taxName2"),
        (line(type=1), 1001, "expenseid"),
        ({"name": 7}, 1004, "name"),
    ],
)
async def test_a_line_that_cannot_be_refuses_the_whole_document(
    freshbooks: httpx.AsyncClient, wrong: dict[str, Any], errno: int, field: str
) -> None:
    """F29: all or nothing."""
    client = await new_client(freshbooks, organization="Quist AB")
    response = await asked(freshbooks, "invoice", customerid=client["id"], lines=[line(), wrong])
    assert refusal(response) == (422, errno, field)
    assert await control(freshbooks, "records/invoice", method="GET") == {"records": []}


async def test_quantities_and_percentages_come_back_as_plain_text(freshbooks: httpx.AsyncClient) -> None:
    lines = [line(qty=1.5, **vat(19.0)), line(qty="2.00", **vat("9.9750")), {"name": "Gift"}]
    first, second, gift = (await new(freshbooks, "invoice", lines=lines))["lines"]
    assert (first["qty"], first["taxAmount1"], first["taxName2"], first["taxAmount2"]) == ("1.5", "19", None, "0")
    assert (second["qty"], second["taxAmount1"]) == ("2", "9.975")
    assert (gift["qty"], gift["amount"]["amount"]) == ("1", "0.00")


async def test_an_item_has_its_price_in_the_same_form(freshbooks: httpx.AsyncClient) -> None:
    """Z48."""
    item = {"name": "Design", "unit_cost": {"amount": 95, "code": "EUR"}, "sku": "DES"}
    assert said(await freshbooks.post(ITEMS, json={"item": item}), "item")["unit_cost"]["amount"] == "95.00"
