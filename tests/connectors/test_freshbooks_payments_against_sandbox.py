"""Payments and credit notes: the connector and the stand-in understand each other, in one process."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import httpx
import pytest
from pydantic import SecretStr

from connectors.errors import Forbidden, NotFound, Refused
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.credits import CreditApi
from connectors.freshbooks.document_models import LineDraft
from connectors.freshbooks.documents import FreshBooksDocuments
from connectors.freshbooks.models import ACTIVE, DELETED
from connectors.freshbooks.payments import PaymentApi, PaymentDraft
from connectors.http import fixed_token, http_client
from sandbox.app import build_sandbox

URL = "http://freshbooks.test"
DAY = date(2026, 3, 10)


@dataclass(frozen=True)
class Books:
    """An account with a client and an invoice over 1,234.50 euros; `reader` has a token that only reads."""

    documents: FreshBooksDocuments
    payments: PaymentApi
    credits: CreditApi
    reader: PaymentApi
    client_id: int
    invoice_id: int

    def draft(self, amount: str, note: str = "") -> PaymentDraft:
        return PaymentDraft(self.invoice_id, Decimal(amount), "EUR", DAY, "Bank Transfer", note)


@pytest.fixture
async def books() -> AsyncIterator[Books]:
    built = build_sandbox(records=1)
    async with http_client(httpx.ASGITransport(built.freshbooks)) as http:
        about = built.freshbooks_service.about()
        api, reader = (
            FreshBooksApi(
                http, fixed_token(SecretStr(about["tokens"][each])), about["account_id"], URL, timedelta(seconds=10)
            )
            for each in ("access", "read_only")
        )
        client = await api.create_client({"organization": "Quist AB", "email": "ap@quist.example"})
        documents = FreshBooksDocuments(api.account)
        lines = [LineDraft("Design", Decimal("1234.50"), "EUR")]
        invoice = await documents.invoices.create({"customerid": client.id, "create_date": DAY}, lines)
        payments, notes = PaymentApi(api.account), CreditApi(api.account)
        yield Books(documents, payments, notes, PaymentApi(reader.account), client.id, invoice.id)
    await built.close()


async def test_a_payment_is_entered_found_and_taken_back(books: Books) -> None:
    """Z13, Z85, F30: 234.50 of 1,234.50 leave 1,000.00."""
    made = await books.payments.create(books.draft("234.50", "ref LL-47"))
    assert (made.amount and made.amount.amount, made.clientid) == (Decimal("234.50"), books.client_id)
    assert [each.id for each in await books.payments.of_invoice(books.invoice_id)] == [made.id]
    assert [each.id for each in await books.payments.find_by_note("LL-47")] == [made.id]
    assert await books.payments.find_by_note("LL-4") == []
    invoice = await books.documents.invoices.get(books.invoice_id)
    assert invoice.outstanding and (invoice.outstanding.amount, invoice.payment_status) == (
        Decimal("1000.00"),
        "partial",
    )
    await books.payments.set_visibility(made.id, DELETED)
    assert await books.payments.of_invoice(books.invoice_id) == []
    assert [each.id for each in await books.payments.of_invoice(books.invoice_id, vis_state=DELETED)] == [made.id]
    assert (await books.documents.invoices.get(books.invoice_id)).payment_status == "unpaid"


async def test_pages_are_by_client_invoice_and_day(books: Books) -> None:
    made = await books.payments.create(books.draft("1.00"))
    page = await books.payments.list_page(
        page=1, client_id=books.client_id, invoice_id=books.invoice_id, date_min=DAY, date_max=DAY, vis_state=ACTIVE
    )
    assert ([each.id for each in page.items], page.has_more) == ([made.id], False)
    assert (await books.payments.list_page(page=1, date_min=DAY + timedelta(days=1))).items == []


async def test_an_overpayment_leads_to_its_credit_note(books: Books) -> None:
    made = await books.payments.create(books.draft("1300.00"))
    assert made.overpaymentid is not None
    note = await books.credits.get(made.overpaymentid)
    assert (note.credit_type, note.amount and note.amount.amount) == ("overpayment", Decimal("65.50"))
    listed = await books.credits.list_page(page=1, client_id=books.client_id)
    assert [each.id for each in listed.items] == [note.id]


async def test_a_credit_note_is_written_and_deleted(books: Books) -> None:
    lines = [LineDraft("Goodwill", Decimal("80.00"), "EUR")]
    note = await books.credits.create(books.client_id, DAY, lines, {"credit_type": "goodwill"})
    assert note.amount and (note.amount.amount, len(note.lines or ())) == (Decimal("80.00"), 1)
    assert (await books.credits.set_visibility(note.id, DELETED)).vis_state == DELETED
    assert (await books.credits.list_page(page=1)).items == []


async def test_a_payment_in_another_currency_is_refused(books: Books) -> None:
    """F26."""
    draft = PaymentDraft(books.invoice_id, Decimal("1.00"), "SEK", DAY)
    with pytest.raises(Refused) as caught:
        await books.payments.create(draft)
    assert [each.field for each in caught.value.problems] == ["amount"]


async def test_without_the_scope_nothing_is_entered(books: Books) -> None:
    with pytest.raises(Forbidden):
        await books.reader.create(books.draft("1.00"))
    assert await books.payments.of_invoice(books.invoice_id) == []


async def test_an_unknown_payment_is_not_found(books: Books) -> None:
    with pytest.raises(NotFound):
        await books.payments.get(1)
