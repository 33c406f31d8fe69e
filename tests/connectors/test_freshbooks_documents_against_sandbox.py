"""The connector and the stand-in, written apart from the same facts, understand each other: in one process."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
import time_machine
from pydantic import SecretStr

from connectors.errors import Forbidden, NotFound, Refused, UnknownOutcome
from connectors.freshbooks.api import FreshBooksApi
from connectors.freshbooks.document_models import LineDraft
from connectors.freshbooks.documents import DocumentApi, Email, FreshBooksDocuments
from connectors.freshbooks.models import ACTIVE, ARCHIVED, DELETED, eastern_day
from connectors.freshbooks.problems import NumberTaken
from connectors.http import fixed_token, http_client
from sandbox.app import build_sandbox

URL = "http://freshbooks.test"
DAY = date(2026, 3, 2)
KINDS = pytest.mark.parametrize("kind", ["estimates", "invoices"])
DESIGN = LineDraft("Design", Decimal("500.00"), "EUR", Decimal(2), taxes=[("VAT", Decimal(25))])
PRINT = LineDraft("Print", Decimal("4495.16"), "EUR", taxes=[("GST", Decimal(5)), ("QST", Decimal("9.975"))])


@dataclass(frozen=True)
class Books:
    """The account: its API, its documents, a client in it, and the control of its stand-in."""

    http: httpx.AsyncClient
    api: FreshBooksApi
    documents: FreshBooksDocuments
    business_id: int
    client_id: int

    async def tell(self, path: str, body: object) -> Any:
        response = await self.http.post(f"{URL}/_sandbox/{path}", json=body)
        return response.raise_for_status().json()

    def draft(self, **values: Any) -> dict[str, Any]:
        return {"customerid": self.client_id, "create_date": DAY, **values}

    def of(self, kind: str) -> DocumentApi[Any]:
        api: DocumentApi[Any] = getattr(self.documents, kind)
        return api


@pytest.fixture
async def books() -> AsyncIterator[Books]:
    built = build_sandbox(records=1)
    async with http_client(httpx.ASGITransport(built.freshbooks)) as http:
        about = built.freshbooks_service.about()
        token = fixed_token(SecretStr(about["tokens"]["access"]))
        api = FreshBooksApi(http, token, about["account_id"], URL, timedelta(seconds=10))
        client = await api.create_client({"organization": "Quist AB", "email": "ap@quist.example"})
        yield Books(http, api, FreshBooksDocuments(api.account), about["business_id"], client.id)
    await built.close()


@KINDS
async def test_what_was_made_is_what_is_read(books: Books, kind: str) -> None:
    """Z44, S38-S41: 1000.00 with 250.00 of VAT, and 4495.16 with 224.76 and 448.39 of tax."""
    api = books.of(kind)
    values = books.draft(notes="Valid for a month", po_number="ref 47", discount_value=Decimal(0))
    made = await api.create(values, [DESIGN, PRINT])
    read = await api.get(made.id)
    assert read == made
    assert (read.amount.amount, read.amount.code) == (Decimal("6418.31"), "EUR")
    assert [(line.name, line.qty, line.unit_cost.amount) for line in read.lines] == [
        ("Design", Decimal(2), Decimal("500.00")),
        ("Print", Decimal(1), Decimal("4495.16")),
    ]
    assert read.lines[1].taxes == [("GST", Decimal(5)), ("QST", Decimal("9.975"))]
    assert (read.state, read.create_date, read.po_number, read.vis_state) == ("draft", DAY, "ref 47", ACTIVE)


@KINDS
async def test_instants_are_told_in_utc_and_swept_by_the_eastern_day(books: Books, kind: str) -> None:
    """F13, F15: at 04:30 UTC New York still has yesterday's date."""
    api, instant = books.of(kind), datetime(2026, 3, 3, 4, 30, tzinfo=UTC)
    with time_machine.travel(instant, tick=False):
        made = await api.create(books.draft(), [DESIGN])
    assert made.created_at == made.updated == instant
    for day, found in ((eastern_day(instant), [made.id]), (date(2026, 3, 3), [])):
        page = await api.list_page(page=1, updated_min=day)
        assert [each.id for each in page.items] == found


@KINDS
async def test_a_document_is_found_by_its_number_and_by_its_client(books: Books, kind: str) -> None:
    """F2."""
    api, key = books.of(kind), f"{kind[:-1]}_number"
    made = [await api.create(books.draft(**{key: number}), [DESIGN]) for number in ("CAP-1", "CAP-12")]
    assert [each.id for each in await api.find_by_number("CAP-1")] == [made[0].id]
    assert (await api.list_page(page=1, number="CAP-12")).items[0].id == made[1].id
    assert len((await api.list_page(page=1, client_id=books.client_id)).items) == 2
    assert (await api.list_page(page=1, client_id=books.client_id + 1)).items == []


async def test_estimates_of_a_client_are_told_apart_even_where_the_filter_is_ignored(books: Books) -> None:
    """F2: nobody verified that this filter works."""
    await books.tell("settings", {"estimates_by_client": False})
    other = await books.api.create_client({"organization": "Acme"})
    mine = await books.documents.estimates.create(books.draft(), [DESIGN])
    await books.documents.estimates.create(books.draft(customerid=other.id), [DESIGN])
    page = await books.documents.estimates.list_page(page=1, client_id=books.client_id)
    assert [each.id for each in page.items] == [mine.id]


@pytest.mark.parametrize("status", [409, 422])
async def test_a_taken_number_is_told_apart_whatever_the_refusal_says(books: Books, status: int) -> None:
    """S38: a deleted invoice keeps its number, and is found as what keeps it."""
    await books.tell("settings", {"duplicate_number_status": status, "duplicate_number_errno": 1004})
    invoices = books.documents.invoices
    first = await invoices.create(books.draft(invoice_number="CAP-1"), [DESIGN])
    await invoices.set_visibility(first.id, DELETED)
    with pytest.raises(NumberTaken):
        await invoices.create(books.draft(invoice_number="CAP-1"), [DESIGN])
    assert await invoices.find_by_number("CAP-1") == []
    assert [each.id for each in await invoices.find_by_number("CAP-1", vis_state=DELETED)] == [first.id]


@pytest.mark.parametrize("mode", [{"errors_as_200": True}, {"grpc_errors": True}])
async def test_a_taken_number_is_told_apart_in_every_style_of_errors(books: Books, mode: dict[str, bool]) -> None:
    invoices = books.documents.invoices
    await invoices.create(books.draft(invoice_number="CAP-1"), [DESIGN])
    await books.tell("settings", mode)
    with pytest.raises(NumberTaken):
        await invoices.create(books.draft(invoice_number="CAP-1"), [DESIGN])


@KINDS
@pytest.mark.faults
@pytest.mark.parametrize(("fault", "count"), [("commit_then_cut", 1), ("cut_before", 0), ("commit_then_status", 1)])
async def test_a_create_without_an_answer_is_in_doubt_and_a_look_tells(
    books: Books, kind: str, fault: str, count: int
) -> None:
    """F1, F2."""
    await books.tell("faults", {"method": "POST", "path": f"/{kind}/", "fault": fault, "times": 1})
    with pytest.raises(UnknownOutcome):
        await books.of(kind).create(books.draft(**{f"{kind[:-1]}_number": "CAP-1"}), [DESIGN])
    assert len(await books.of(kind).find_by_number("CAP-1")) == count


@KINDS
async def test_fields_change_alone_and_lines_as_a_whole(books: Books, kind: str) -> None:
    api = books.of(kind)
    made = await api.create(books.draft(notes="Thanks"), [DESIGN, PRINT])
    after = await api.update(made.id, {"create_date": date(2026, 4, 1), "discount_value": Decimal("10")})
    assert (after.notes, after.create_date, len(after.lines)) == ("Thanks", date(2026, 4, 1), 2)
    after = await api.replace_lines(made.id, [DESIGN], {"notes": "x"})
    assert ([line.name for line in after.lines], after.notes) == (["Design"], "x")
    assert (after.amount.amount, after.discount_total.amount) == (Decimal("1125.00"), Decimal("-100.00"))
    assert await api.get(made.id) == after


async def test_a_change_that_freshbooks_passed_over_shows_in_what_it_returns(books: Books) -> None:
    await books.tell("settings", {"estimate_dates_stay": True})
    made = await books.documents.estimates.create(books.draft(), [DESIGN])
    after = await books.documents.estimates.update(made.id, {"create_date": date(2026, 4, 1)})
    assert after.create_date == DAY


@KINDS
async def test_a_document_is_archived_deleted_and_restored(books: Books, kind: str) -> None:
    """F16, F30."""
    api = books.of(kind)
    made = await api.create(books.draft(), [DESIGN])
    for state, listed in ((ARCHIVED, 1), (DELETED, 0), (ACTIVE, 1)):
        assert (await api.set_visibility(made.id, state)).vis_state == state
        assert (await api.get(made.id)).vis_state == state
        assert len((await api.list_page(page=1)).items) == listed
        assert len((await api.list_page(page=1, vis_state=state)).items) == 1


@pytest.mark.parametrize("status", ["accepted", "unchanged"])
async def test_an_estimate_is_accepted_and_invoiced(books: Books, status: str) -> None:
    """S19, S41: whatever its status says then."""
    await books.tell("settings", {"status_after_accept": status})
    estimates, invoices = books.documents.estimates, books.documents.invoices
    made = await estimates.create(books.draft(), [DESIGN])
    assert (await estimates.accept(made.id)).state == "accepted"
    invoice = await invoices.create(books.draft(estimateid=made.id), [DESIGN])
    assert (invoice.estimateid, (await estimates.get(made.id)).state) == (made.id, "invoiced")


async def test_a_client_who_accepts_in_the_browser_is_seen(books: Books) -> None:
    """S19."""
    made = await books.documents.estimates.create(books.draft(), [DESIGN])
    await books.tell(f"records/estimate/{made.id}/accept", {})
    assert (await books.documents.estimates.get(made.id)).state == "accepted"


async def test_an_invoice_is_made_final_with_and_without_an_email(books: Books) -> None:
    """Z142."""
    invoices = books.documents.invoices
    quiet = await invoices.create(books.draft(due_offset_days=36_525), [DESIGN])
    assert (await invoices.mark_as_sent(quiet.id)).state == "sent"
    mailed = await invoices.create(books.draft(due_offset_days=36_525), [DESIGN])
    assert (await invoices.send_by_email(mailed.id, Email(["cfo@quist.example"], "Invoice", "Hello"))).state == "sent"
    emails = (await books.http.get(f"{URL}/_sandbox/records/email")).json()["records"]
    assert [(each["object_id"], each["recipients"]) for each in emails] == [(mailed.id, ["cfo@quist.example"])]


async def test_an_estimate_is_sent_to_its_client(books: Books) -> None:
    made = await books.documents.estimates.create(books.draft(), [DESIGN])
    assert (await books.documents.estimates.send_by_email(made.id, Email())).state == "sent"


async def test_what_is_wrong_is_refused_by_field(books: Books) -> None:
    """F29, F26: currencies are not mixed."""
    invoices = books.documents.invoices
    with pytest.raises(Refused, match="unit_cost 1004"):
        await invoices.create(books.draft(), [DESIGN, LineDraft("Print", Decimal(1), "USD")])
    with pytest.raises(NotFound, match="customerid 1012"):
        await invoices.create(books.draft(customerid=1), [DESIGN])
    made = await invoices.create(books.draft(), [DESIGN])
    with pytest.raises(Forbidden, match="due_date 1038"):
        await invoices.update(made.id, {"due_date": DAY})
    with pytest.raises(NotFound):
        await invoices.get(made.id + 1)


async def test_items_taxes_and_people_are_told(books: Books) -> None:
    """Z48, Z51, Z52, S42."""
    docs = books.documents
    assert {each.sku for each in (await docs.items()).items} == {"DES-H", "PRN-1000", None}
    assert {(each.name, each.amount) for each in (await docs.taxes()).items} >= {("QST", Decimal("9.975"))}
    staff = {each.email: each.id for each in (await docs.staff()).items}
    team = [each.email for each in (await docs.team_members(books.business_id)).items]
    assert (set(team), staff["nora.lindqvist@sandbox.example"]) == (set(staff), 2)
    made = await docs.estimates.create(books.draft(ownerid=2), [DESIGN])
    assert (await docs.estimates.get(made.id)).ownerid == 2
