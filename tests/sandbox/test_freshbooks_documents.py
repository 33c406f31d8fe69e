"""Making, reading and finding estimates and invoices."""

from typing import Any

import httpx
import pytest
import time_machine

from sandbox.app import Sandbox
from tests.sandbox.conftest import CLIENTS, caller, control, new_client
from tests.sandbox.freshbooks_documents import (
    ESTIMATES,
    INVOICES,
    PATHS,
    asked,
    changed,
    ids,
    line,
    listed,
    new,
    put,
    read,
    refusal,
    said,
)

BOTH = pytest.mark.parametrize("kind", ["estimate", "invoice"])
NOON = "2026-03-02T17:00:05Z"


async def numbered(freshbooks: httpx.AsyncClient, kind: str, number: str | None = None, **draft: Any) -> str:
    """Make a document, and return the number that it got."""
    found: str = (await new(freshbooks, kind, **{f"{kind}_number": number}, **draft))[f"{kind}_number"]
    return found


async def test_a_new_invoice_is_a_draft_that_owes_everything(freshbooks: httpx.AsyncClient) -> None:
    """Z44: S38: the id has two names, and the due date follows from the date."""
    with time_machine.travel(NOON, tick=False):
        invoice = await new(freshbooks, "invoice", due_offset_days=30, po_number="deal 991", currency_code="SEK",
                            lines=[line(code="SEK")])  # fmt: skip
    assert invoice["id"] == invoice["invoiceid"] == invoice["lines"][0]["invoiceid"]
    assert (invoice["create_date"], invoice["due_date"]) == ("2026-03-02", "2026-04-01")
    states = ("status", "v3_status", "display_status", "payment_status")
    assert [invoice[each] for each in states] == [1, "draft", "draft", "unpaid"]
    assert invoice["outstanding"] == invoice["amount"] == {"amount": "500.00", "code": "SEK"}
    assert (invoice["po_number"], invoice["description"], invoice["estimateid"]) == ("deal 991", "", 0)


async def test_a_new_estimate_is_a_draft_that_nobody_accepted(freshbooks: httpx.AsyncClient) -> None:
    """S41."""
    estimate = await new(freshbooks, "estimate", lines=[line(description="Phase 1")], notes="Valid for a month")
    assert estimate["id"] == estimate["estimateid"] == estimate["lines"][0]["estimateid"]
    assert [estimate[each] for each in ("status", "ui_status", "display_status")] == [1, "draft", "draft"]
    assert (estimate["accepted"], estimate["invoiced"], estimate["description"]) == (False, False, "Phase 1")
    assert (estimate["notes"], estimate["ownerid"], "outstanding" in estimate) == ("Valid for a month", 1, False)


@BOTH
async def test_documents_tell_the_time_of_new_york(freshbooks: httpx.AsyncClient, kind: str) -> None:
    """F13, F14: what changed when is told without an offset."""
    with time_machine.travel(NOON, tick=False):
        document = await new(freshbooks, kind)
    assert document["created_at"] == document["updated"] == "2026-03-02 12:00:05"
    with time_machine.travel("2026-07-01T14:00:05Z", tick=False):
        after = await changed(freshbooks, kind, document, notes="Thanks")
    assert (after["updated"], after["created_at"]) == ("2026-07-01 10:00:05", "2026-03-02 12:00:05")


@BOTH
async def test_lines_come_only_where_they_are_asked_for(freshbooks: httpx.AsyncClient, kind: str) -> None:
    document = await new(freshbooks, kind)
    assert len(document["lines"]) == 1
    bare = said(await freshbooks.get(f"{PATHS[kind]}/{document['id']}"), kind)
    assert "lines" not in bare
    assert "lines" not in said(await freshbooks.put(f"{PATHS[kind]}/{document['id']}", json={kind: {}}), kind)
    assert "lines" not in (await listed(freshbooks, PATHS[kind]))[0]
    (row,) = await listed(freshbooks, PATHS[kind], **{"include[]": "lines"})
    assert row["lines"] == document["lines"]


@BOTH
async def test_a_document_keeps_its_client_as_it_was(freshbooks: httpx.AsyncClient, kind: str) -> None:
    client = await new_client(
        freshbooks, organization="Quist AB", fname="Nora", p_city="Malmö", currency_code="SEK", vat_number="SE1"
    )
    document = await new(freshbooks, kind, customerid=client["id"], lines=[line(code="SEK")])
    await freshbooks.put(
        f"{CLIENTS}/{client['id']}", json={"client": {"organization": "Quist Group", "p_city": "Lund"}}
    )
    after = await read(freshbooks, kind, document)
    assert (after["organization"], after["city"], after["fname"]) == ("Quist AB", "Malmö", "Nora")
    assert (after["current_organization"], after["vat_number"], after["currency_code"]) == ("Quist Group", "SE1", "SEK")


@BOTH
async def test_a_document_that_goes_to_another_client_takes_over_that_one(
    freshbooks: httpx.AsyncClient, kind: str
) -> None:
    document = await new(freshbooks, kind)
    other = await new_client(freshbooks, organization="Acme", currency_code="USD")
    after = await changed(freshbooks, kind, document, customerid=other["id"])
    assert (after["organization"], after["currency_code"], after["amount"]["amount"]) == ("Acme", "EUR", "500.00")


@BOTH
@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        ({"customerid": None}, (422, 1001, "customerid")),
        ({"customerid": 1}, (404, 1012, "customerid")),
        ({"customerid": "Quist"}, (422, 1015, "customerid")),
        ({"create_date": None}, (422, 1001, "create_date")),
        ({"create_date": "2.3.2026"}, (422, 1033, "create_date")),
        ({"currency_code": "XXY"}, (422, 1004, "currency_code")),
        ({"discount_value": 120}, (422, 1018, "discount_value")),
        ({"lines": "none"}, (422, 1034, "lines")),
        ({"ownerid": 99}, (404, 1012, "ownerid")),
        ({"notes": 7}, (422, 1004, "notes")),
    ],
)
async def test_what_cannot_be_is_refused_by_field_and_makes_nothing(
    freshbooks: httpx.AsyncClient, kind: str, draft: dict[str, Any], expected: tuple[int, int, str]
) -> None:
    assert refusal(await asked(freshbooks, kind, **draft)) == expected
    assert await listed(freshbooks, PATHS[kind]) == []


@BOTH
async def test_nothing_new_is_made_for_a_deleted_client(freshbooks: httpx.AsyncClient, kind: str) -> None:
    client = await new_client(freshbooks, organization="Quist AB")
    document = await new(freshbooks, kind, customerid=client["id"])
    await freshbooks.put(f"{CLIENTS}/{client['id']}", json={"client": {"vis_state": 1}})
    assert refusal(await asked(freshbooks, kind, customerid=client["id"])) == (422, 1011, "customerid")
    assert (await changed(freshbooks, kind, document, notes="x", customerid=client["id"]))["notes"] == "x"


async def test_the_due_date_can_only_be_moved_by_days(freshbooks: httpx.AsyncClient) -> None:
    invoice = await new(freshbooks, "invoice", due_offset_days=14)
    assert refusal(await put(freshbooks, "invoice", invoice, due_date="2026-05-01")) == (403, 1038, "due_date")
    assert refusal(await put(freshbooks, "invoice", invoice, due_offset_days=-1)) == (422, 1025, "due_offset_days")
    assert (await changed(freshbooks, "invoice", invoice, due_offset_days=60))["due_date"] == "2026-05-01"
    assert (await changed(freshbooks, "invoice", invoice, create_date="2026-03-03"))["due_date"] == "2026-05-02"


@BOTH
async def test_numbers_count_on_from_the_last_one_in_its_style(freshbooks: httpx.AsyncClient, kind: str) -> None:
    assert await numbered(freshbooks, kind) == "0000001"
    assert await numbered(freshbooks, kind) == "0000002"
    assert await numbered(freshbooks, kind, "CAP-000099") == "CAP-000099"
    assert await numbered(freshbooks, kind) == "CAP-000100"
    assert await numbered(freshbooks, kind, "Q") == "Q"
    assert await numbered(freshbooks, kind) == "Q1"


async def test_a_number_that_is_counted_on_passes_over_what_is_taken(freshbooks: httpx.AsyncClient) -> None:
    for number in ("A-8", "A-9", "A-7"):
        await numbered(freshbooks, "invoice", number)
    assert await numbered(freshbooks, "invoice") == "A-10"


async def test_an_invoice_number_exists_once(freshbooks: httpx.AsyncClient) -> None:
    """F2: S38: the second of two creates is refused, whoever sends it."""
    await numbered(freshbooks, "invoice", "CAP-1")
    assert refusal(await asked(freshbooks, "invoice", invoice_number="CAP-1")) == (422, 1029, "invoice_number")
    other = await new(freshbooks, "invoice", invoice_number="CAP-2")
    assert refusal(await put(freshbooks, "invoice", other, invoice_number="CAP-1"))[2] == "invoice_number"
    assert (await changed(freshbooks, "invoice", other, invoice_number="CAP-2", notes="x"))["notes"] == "x"
    assert len(await ids(freshbooks, "invoice")) == 2


async def test_how_a_taken_number_is_refused_is_a_knob(freshbooks: httpx.AsyncClient) -> None:
    said_so = {"duplicate_number_status": 409, "duplicate_number_errno": 1004, "duplicate_number_text": "Taken."}
    await control(freshbooks, "settings", said_so)
    await numbered(freshbooks, "invoice", "CAP-1")
    response = await asked(freshbooks, "invoice", invoice_number="CAP-1")
    assert refusal(response) == (409, 1004, "invoice_number")
    assert response.json()["response"]["errors"][0]["message"] == "Taken."


@pytest.mark.parametrize(("kept", "status"), [(True, 422), (False, 200)])
async def test_whether_a_deleted_invoice_keeps_its_number_is_a_knob(
    freshbooks: httpx.AsyncClient, kept: bool, status: int
) -> None:
    await control(freshbooks, "settings", {"deleted_keep_numbers": kept})
    invoice = await new(freshbooks, "invoice", invoice_number="CAP-1")
    await changed(freshbooks, "invoice", invoice, vis_state=1)
    assert (await asked(freshbooks, "invoice", invoice_number="CAP-1")).status_code == status


@pytest.mark.parametrize(("unique", "status"), [(False, 200), (True, 422)])
async def test_whether_estimate_numbers_exist_once_is_a_knob(
    freshbooks: httpx.AsyncClient, unique: bool, status: int
) -> None:
    await control(freshbooks, "settings", {"unique_estimate_numbers": unique})
    await numbered(freshbooks, "estimate", "CAP-1")
    assert (await asked(freshbooks, "estimate", estimate_number="CAP-1")).status_code == status


async def test_an_estimate_that_keeps_its_number_is_not_asked_about_it(freshbooks: httpx.AsyncClient) -> None:
    for _ in range(2):
        twin = await new(freshbooks, "estimate", estimate_number="CAP-1")
    await control(freshbooks, "settings", {"unique_estimate_numbers": True})
    assert (await changed(freshbooks, "estimate", twin, notes="x"))["estimate_number"] == "CAP-1"


async def test_accounts_do_not_share_numbers_or_documents(freshbooks: httpx.AsyncClient) -> None:
    await control(freshbooks, "settings", {"businesses": [{"name": "Second", "account_id": "zZ9"}]})
    invoice = await new(freshbooks, "invoice", invoice_number="CAP-1")
    second = INVOICES.replace("sBx7Qz", "zZ9")
    own = await freshbooks.post(CLIENTS.replace("sBx7Qz", "zZ9"), json={"client": {"organization": "Quist AB"}})
    draft = {"create_date": "2026-03-02", "invoice_number": "CAP-1"}
    stranger = await freshbooks.post(second, json={"invoice": {**draft, "customerid": invoice["customerid"]}})
    assert refusal(stranger) == (404, 1012, "customerid")
    twin = {**draft, "customerid": said(own, "client")["id"]}
    assert said(await freshbooks.post(second, json={"invoice": twin}), "invoice")["invoice_number"] == "CAP-1"
    assert len(await listed(freshbooks, second)) == len(await listed(freshbooks, INVOICES)) == 1
    assert (await freshbooks.get(f"{second}/{invoice['id']}")).status_code == 404


async def dated_invoices(freshbooks: httpx.AsyncClient) -> dict[str, int]:
    """Make three invoices, of which Acme's is paid, and return their ids by number."""
    found: dict[str, int] = {}
    for number, date in (("A-1", "2026-03-01"), ("A-2", "2026-03-02"), ("A-3", "2026-02-01")):
        found[number] = (await new(freshbooks, "invoice", invoice_number=number, create_date=date))["id"]
    await control(freshbooks, f"records/invoice/{found['A-3']}", {"payment_status": "paid", "v3_status": "paid"})
    return found


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({"invoice_number": "A-2"}, ["A-2"]),
        ({"invoice_number": "A-"}, []),
        ({"date_min": "2026-03-01"}, ["A-1", "A-2"]),
        ({"date_max": "2026-03-01"}, ["A-1", "A-3"]),
        ({"paid": "true"}, ["A-3"]),
        ({"paid": "False"}, ["A-1", "A-2"]),
        ({"v3_status": "draft"}, ["A-1", "A-2"]),
        ({"vis_state": 1}, []),
        ({"updated_min": "2099-01-01"}, []),
        ({"invoice_number": "A-2", "date_max": "2026-03-01"}, []),
    ],
)
async def test_invoices_are_found_by_what_works(
    freshbooks: httpx.AsyncClient, search: dict[str, Any], found: list[str]
) -> None:
    numbers = await dated_invoices(freshbooks)
    assert await ids(freshbooks, "invoice", **search) == sorted(numbers[each] for each in found)


@pytest.mark.parametrize(
    "ignored", ["status", "statusid", "payment_status", "create_date_min", "po_number", "nonsense"]
)
async def test_a_search_that_is_not_known_finds_every_invoice(freshbooks: httpx.AsyncClient, ignored: str) -> None:
    """F2: a look before a create that trusted such an answer would take the wrong invoice."""
    await dated_invoices(freshbooks)
    assert len(await ids(freshbooks, "invoice", **{ignored: "2030-01-01"})) == 3


async def test_documents_are_found_by_client(freshbooks: httpx.AsyncClient) -> None:
    for kind in PATHS:
        wanted = await new(freshbooks, kind)
        await new(freshbooks, kind)
        assert await ids(freshbooks, kind, customerid=wanted["customerid"]) == [wanted["id"]]
        assert await ids(freshbooks, kind, **{f"{kind}id": wanted["id"]}) == [wanted["id"]]


async def test_whether_estimates_are_found_by_client_is_a_knob(freshbooks: httpx.AsyncClient) -> None:
    await control(freshbooks, "settings", {"estimates_by_client": False})
    wanted = await new(freshbooks, "estimate")
    await new(freshbooks, "estimate")
    assert len(await ids(freshbooks, "estimate", customerid=wanted["customerid"])) == 2


@pytest.mark.parametrize(
    ("search", "count"),
    [
        ({"estimate_number": "E-1"}, 1),
        ({"estimate_number_like": "e-"}, 2),
        ({"notes": "LEDGER"}, 1),
        ({"statusid": 1}, 2),
        ({"statusid": 2}, 0),
        ({"po_number": "x"}, 2),
    ],
)
async def test_estimates_are_found_by_what_works(
    freshbooks: httpx.AsyncClient, search: dict[str, Any], count: int
) -> None:
    await new(freshbooks, "estimate", estimate_number="E-1", notes="ledgerline 47")
    await new(freshbooks, "estimate", estimate_number="E-2", po_number="y")
    assert len(await ids(freshbooks, "estimate", **search)) == count


async def test_days_of_change_are_those_of_new_york(freshbooks: httpx.AsyncClient) -> None:
    """F32: at 04:59 in London it is still the evening before."""
    for instant, number in (("2026-03-03T04:59:59Z", "evening"), ("2026-03-03T05:00:00Z", "midnight")):
        with time_machine.travel(instant, tick=False):
            await new(freshbooks, "estimate", estimate_number=number)
    found = await listed(freshbooks, ESTIMATES, **{"search[updated_min]": "2026-03-03"})
    assert [each["estimate_number"] for each in found] == ["midnight"]


async def test_invoices_are_sorted_by_their_date_or_come_newest_first(freshbooks: httpx.AsyncClient) -> None:
    await dated_invoices(freshbooks)
    orders = {
        sort: [each["invoice_number"] for each in await listed(freshbooks, INVOICES, sort=sort)]
        for sort in ("invoice_date_asc", "invoice_date_desc", "invoice_number_asc", "")
    }
    assert orders["invoice_date_asc"] == ["A-3", "A-1", "A-2"]
    assert orders["invoice_date_desc"] == ["A-2", "A-1", "A-3"]
    assert orders["invoice_number_asc"] == orders[""] == ["A-3", "A-2", "A-1"]


async def test_pages_count_all_that_is_found(freshbooks: httpx.AsyncClient) -> None:
    await dated_invoices(freshbooks)
    response = await freshbooks.get(INVOICES, params={"per_page": 2, "page": 2})
    result = response.json()["response"]["result"]
    assert (len(result["invoices"]), result["page"], result["pages"], result["total"]) == (1, 2, 2, 3)


@BOTH
async def test_a_token_that_may_only_read_writes_no_document(
    sandbox: Sandbox, freshbooks: httpx.AsyncClient, kind: str
) -> None:
    document = await new(freshbooks, kind)
    async with caller(sandbox, "freshbooks", "read_only") as reader:
        assert (await read(reader, kind, document))["id"] == document["id"]
        assert (await put(reader, kind, document, notes="x")).status_code == 403
        assert (await asked(reader, kind, customerid=document["customerid"])).status_code == 403


@BOTH
async def test_a_plan_without_the_feature_says_so_with_success(freshbooks: httpx.AsyncClient, kind: str) -> None:
    await control(freshbooks, "settings", {"feature_gate": True})
    assert refusal(await freshbooks.get(PATHS[kind])) == (200, 12001, "")


@BOTH
async def test_what_does_not_exist_is_not_found(freshbooks: httpx.AsyncClient, kind: str) -> None:
    assert refusal(await freshbooks.get(f"{PATHS[kind]}/1")) == (404, 1012, f"{kind}id")
    assert (await freshbooks.get(PATHS[kind].replace("sBx7Qz", "sbx7qz"))).status_code == 404
