"""Requests and answers of FreshBooks' estimates, invoices, items, taxes and staff, as its documentation shows them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.errors import Forbidden, RateLimited, Refused, Unavailable, UnknownOutcome
from connectors.freshbooks.document_models import LineDraft, Money
from connectors.freshbooks.documents import DocumentApi, Email, FreshBooksDocuments
from connectors.freshbooks.problems import NumberTaken
from tests.connectors.answering import Script, Step, freshbooks, one_client

ACCOUNT = "/accounting/account/aB3xYz"
LINE: dict[str, Any] = {
    "lineid": 1,
    "invoiceid": 70001,
    "type": 0,
    "name": "Design",
    "description": "Phase 1",
    "qty": "2",
    "unit_cost": {"amount": "500.00", "code": "SEK"},
    "amount": {"amount": "1000.00", "code": "SEK"},
    "taxName1": "VAT",
    "taxAmount1": "25",
    "taxNumber1": None,
    "taxName2": None,
    "taxAmount2": "0",
    "compounded_tax": False,
    "expenseid": 0,
}
INVOICE: dict[str, Any] = {
    "id": 70001,
    "invoiceid": 70001,
    "accounting_systemid": "aB3xYz",
    "customerid": 330101,
    "invoice_number": "CAP-000123",
    "po_number": "capsule:opp:991",
    "create_date": "2026-03-02",
    "due_offset_days": 30,
    "due_date": "2026-04-01",
    "amount": {"amount": "1125.00", "code": "SEK"},
    "paid": {"amount": "0.00", "code": "SEK"},
    "outstanding": {"amount": "1125.00", "code": "SEK"},
    "discount_value": "10",
    "discount_total": {"amount": "-100.00", "code": "SEK"},
    "currency_code": "SEK",
    "status": 1,
    "display_status": "draft",
    "v3_status": "draft",
    "payment_status": "unpaid",
    "date_paid": None,
    "estimateid": 0,
    "ownerid": 1,
    "organization": "Quist AB",
    "current_organization": "Quist AB",
    "created_at": "2026-03-02 09:05:00",
    "updated": "2026-03-02 09:05:00",
    "vis_state": 0,
    "some_new_key": [],
    "lines": [LINE],
}
ESTIMATE: dict[str, Any] = {
    "id": "50001",
    "customerid": 330101,
    "estimate_number": "0000003",
    "create_date": "2026-03-02",
    "amount": {"amount": "10.125", "code": "KWD"},
    "accepted": False,
    "invoiced": False,
    "status": 3,
    "ui_status": "open",
    "display_status": "viewed",
    "updated": "2026-07-02 09:05:00",
    "vis_state": 0,
}
DRAFT = {"customerid": 330101, "create_date": date(2026, 3, 2), "invoice_number": "CAP-000123"}
DESIGN = LineDraft("Design", Decimal("500.00"), "SEK", Decimal(2), "Phase 1", [("VAT", Decimal("25"))])
LOST = httpx.ReadError("the answer is lost")


def documents(*steps: Step) -> tuple[FreshBooksDocuments, Script]:
    api, script = freshbooks(*steps)
    return FreshBooksDocuments(api.account), script


def one(key: str, **values: Any) -> httpx.Response:
    return httpx.Response(200, json={"response": {"result": {key: values}}})


def page_of(key: str, *rows: dict[str, Any], page: int = 1, pages: int = 1) -> httpx.Response:
    result = {key: list(rows), "page": page, "pages": pages, "per_page": 100, "total": len(rows)}
    return httpx.Response(200, json={"response": {"result": result}})


def refusal(status: int, errno: int, field: str) -> httpx.Response:
    error = {"errno": errno, "field": field, "message": "CAP-000123 is taken", "object": "invoice", "value": "x"}
    return httpx.Response(status, json={"response": {"errors": [error]}})


async def test_an_invoice_is_read_with_its_lines_exact_amounts_and_clocks_in_utc() -> None:
    """Z44, S38-S40: an amount is a Decimal beside its currency."""
    api, script = documents(one("invoice", **INVOICE))
    invoice = await api.invoices.get(70001)
    assert (script.sent[0].method, script.sent[0].url.path) == ("GET", f"{ACCOUNT}/invoices/invoices/70001")
    assert script.query == {"include[]": "lines"}
    assert b"include%5B%5D=lines" in script.sent[0].url.query
    assert invoice.amount == Money(amount=Decimal("1125.00"), code="SEK")
    assert (invoice.create_date, invoice.due_date) == (date(2026, 3, 2), date(2026, 4, 1))
    assert invoice.updated == datetime(2026, 3, 2, 14, 5, tzinfo=UTC)
    assert (invoice.number, invoice.state, invoice.discount_value) == ("CAP-000123", "draft", Decimal(10))
    assert invoice.lines is not None
    assert (invoice.lines[0].qty, invoice.lines[0].taxes) == (Decimal(2), [("VAT", Decimal(25))])


async def test_an_amount_keeps_the_decimals_that_freshbooks_wrote() -> None:
    """S39: a dinar has a thousand fils."""
    api, _ = documents(one("estimate", **ESTIMATE))
    estimate = await api.estimates.get(50001)
    assert estimate.amount is not None
    assert (str(estimate.amount.amount), estimate.document()["amount"]["amount"]) == ("10.125", "10.125")
    assert (estimate.id, estimate.lines, estimate.updated) == (50001, None, datetime(2026, 7, 2, 13, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    ("said", "state"),
    [({}, "viewed"), ({"accepted": True}, "accepted"), ({"accepted": True, "invoiced": True}, "invoiced")],
)
async def test_of_an_estimate_s_states_the_yes_or_no_ones_are_believed(said: dict[str, Any], state: str) -> None:
    """S19: the others were seen to disagree."""
    api, _ = documents(one("estimate", **{**ESTIMATE, **said}))
    assert (await api.estimates.get(50001)).state == state


@pytest.mark.parametrize("empty", ["", "0000-00-00", None])
async def test_a_day_that_is_none_is_read_all_the_same(empty: str | None) -> None:
    api, _ = documents(one("invoice", **{**INVOICE, "date_paid": empty, "due_date": empty}))
    invoice = await api.invoices.get(70001)
    assert (invoice.date_paid, invoice.due_date) == (None, None)


async def test_an_invoice_in_a_log_line_shows_its_number_in_the_account_and_nothing_else() -> None:
    api, _ = documents(one("invoice", **INVOICE))
    assert repr(await api.invoices.get(70001)) == "Invoice(id=70001)"


async def test_an_amount_that_is_no_number_makes_the_answer_unreadable() -> None:
    api, _ = documents(one("invoice", **{**INVOICE, "amount": {"amount": "NaN", "code": "SEK"}}))
    with pytest.raises(Unavailable, match="read invoice 70001"):
        await api.invoices.get(70001)


async def test_a_page_is_asked_for_by_day_number_and_client() -> None:
    api, script = documents(page_of("invoices", INVOICE, page=2, pages=3))
    page = await api.invoices.list_page(
        page=2, updated_min=date(2026, 3, 1), number="CAP-000123", client_id=330101, vis_state=0
    )
    assert ([invoice.id for invoice in page.items], page.has_more) == ([70001], True)
    assert script.query == {
        "search[updated_min]": "2026-03-01",
        "search[invoice_number]": "CAP-000123",
        "search[customerid]": "330101",
        "search[vis_state]": "0",
        "page": "2",
        "per_page": "100",
        "sort": "invoice_date_asc",
        "include[]": "lines",
    }


@pytest.mark.parametrize(
    "wish",
    [{"number": "CAP-7"}, {"client_id": 330102}, {"vis_state": 1}, {"updated_min": date(2026, 3, 3)}],
)
async def test_what_an_ignored_filter_returns_is_left_out(wish: dict[str, Any]) -> None:
    """F2: a filter that FreshBooks does not know comes back with everything and 200."""
    api, _ = documents(page_of("invoices", INVOICE, pages=2))
    page = await api.invoices.list_page(page=1, **wish)
    assert (page.items, page.has_more) == ([], True)


async def test_an_instant_is_no_day() -> None:
    api, _ = documents()
    with pytest.raises(TypeError, match="eastern_day"):
        await api.estimates.list_page(page=1, updated_min=datetime(2026, 3, 2, tzinfo=UTC))


async def test_a_number_is_found_exactly_or_not_at_all() -> None:
    """F2: our number 12 is not their number 0012, nor number 123."""
    rows = [{**INVOICE, "id": number, "invoice_number": said} for number, said in ((1, "12"), (2, "0012"), (3, "123"))]
    api, script = documents(page_of("invoices", *rows))
    assert [each.id for each in await api.invoices.find_by_number(" 12 ")] == [1]
    assert (script.query["search[invoice_number]"], "search[vis_state]" in script.query) == ("12", False)


async def test_the_deleted_can_be_searched_for_a_number() -> None:
    """F16: they may keep it."""
    api, script = documents(page_of("estimates", {**ESTIMATE, "vis_state": 1}))
    assert len(await api.estimates.find_by_number("0000003", vis_state=1)) == 1
    assert (script.query["search[vis_state]"], script.query["search[estimate_number]"]) == ("1", "0000003")


async def test_a_search_that_goes_on_and_on_is_left_to_a_person() -> None:
    pages = [page_of("invoices", INVOICE, page=number, pages=9) for number in range(1, 6)]
    api, script = documents(*pages)
    with pytest.raises(Refused, match="seems to ignore the filter"):
        await api.invoices.find_by_number("CAP-7")
    assert len(script.sent) == 5


async def test_an_empty_number_is_not_searched_for() -> None:
    api, script = documents()
    with pytest.raises(ValueError, match="every invoice"):
        await api.invoices.find_by_number(" ")
    assert not script.sent


async def test_an_invoice_is_made_with_amounts_as_text() -> None:
    """S38-S40."""
    api, script = documents(one("invoice", **INVOICE))
    values = {**DRAFT, "discount_value": Decimal("10")}
    assert (await api.invoices.create(values, [DESIGN])).id == 70001
    assert script.sent[0].method == "POST"
    assert script.query == {"include[]": "lines"}
    assert script.body == {
        "invoice": {
            "customerid": 330101,
            "create_date": "2026-03-02",
            "invoice_number": "CAP-000123",
            "discount_value": "10",
            "lines": [
                {
                    "type": 0,
                    "name": "Design",
                    "description": "Phase 1",
                    "qty": "2",
                    "unit_cost": {"amount": "500.00", "code": "SEK"},
                    "taxName1": "VAT",
                    "taxAmount1": "25",
                }
            ],
        }
    }


def test_a_third_tax_is_refused_before_it_gets_lost() -> None:
    """Z52, F29."""
    taxes = [(name, Decimal(5)) for name in ("GST", "PST", "Eco")]
    with pytest.raises(ValueError, match="at most 2 taxes, not 3: fold two into one"):
        LineDraft("Design", Decimal(1), "CAD", taxes=taxes)


def test_a_large_round_amount_is_written_without_an_exponent() -> None:
    assert LineDraft("Design", Decimal("1E+6"), "JPY").document()["unit_cost"]["amount"] == "1000000"
    with pytest.raises(ValueError, match="finite"):
        LineDraft("Design", Decimal("NaN"), "JPY").document()


@pytest.mark.parametrize("kind", ["estimates", "invoices"])
@pytest.mark.parametrize("answer", [LOST, httpx.Response(503), httpx.Response(200, text="<html>"), one("other")])
async def test_a_create_whose_answer_is_lost_is_in_doubt(kind: str, answer: Step) -> None:
    """F1, F2."""
    docs, script = documents(answer)
    api: DocumentApi[Any] = getattr(docs, kind)
    with pytest.raises(UnknownOutcome, match=f"create an {kind[:-1]}"):
        await api.create(DRAFT, [DESIGN])
    assert len(script.sent) == 1


@pytest.mark.parametrize(("status", "errno"), [(422, 1029), (422, 1004), (409, 409), (200, 1029)])
async def test_a_number_that_is_taken_is_told_apart_by_field_and_status(status: int, errno: int) -> None:
    """S38: the code is not published."""
    api, _ = documents(refusal(status, errno, "invoice_number"))
    with pytest.raises(NumberTaken, match="another invoice, perhaps a deleted one, has this number") as caught:
        await api.invoices.create(DRAFT, [DESIGN])
    assert "CAP-000123" not in str(caught.value)
    assert (caught.value.problems[0].field, caught.value.problems[0].code) == ("invoice_number", str(errno))


@pytest.mark.parametrize(
    ("status", "errno", "field"),
    [(422, 1012, "customerid"), (422, 1017, "invoice_number"), (400, 1029, "invoice_number"), (422, 1004, "lines")],
)
async def test_another_refusal_is_no_matter_of_numbers(status: int, errno: int, field: str) -> None:
    api, _ = documents(refusal(status, errno, field))
    with pytest.raises(Refused) as caught:
        await api.invoices.create(DRAFT, [DESIGN])
    assert not isinstance(caught.value, NumberTaken)


async def test_a_change_of_number_can_meet_a_taken_one_too() -> None:
    api, _ = documents(refusal(422, 1029, "estimate_number"), refusal(422, 1029, "estimate_number"))
    with pytest.raises(NumberTaken, match="change estimate 50001"):
        await api.estimates.update(50001, {"estimate_number": "7"})
    with pytest.raises(NumberTaken):
        await api.estimates.replace_lines(50001, [DESIGN], {"estimate_number": "7"})


async def test_a_due_date_that_is_written_is_a_matter_of_rights() -> None:
    api, _ = documents(refusal(403, 1038, "due_date"))
    with pytest.raises(Forbidden, match="due_date 1038"):
        await api.invoices.update(70001, {"due_date": date(2026, 5, 1)})


async def test_a_change_sends_only_what_it_names() -> None:
    api, script = documents(one("estimate", **ESTIMATE))
    await api.estimates.update(50001, {"create_date": date(2026, 4, 1), "notes": "x"})
    assert (script.sent[0].method, script.sent[0].url.path) == ("PUT", f"{ACCOUNT}/estimates/estimates/50001")
    assert script.body == {"estimate": {"create_date": "2026-04-01", "notes": "x"}}


@pytest.mark.parametrize("stray", ["vis_state", "ext_vis_state", "action_accept", "lines"])
async def test_what_would_drop_or_replace_the_rest_is_not_sent_among_fields(stray: str) -> None:
    """F30."""
    api, script = documents()
    with pytest.raises(ValueError, match="estimate 50001"):
        await api.estimates.update(50001, {"notes": "x", stray: 0})
    assert not script.sent


async def test_lines_are_replaced_as_a_whole() -> None:
    api, script = documents(one("invoice", **INVOICE), one("invoice", **INVOICE))
    await api.invoices.replace_lines(70001, [DESIGN], {"notes": "x"})
    assert [each["name"] for each in script.body["invoice"]["lines"]] == ["Design"]
    assert script.body["invoice"]["notes"] == "x"
    await api.invoices.replace_lines(70001, [], {})
    assert script.body == {"invoice": {"lines": []}}


@pytest.mark.parametrize("vis_state", [0, 1, 2])
async def test_visibility_is_set_alone(vis_state: int) -> None:
    """F30."""
    api, script = documents(one("invoice", **{**INVOICE, "vis_state": vis_state}))
    assert (await api.invoices.set_visibility(70001, vis_state)).vis_state == vis_state
    assert script.body == {"invoice": {"vis_state": vis_state}}


async def test_actions_go_alone_and_may_be_repeated() -> None:
    """Z142: S19."""
    api, script = documents(one("estimate", **ESTIMATE), one("invoice", **INVOICE), LOST)
    await api.estimates.accept(50001)
    assert script.body == {"estimate": {"action_accept": True}}
    await api.invoices.mark_as_sent(70001)
    assert script.body == {"invoice": {"action_mark_as_sent": True}}
    with pytest.raises(Unavailable, match="mark invoice 70001 as sent"):
        await api.invoices.mark_as_sent(70001)


async def test_an_email_goes_out_with_its_words() -> None:
    api, script = documents(one("invoice", **INVOICE), one("estimate", **ESTIMATE))
    await api.invoices.send_by_email(70001, Email(["ap@quist.test"], "Invoice 7", "Hello"))
    assert script.body == {
        "invoice": {
            "action_email": True,
            "email_recipients": ["ap@quist.test"],
            "invoice_customized_email": {"subject": "Invoice 7", "body": "Hello"},
        }
    }
    await api.estimates.send_by_email(50001, Email())
    assert script.body == {"estimate": {"action_email": True}}


async def test_an_email_is_never_repeated_unseen() -> None:
    """F2: the customer would get it twice."""
    api, _ = documents(LOST)
    with pytest.raises(UnknownOutcome, match="send invoice 70001 by email"):
        await api.invoices.send_by_email(70001, Email())


async def test_a_wait_that_was_told_to_the_clients_holds_for_documents_too() -> None:
    """One account, one quota."""
    api, script = freshbooks(httpx.Response(429, headers={"Retry-After": "30"}), one_client())
    with pytest.raises(RateLimited):
        await api.get_client(330101)
    with pytest.raises(RateLimited, match="wait"):
        await FreshBooksDocuments(api.account).invoices.get(70001)
    assert len(script.sent) == 1


async def test_items_and_taxes_are_listed() -> None:
    """Z48, Z52."""
    item = {"id": 1, "name": "Design", "unit_cost": {"amount": "95.00", "code": "EUR"}, "sku": "DES", "tax1": 0}
    tax = {"taxid": 4, "name": "QST", "amount": "9.975", "number": None, "compound": False}
    api, script = documents(page_of("items", item), page_of("taxes", tax, pages=2))
    items, taxes = await api.items(), await api.taxes()
    assert [each.url.path for each in script.sent] == [f"{ACCOUNT}/items/items", f"{ACCOUNT}/taxes/taxes"]
    assert items.items[0].unit_cost == Money(amount=Decimal("95.00"), code="EUR")
    assert (taxes.items[0].id, taxes.items[0].amount, taxes.has_more) == (4, Decimal("9.975"), True)


async def test_staff_are_read_without_their_credential() -> None:
    """Z51, S42."""
    nora = {"id": 2, "fname": "Nora", "email": "nora@firm.test", "role": "staff", "api_token": "do-not-keep"}
    api, script = documents(page_of("staff", nora))
    (member,) = (await api.staff()).items
    assert script.sent[0].url.path == f"{ACCOUNT}/users/staffs"
    assert (member.id, member.email) == (2, "nora@firm.test")
    assert "do-not-keep" not in f"{member!r} {member.document()} {vars(member)}"


@pytest.mark.parametrize(("rows", "total", "more"), [(1, 1, False), (1, 101, True), (0, 101, False)])
async def test_team_members_come_in_an_envelope_of_their_own(rows: int, total: int, more: bool) -> None:
    """S42."""
    member = {"uuid": "6f1c", "first_name": "Nora", "email": "nora@firm.test", "active": True, "identity_id": 7001}
    said = {"response": [member] * rows, "meta": {"page": 1, "per_page": 100, "total": total}}
    api, script = documents(httpx.Response(200, json=said))
    page = await api.team_members(880001)
    assert script.sent[0].url.path == "/auth/api/v1/businesses/880001/team_members"
    assert ([each.email for each in page.items], page.has_more) == (["nora@firm.test"] * rows, more)
