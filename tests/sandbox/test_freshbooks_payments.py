"""Payments in the FreshBooks stand-in, and what they do to invoices and credit notes."""

from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox
from sandbox.freshbooks.payment_generator import CASES, payment_drafts
from tests.sandbox.conftest import Receiver, control
from tests.sandbox.freshbooks_documents import ACCOUNT, line, listed, new, read, refusal, said
from tests.sandbox.test_freshbooks_callbacks import forms, verified

PAYMENTS, CREDITS = f"{ACCOUNT}/payments/payments", f"{ACCOUNT}/credit_notes/credit_notes"


async def asked(freshbooks: httpx.AsyncClient, invoice: dict[str, Any], cents: str, /, **more: Any) -> httpx.Response:
    money = {"amount": cents, "code": "EUR"}
    draft: dict[str, Any] = {"invoiceid": invoice["id"], "amount": money, "date": "2026-03-10"} | more
    draft = {key: value for key, value in draft.items() if value is not None}
    return await freshbooks.post(PAYMENTS, json={"payment": draft})


async def paid(freshbooks: httpx.AsyncClient, invoice: dict[str, Any], amount: str, **more: Any) -> dict[str, Any]:
    return said(await asked(freshbooks, invoice, amount, **more), "payment")


async def changed(freshbooks: httpx.AsyncClient, payment: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return said(await freshbooks.put(f"{PAYMENTS}/{payment['id']}", json={"payment": fields}), "payment")


async def shows(freshbooks: httpx.AsyncClient, invoice: dict[str, Any]) -> tuple[str, str, str, int]:
    """Return what is paid of an invoice, what is outstanding, and its two states."""
    found = await read(freshbooks, "invoice", invoice)
    return found["paid"]["amount"], found["outstanding"]["amount"], found["v3_status"], found["status"]


async def credits_of(freshbooks: httpx.AsyncClient) -> list[tuple[str, str]]:
    return [(each["credit_type"], each["amount"]["amount"]) for each in await listed(freshbooks, CREDITS)]


async def test_an_invoice_of_500_is_paid_in_two_parts(freshbooks: httpx.AsyncClient) -> None:
    """F28: the first part is not booked as the whole."""
    invoice = await new(freshbooks, "invoice")
    await paid(freshbooks, invoice, "200.00")
    assert await shows(freshbooks, invoice) == ("200.00", "300.00", "partial", 8)
    await paid(freshbooks, invoice, "300.00", date="2026-03-12")
    assert await shows(freshbooks, invoice) == ("500.00", "0.00", "paid", 4)
    after = await read(freshbooks, "invoice", invoice)
    assert (after["payment_status"], after["date_paid"]) == ("paid", "2026-03-12")


async def test_a_deleted_payment_makes_the_invoice_what_it_was(freshbooks: httpx.AsyncClient) -> None:
    """F30."""
    invoice = await new(freshbooks, "invoice")
    await freshbooks.put(
        f"{ACCOUNT}/invoices/invoices/{invoice['id']}", json={"invoice": {"action_mark_as_sent": True}}
    )
    payment = await paid(freshbooks, invoice, "500.00")
    assert (await changed(freshbooks, payment, vis_state=1, note="dropped"))["note"] is None
    after = await read(freshbooks, "invoice", invoice)
    assert (after["status"], after["payment_status"], after["date_paid"]) == (2, "unpaid", None)
    assert after["outstanding"]["amount"] == "500.00"
    await changed(freshbooks, payment, vis_state=0)
    assert (await shows(freshbooks, invoice))[2] == "paid"


async def test_what_is_paid_too_much_becomes_a_credit_note_and_goes_with_its_payment(
    freshbooks: httpx.AsyncClient,
) -> None:
    invoice = await new(freshbooks, "invoice")
    payment = await paid(freshbooks, invoice, "620.50")
    assert await shows(freshbooks, invoice) == ("500.00", "0.00", "paid", 4)
    assert await credits_of(freshbooks) == [("overpayment", "120.50")]
    await changed(freshbooks, payment, amount={"amount": "510.00", "code": "EUR"})
    assert await credits_of(freshbooks) == [("overpayment", "10.00")]
    await changed(freshbooks, payment, vis_state=1)
    assert await credits_of(freshbooks) == []


async def test_everything_paid_too_much_can_be_shown_as_paid(freshbooks: httpx.AsyncClient) -> None:
    await control(freshbooks, "settings", {"overpaid_shown": "counted"})
    invoice = await new(freshbooks, "invoice")
    await paid(freshbooks, invoice, "620.50")
    assert (await shows(freshbooks, invoice))[:2] == ("620.50", "-120.50")


async def test_a_credit_note_pays_what_it_covers_and_no_more(freshbooks: httpx.AsyncClient) -> None:
    invoice = await new(freshbooks, "invoice")
    draft = {"clientid": invoice["customerid"], "create_date": "2026-03-01", "lines": [line("Goodwill", cost="80.00")]}
    credit = said(await freshbooks.post(CREDITS, json={"credit_note": draft}), "credit_note")
    await paid(freshbooks, invoice, "50.00", creditid=credit["id"])
    assert refusal(await asked(freshbooks, invoice, "30.01", creditid=credit["id"])) == (422, 1004, "creditid")
    after = said(await freshbooks.get(f"{CREDITS}/{credit['id']}"), "credit_note")
    assert (after["paid"]["amount"], after["payment_status"]) == ("50.00", "partial")
    assert (await shows(freshbooks, invoice))[0] == "50.00"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"invoiceid": None}, (422, 1001, "invoiceid")),
        ({"date": None}, (422, 1001, "date")),
        ({"date": "10.3.2026"}, (422, 1033, "date")),
        ({"amount": None}, (422, 1001, "amount")),
        ({"amount": {"amount": "-1.00"}}, (422, 1025, "amount")),
        ({"amount": {"amount": "1.00", "code": "SEK"}}, (422, 1004, "amount")),
        ({"type": "Gold"}, (422, 1004, "type")),
        ({"invoiceid": 70_999}, (404, 1012, "invoiceid")),
    ],
)
async def test_a_payment_that_cannot_be_is_refused(
    freshbooks: httpx.AsyncClient, more: dict[str, Any], expected: tuple[int, int, str]
) -> None:
    """F26, F27."""
    invoice = await new(freshbooks, "invoice")
    assert refusal(await asked(freshbooks, invoice, "1.00", **more)) == expected
    assert await listed(freshbooks, PAYMENTS) == []


async def test_a_deleted_invoice_takes_no_payment(freshbooks: httpx.AsyncClient) -> None:
    invoice = await new(freshbooks, "invoice")
    await freshbooks.put(f"{ACCOUNT}/invoices/invoices/{invoice['id']}", json={"invoice": {"vis_state": 1}})
    assert refusal(await asked(freshbooks, invoice, "1.00")) == (422, 1011, "invoiceid")


async def test_payments_are_found_by_invoice_and_note_and_an_unknown_key_finds_all(
    freshbooks: httpx.AsyncClient,
) -> None:
    first, second = await new(freshbooks, "invoice"), await new(freshbooks, "invoice")
    one = await paid(freshbooks, first, "1.00", note="bank 88120")
    other = await paid(freshbooks, second, "2.00", date="2026-04-01")
    for key, value, expected in (
        ("invoiceid", first["id"], [one["id"]]),
        ("notes", "88120", [one["id"]]),
        ("date_min", "2026-04-01", [other["id"]]),
        ("amount_max", "1.00", [one["id"]]),
        ("invented", "x", [other["id"], one["id"]]),
    ):
        rows = await listed(freshbooks, PAYMENTS, **{f"search[{key}]": value})
        assert [each["id"] for each in rows] == expected, key


async def test_a_bookkeeper_gives_a_part_back(freshbooks: httpx.AsyncClient) -> None:
    invoice = await new(freshbooks, "invoice")
    payment = await paid(freshbooks, invoice, "500.00")
    await control(freshbooks, f"records/payment/{payment['id']}/refund", {"amount": "120.00"})
    assert await shows(freshbooks, invoice) == ("380.00", "120.00", "partial", 8)


async def test_a_payment_tells_of_itself_and_of_its_invoice_only_where_that_is_set(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, receiver: Receiver
) -> None:
    """S1."""
    invoice = await new(freshbooks, "invoice")
    for event in ("payment", "invoice"):
        await verified(sandbox, freshbooks, receiver, event)
    receiver.received.clear()
    payment = await paid(freshbooks, invoice, "1.00")
    await changed(freshbooks, payment, vis_state=1)
    await sandbox.settle()
    assert sorted(form["name"] for form in forms(receiver)) == ["payment.create", "payment.delete"]
    await control(freshbooks, "settings", {"payments_tell_invoices": True})
    receiver.received.clear()
    await paid(freshbooks, invoice, "1.00")
    await sandbox.settle()
    assert sorted(form["name"] for form in forms(receiver)) == ["invoice.update", "payment.create"]


async def test_the_ledger_shows_the_payment_and_what_it_did(sandbox: Sandbox, freshbooks: httpx.AsyncClient) -> None:
    invoice = await new(freshbooks, "invoice")
    before = len(sandbox.ledger.entries)
    await paid(freshbooks, invoice, "501.00")
    written = [(each["operation"], each["kind"]) for each in sandbox.ledger.entries[before:]]
    assert written == [("create", "credit_note"), ("create", "payment"), ("update", "invoice")]


async def test_generated_payments_go_wrong_in_every_known_way_and_the_same_way_each_time(
    freshbooks: httpx.AsyncClient,
) -> None:
    """Z13, Z85."""
    invoices = [await new(freshbooks, "invoice") for _ in CASES]
    drafts = list(payment_drafts(7, invoices))
    assert drafts == list(payment_drafts(7, invoices))
    assert {case for case, _ in drafts} == set(CASES)
    await control(freshbooks, "records/payment", [draft for _, draft in drafts])
    words = [(await shows(freshbooks, each))[2] for each in invoices]
    assert words == ["paid", "partial", "paid", "partial", "draft", "draft", "draft"]
