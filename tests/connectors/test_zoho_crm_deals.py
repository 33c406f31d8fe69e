"""Deals and notes of Zoho CRM, as its documentation shows them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors import zoho_crm
from connectors.errors import NotFound, RateLimited, Refused, Unavailable, UnknownOutcome
from connectors.zoho_crm.deal_models import Deal
from connectors.zoho_crm.deals import FIELDS, ZohoDeals, to_read
from connectors.zoho_crm.models import FieldDefinition
from tests.connectors.answering import Script, Step
from tests.connectors.answering import zoho_crm as zoho_api
from tests.connectors.zoho_answers import ADA_ID, BOT_ID, FIRM_ID, NOTHING, failed, page, results, saved

DEAL_ID, NOTE_ID = "4876876000000509001", "4876876000000700001"
SHOP: dict[str, Any] = {
    "id": DEAL_ID,
    "Deal_Name": "Shop",
    "Stage": "Proposal/Price Quote",
    "Pipeline": "Standard (Standard)",
    "Currency": "USD",
    "Probability": 75,
    "Closing_Date": "2026-05-01",
    "Account_Name": {"name": "Okafor Ltd", "id": FIRM_ID},
    "Contact_Name": {"name": "Ada Okafor", "id": int(ADA_ID)},
    "Owner": {"name": "Ann Bell", "id": BOT_ID, "email": "ann@acme.test"},
    "Modified_By": {"name": "Sync Bot", "id": BOT_ID},
    "Modified_Time": "2026-03-08T09:10:11+03:00",
    "FreshBooks_Invoice": "INV-7",
    "$currency_symbol": "$",
}


def deals(*steps: Step) -> tuple[ZohoDeals, Script]:
    api, script = zoho_api(*steps)
    return ZohoDeals(api), script


def shop_with(amounts: str) -> httpx.Response:
    """Return the deal with amounts in just these characters."""
    content = page(SHOP).content.replace(b'"Currency":"USD"', f'"Currency":"USD",{amounts}'.encode())
    return httpx.Response(200, content=content)


async def test_a_deal_is_read_with_its_amount_currency_owner_and_stage() -> None:
    """S41, S42, Z56: 0.1 is a tenth of a dollar, and no binary fraction near it."""
    api, script = deals(shop_with('"Amount":1250.10,"Expected_Revenue":937.575,"Exchange_Rate":1.08'))
    deal = await api.deal(DEAL_ID)
    assert script.sent[0].url.path == f"/crm/v8/Deals/{DEAL_ID}"
    assert (deal.amount, deal.currency) == (Decimal("1250.10"), "USD")
    assert (deal.expected_revenue, deal.exchange_rate) == (Decimal("937.575"), Decimal("1.08"))
    assert (deal.name, deal.stage, deal.pipeline) == ("Shop", "Proposal/Price Quote", "Standard (Standard)")
    assert (deal.probability, deal.closing_date) == (75, date(2026, 5, 1))
    assert deal.modified_at == datetime(2026, 3, 8, 6, 10, 11, tzinfo=UTC)
    assert deal.owner is not None
    assert deal.owner.email == "ann@acme.test"
    assert deal.account is not None
    assert deal.contact is not None
    assert (deal.account.id, deal.contact.id) == (FIRM_ID, ADA_ID)
    assert (deal.module, deal.values["FreshBooks_Invoice"]) == ("Deals", "INV-7")


@pytest.mark.parametrize(
    ("written", "amount"),
    [("1250", "1250"), ("1.0E7", "10000000"), ("0", "0"), ("-5.5", "-5.5"), ("999999999999.99", "999999999999.99")],
)
async def test_an_amount_is_what_it_says_however_it_is_written(written: str, amount: str) -> None:
    api, _ = deals(shop_with(f'"Amount":{written}'))
    assert (await api.deal(DEAL_ID)).amount == Decimal(amount)


async def test_a_deal_without_an_amount_has_none_and_not_nothing_to_pay() -> None:
    api, _ = deals(shop_with('"Amount":null'))
    assert (await api.deal(DEAL_ID)).amount is None


async def test_a_deal_of_an_account_with_one_currency_names_none() -> None:
    api, _ = deals(page({"id": DEAL_ID, "Deal_Name": "Shop", "Stage": "Closed Won", "Amount": 5}))
    assert (await api.deal(DEAL_ID)).currency is None


async def test_a_deal_in_a_log_line_shows_its_number_and_no_name() -> None:
    api, _ = deals(page(SHOP))
    assert repr(await api.deal(DEAL_ID)) == f"Deal(id='{DEAL_ID}')"


async def test_a_deal_that_is_gone_is_not_there() -> None:
    api, _ = deals(NOTHING)
    with pytest.raises(NotFound, match=f"no Deals {DEAL_ID}"):
        await api.deal(DEAL_ID)


@pytest.mark.parametrize("amounts", ['"Amount":"a lot"', '"Amount":{"value":5}', '"Expected_Revenue":"a lot"'])
async def test_a_deal_that_cannot_be_read_is_asked_for_again_and_its_values_stay_out_of_the_error(amounts: str) -> None:
    api, _ = deals(shop_with(amounts))
    with pytest.raises(Unavailable, match=f"read Deals {DEAL_ID} .*unreadable") as caught:
        await api.deal(DEAL_ID)
    assert "lot" not in str(caught.value)
    assert caught.value.__suppress_context__  # the validation error would show them in a traceback


def definition(name: str) -> FieldDefinition:
    return FieldDefinition(id="1", api_name=name, custom_field=name.startswith("FreshBooks"))


def test_the_currency_is_asked_for_wherever_deals_have_one() -> None:
    known = [definition(name) for name in (*FIELDS, "FreshBooks_Invoice", "Lead_Source")]
    assert to_read(known, ["FreshBooks_Invoice", "Gone"]) == [*FIELDS, "FreshBooks_Invoice"]
    plain = [each for each in known if each.api_name not in {"Currency", "Exchange_Rate"}]
    assert not {"Currency", "Exchange_Rate"} & set(to_read(plain))


async def test_a_hundred_deals_are_read_at_once() -> None:
    api, script = deals(page(SHOP))
    found = await api.deals([DEAL_ID, FIRM_ID], ["Deal_Name", "Amount"])
    assert [each.id for each in found] == [DEAL_ID]
    assert script.query == {"ids": f"{DEAL_ID},{FIRM_ID}", "fields": "Deal_Name,Amount", "per_page": "200"}


async def test_a_sweep_finds_deals_by_query_and_reads_them_together() -> None:
    rows = httpx.Response(200, json={"data": [{"id": DEAL_ID}], "info": {"more_records": True}})
    api, script = deals(rows, page(SHOP))
    since = datetime(2026, 3, 2, 9, 0, 30, tzinfo=UTC)
    found = await api.changed_deals(since, 3, ["Deal_Name"])
    assert ([each.id for each in found.items], found.has_more) == ([DEAL_ID], True)
    query = script.sent[0].content.decode()
    assert "where Modified_Time >= '2026-03-02T09:00:30+00:00' order by id asc limit 200, 100" in query


async def test_a_sweep_that_finds_nothing_asks_no_further() -> None:
    api, script = deals(NOTHING)
    found = await api.changed_deals(None, 1, ["Deal_Name"])
    assert (found.items, found.has_more, len(script.sent)) == ([], False, 1)
    assert "where id is not null order by id asc limit 0, 100" in script.sent[0].content.decode()


async def test_deleted_deals_are_listed_with_their_instant() -> None:
    row = {"id": DEAL_ID, "display_name": None, "type": "permanent", "deleted_time": "2026-03-08T09:10:11+03:00"}
    api, script = deals(page(row))
    found = await api.deleted_deals(datetime(2026, 3, 1, tzinfo=UTC))
    assert [(each.id, each.deleted_time) for each in found.items] == [
        (DEAL_ID, datetime(2026, 3, 8, 6, 10, 11, tzinfo=UTC))
    ]
    assert script.sent[0].url.path == "/crm/v8/Deals/deleted"


async def test_a_deal_is_moved_and_starts_nothing_in_zoho() -> None:
    """S20: an empty trigger keeps mails and rules from running."""
    api, script = deals(results(saved(DEAL_ID, "record updated")))
    done = await api.update_deal(DEAL_ID, {"Stage": "Closed Won", "Pipeline": "Standard (Standard)"})
    assert done.id == DEAL_ID
    row = {"Stage": "Closed Won", "Pipeline": "Standard (Standard)", "id": DEAL_ID}
    assert (script.sent[0].method, script.body) == ("PUT", {"data": [row], "trigger": []})


@pytest.mark.parametrize(
    ("amount", "written"),
    [("1250.10", b"1250.1"), ("1250.00", b"1250"), ("0.1", b"0.1"), ("9999999999999.99", b"9999999999999.99")],
)
async def test_an_amount_is_written_to_the_cent(amount: str, written: bytes) -> None:
    api, script = deals(results(saved(DEAL_ID)))
    await api.update_deal(DEAL_ID, {"Amount": Decimal(amount), "Closing_Date": date(2026, 5, 1)})
    assert b'"Amount":' + written + b"," in script.sent[0].content
    assert script.body["data"][0]["Closing_Date"] == "2026-05-01"


async def test_an_instant_is_written_to_the_second_and_an_empty_field_stays_empty() -> None:
    api, script = deals(results(saved(DEAL_ID)))
    await api.update_deal(DEAL_ID, {"Paid_At": datetime(2026, 5, 1, 12, 0, 0, 7, tzinfo=UTC), "Next_Step": None})
    row = script.body["data"][0]
    assert (row["Paid_At"], row["Next_Step"]) == ("2026-05-01T12:00:00+00:00", None)


@pytest.mark.parametrize("amount", ["9999999999999999.99", "Infinity", "NaN", "0.30000000000000004440892098500626"])
async def test_an_amount_that_zoho_would_change_is_not_sent(amount: str) -> None:
    api, script = deals()
    with pytest.raises(ValueError, match="fifteen digits"):
        await api.update_deal(DEAL_ID, {"Amount": Decimal(amount)})
    assert not script.sent


@pytest.mark.parametrize("code", ["MAPPING_MISMATCH", "DEPENDENT_MISMATCH", "DEPENDENT_FIELD_MISSING"])
async def test_a_stage_of_another_pipeline_is_refused_with_what_to_do(code: str) -> None:
    api, _ = deals(results(failed(code, "no mapping", api_name="Stage", json_path="$.data[0].Stage"), status=400))
    with pytest.raises(Refused, match=f"update Deals {DEAL_ID} .*Stage {code}.*: choose a stage that the deal's own"):
        await api.update_deal(DEAL_ID, {"Stage": "Renewal Due"})


async def test_a_deal_that_is_gone_is_not_changed() -> None:
    api, _ = deals(results(failed("INVALID_DATA", "the id given seems to be invalid", api_name="id"), status=400))
    with pytest.raises(NotFound):
        await api.update_deal(DEAL_ID, {"Stage": "Closed Won"})


async def test_a_field_on_deals_is_made_and_told_by_the_name_that_zoho_gave_it() -> None:
    made = {"id": "5", "api_name": "FreshBooks_Invoice1", "field_label": "FreshBooks Invoice", "custom_field": True}
    done = results({"code": "SUCCESS", "details": {"id": "5"}, "status": "success"}, status=201, key="fields")
    api, script = deals(done, httpx.Response(200, json={"fields": [made]}))
    field = await api.create_deal_field("FreshBooks Invoice", length=60, unique=True)
    assert field.api_name == "FreshBooks_Invoice1"
    assert dict(script.sent[0].url.params) == {"module": "Deals"}
    assert b'"unique":{"casesensitive":false}' in script.sent[0].content
    assert b'"length":60' in script.sent[0].content


async def test_a_field_that_is_not_listed_after_it_was_made_is_a_persons_to_look_for() -> None:
    done = results({"code": "SUCCESS", "details": {}, "status": "success"}, status=201, key="fields")
    api, script = deals(done, NOTHING)
    with pytest.raises(Refused, match="does not list the field “FreshBooks Invoice”"):
        await api.create_deal_field("FreshBooks Invoice", length=60)
    assert b"unique" not in script.sent[0].content


async def test_a_note_is_written_on_its_deal() -> None:
    api, script = deals(results(saved(NOTE_ID), status=201))
    assert await api.add_note(DEAL_ID, "Invoice", "INV-7 was sent") == NOTE_ID
    assert (script.sent[0].method, script.sent[0].url.path) == ("POST", f"/crm/v8/Deals/{DEAL_ID}/Notes")
    assert script.body == {"data": [{"Note_Title": "Invoice", "Note_Content": "INV-7 was sent"}], "trigger": []}


@pytest.mark.parametrize("lost", [httpx.Response(502), httpx.ReadTimeout("late")])
async def test_a_note_whose_answer_was_lost_may_be_there(lost: httpx.Response | Exception) -> None:
    """F1: to repeat it blindly could write it twice."""
    api, _ = deals(lost)
    with pytest.raises(UnknownOutcome, match=f"add a note to Deals {DEAL_ID}"):
        await api.add_note(DEAL_ID, "Invoice", "INV-7 was sent")


async def test_a_note_that_zoho_refuses_says_which_field_and_not_what_it_said() -> None:
    api, _ = deals(results(failed("INVALID_DATA", "too long", api_name="Note_Content"), status=400))
    with pytest.raises(Refused, match="Note_Content INVALID_DATA") as caught:
        await api.add_note(DEAL_ID, "Invoice", "INV-7 was sent")
    assert "INV-7" not in str(caught.value)


async def test_a_deal_that_is_gone_takes_no_notes() -> None:
    gone = httpx.Response(400, json=failed("INVALID_DATA", "the related id given seems to be invalid"))
    api, _ = deals(gone, gone)
    with pytest.raises(NotFound):
        await api.add_note(DEAL_ID, "Invoice", "INV-7 was sent")
    with pytest.raises(NotFound):
        await api.notes(DEAL_ID)


async def test_the_notes_of_a_deal_are_read() -> None:
    note = {
        "id": int(NOTE_ID),
        "Note_Title": None,
        "Note_Content": "called",
        "Created_Time": "2026-03-08T09:10:11+03:00",
    }
    api, script = deals(page(note, more=True), NOTHING)
    found = await api.notes(DEAL_ID)
    assert [(each.id, each.title, each.text) for each in found.items] == [(NOTE_ID, None, "called")]
    assert found.items[0].created_at == datetime(2026, 3, 8, 6, 10, 11, tzinfo=UTC)
    assert found.has_more
    assert script.query["fields"].startswith("Note_Title,Note_Content")
    assert "called" not in repr(found.items[0])
    assert (await api.notes(DEAL_ID, 2)).items == []
    assert script.query["page"] == "2"


async def test_users_are_read_to_the_last_page_with_their_email_addresses() -> None:
    """S42."""

    def users(number: int, *, more: bool) -> httpx.Response:
        user = {"id": str(number), "full_name": "Ann Bell", "email": f"ann{number}@acme.test", "status": "active"}
        return httpx.Response(200, json={"users": [user], "info": {"more_records": more}})

    api, script = deals(users(1, more=True), users(2, more=False))
    assert [each.email for each in await api.users()] == ["ann1@acme.test", "ann2@acme.test"]
    assert script.query["page"] == "2"


def test_rights_on_deals_are_asked_for_only_where_deals_are_synced() -> None:
    without, with_deals = zoho_crm.provider("eu"), zoho_crm.provider("eu", deals=True)
    more = {each.name for each in with_deals.scopes} - {each.name for each in without.scopes}
    assert more == {each.name for each in zoho_crm.DEALS}
    assert not any("deals" in each.name for each in without.scopes)
    assert all(each.name.startswith("ZohoCRM.") and ".DELETE" not in each.name for each in zoho_crm.DEALS)


async def test_a_wait_that_zoho_asked_for_holds_back_deals_and_contacts_alike() -> None:
    api, script = zoho_api(httpx.Response(429, json=failed("TOO_MANY_REQUESTS")))
    with pytest.raises(RateLimited):
        await ZohoDeals(api).deal(DEAL_ID)
    with pytest.raises(RateLimited, match="so we did not read Contacts"):
        await api.get_record("Contacts", ADA_ID)
    assert len(script.sent) == 1


def test_a_deal_goes_to_the_mapping_with_amounts_as_text() -> None:
    values = {"id": DEAL_ID, "Deal_Name": "Shop", "Amount": Decimal("1250.10")}
    deal = Deal.model_validate({**values, "module": "Deals", "values": values})
    assert deal.document() == {**values, "Amount": "1250.10", "module": "Deals"}
