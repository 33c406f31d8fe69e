"""Requests and answers of FreshBooks' payments and credit notes, as its documentation shows them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.errors import Refused, UnknownOutcome
from connectors.freshbooks.credits import CreditApi
from connectors.freshbooks.payments import PaymentApi, PaymentDraft
from tests.connectors.answering import Script, Step, freshbooks

PAYMENT: dict[str, Any] = {
    "logid": "90001",
    "invoiceid": 70001,
    "clientid": 330101,
    "amount": {"amount": "500.00", "code": "SEK"},
    "date": "2026-03-10",
    "note": "ref 47",
    "creditid": 0,
    "updated": "2026-03-10 09:05:00",
    "vis_state": 0,
}
DRAFT = PaymentDraft(70001, Decimal("500.00"), "SEK", date(2026, 3, 10), "Bank Transfer", "ref 47")


def payments(*steps: Step) -> tuple[PaymentApi, Script]:
    api, script = freshbooks(*steps)
    return PaymentApi(api.account), script


def page(rows: list[dict[str, Any]], number: int = 1, pages: int = 1) -> httpx.Response:
    result = {"payments": rows, "page": number, "pages": pages, "per_page": 100, "total": 900}
    return httpx.Response(200, json={"response": {"result": result}})


async def test_a_payment_has_its_amount_to_the_cent_and_its_instant_in_utc() -> None:
    api, _ = payments(httpx.Response(200, json={"response": {"result": {"payment": PAYMENT}}}))
    found = await api.get(90001)
    assert found.amount and (found.id, str(found.amount.amount), found.amount.code) == (90001, "500.00", "SEK")
    assert (found.updated, found.creditid) == (datetime(2026, 3, 10, 13, 5, tzinfo=UTC), None)


async def test_a_payment_is_entered_in_the_currency_of_its_invoice() -> None:
    api, script = payments(httpx.Response(200, json={"response": {"result": {"payment": PAYMENT}}}))
    await api.create(DRAFT)
    assert script.body["payment"] == {
        "invoiceid": 70001,
        "amount": {"amount": "500.00", "code": "SEK"},
        "date": "2026-03-10",
        "type": "Bank Transfer",
        "note": "ref 47",
        "send_client_notification": False,
    }


async def test_a_lost_answer_leaves_open_whether_the_payment_was_entered() -> None:
    api, script = payments(httpx.ReadTimeout("slow"))
    with pytest.raises(UnknownOutcome):
        await api.create(DRAFT)
    assert len(script.sent) == 1


async def test_payments_of_other_invoices_are_passed_over() -> None:
    """F27: FreshBooks answers a filter that it does not know with everything."""
    api, _ = payments(page([PAYMENT, {**PAYMENT, "logid": 90002, "invoiceid": 70002}]))
    assert [each.id for each in await api.of_invoice(70001)] == [90001]


async def test_a_search_that_is_ignored_is_given_up() -> None:
    api, _ = payments(*(page([{**PAYMENT, "invoiceid": 1}], number, 9) for number in range(1, 6)))
    with pytest.raises(Refused, match="ignore the filter"):
        await api.of_invoice(70001)


@pytest.mark.parametrize("amount", ["0", "-1.00", "NaN"])
def test_an_amount_that_is_not_above_zero_is_never_sent(amount: str) -> None:
    with pytest.raises(ValueError, match="above zero"):
        PaymentDraft(70001, Decimal(amount), "SEK", date(2026, 3, 10))


@pytest.mark.parametrize("key", ["credit_note", "credit_notes"])
async def test_a_single_credit_note_is_read_under_either_of_its_names(key: str) -> None:
    answer = {"creditid": 95001, "clientid": 330101, "credit_type": "goodwill", "status": 2}
    api, _ = freshbooks(httpx.Response(200, json={"response": {"result": {key: answer}}}))
    assert (await CreditApi(api.account).get(95001)).id == 95001
