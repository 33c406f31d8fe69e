"""Zoho CRM's metadata, leads and notification channels, as its documentation shows them."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.errors import NotFound, Refused, UnknownOutcome
from connectors.zoho_crm.models import Conversion
from tests.connectors.answering import zoho_crm
from tests.connectors.zoho_answers import ADA_ID, BOT_ID, FIRM_ID, NOTHING, failed, results, saved

UNTIL = datetime(2026, 3, 16, 12, tzinfo=UTC)


async def test_fields_say_what_can_be_written_and_what_is_unique() -> None:
    """A mapping is checked against these before it runs."""
    name = {
        "id": "1",
        "api_name": "Last_Name",
        "data_type": "text",
        "length": 80,
        "system_mandatory": True,
        "unique": {},
    }
    ours = {
        **name,
        "api_name": "FreshBooks_ID",
        "system_mandatory": False,
        "custom_field": True,
        "unique": {"casesensitive": False},
        "operation_type": {"web_create": True, "api_create": True, "api_update": False},
        "pick_list_values": [{"display_value": "Berlin", "actual_value": "BER", "sequence_number": 1}],
    }
    api, script = zoho_crm(httpx.Response(200, json={"fields": [name, ours]}))
    last_name, reference = await api.fields("Contacts")
    assert (last_name.system_mandatory, last_name.unique) == (True, False)
    assert (reference.custom_field, reference.unique) == (True, True)
    assert reference.operation_type is not None
    assert (reference.operation_type.api_create, reference.operation_type.api_update) == (True, False)
    assert [each.actual_value for each in reference.pick_list_values] == ["BER"]
    assert script.query == {"module": "Contacts", "type": "all"}


async def test_a_field_is_created_as_the_caller_words_it() -> None:
    body = {"fields": [{"field_label": "FreshBooks ID", "data_type": "text", "length": 40}]}
    api, script = zoho_crm(results(saved(), key="fields", status=201), results(failed("DUPLICATE_DATA"), key="fields"))
    await api.create_field("Contacts", body)
    assert (script.body, script.query) == (body, {"module": "Contacts"})
    with pytest.raises(Refused, match="create a field of Contacts"):
        await api.create_field("Contacts", body)


async def test_a_field_whose_creation_was_lost_may_exist() -> None:
    api, _ = zoho_crm(httpx.ReadTimeout(""))
    with pytest.raises(UnknownOutcome):
        await api.create_field("Contacts", {"fields": []})


async def test_modules_users_and_the_account_are_read() -> None:
    user = {"id": BOT_ID, "full_name": "Sync Bot", "email": "bot@acme.test", "status": "active", "zuid": 7}
    org = {
        "id": "4876876000000000123",
        "zgid": "600012345",
        "company_name": "Acme",
        "type": "sandbox",
        "iso_code": "EUR",
    }
    module = {"id": "1", "api_name": "Contacts", "api_supported": True, "creatable": True, "profiles": []}
    api, script = zoho_crm(
        httpx.Response(200, json={"modules": [module]}),
        httpx.Response(200, json={"users": [user], "info": {"more_records": True}}),
        httpx.Response(200, json={"users": [user], "info": {"more_records": False}}),
        httpx.Response(200, json={"org": [org]}),
    )
    assert [each.api_name for each in await api.modules()] == ["Contacts"]
    users = await api.users(page=1)
    assert ([each.id for each in users.items], users.has_more) == ([BOT_ID], True)
    assert script.query == {"type": "AllUsers", "page": "1", "per_page": "200"}
    me = await api.current_user()
    assert (me.id, repr(me)) == (BOT_ID, f"User(id='{BOT_ID}')")
    assert script.query == {"type": "CurrentUser"}
    account = await api.org()
    assert (account.zgid, account.type, account.iso_code) == ("600012345", "sandbox", "EUR")


async def test_the_credits_that_are_left_are_told_once_half_of_them_are_used() -> None:
    """S60."""
    api, _ = zoho_crm(
        httpx.Response(200, json={"org": []}, headers={"X-API-CREDITS-REMAINING": "24870"}),
        httpx.Response(200, json={"org": []}, headers={"Date": "Mon, 02 Mar 2026 12:00:00 GMT"}),
    )
    assert (await api.service_state()).remaining == 24870
    state = await api.service_state()
    assert (state.at, state.remaining) == (datetime(2026, 3, 2, 12, tzinfo=UTC), None)


async def test_a_lead_becomes_a_contact_without_mails() -> None:
    """Z53."""
    details = {"Contacts": {"name": "Ada", "id": ADA_ID}, "Accounts": {"id": FIRM_ID}, "Deals": None}
    api, script = zoho_crm(results({**saved(), "details": details}))
    assert await api.convert_lead("77", {"overwrite": True}) == Conversion(ADA_ID, FIRM_ID, None)
    assert script.sent[0].url.path == "/crm/v8/Leads/77/actions/convert"
    assert script.body == {"data": [{"overwrite": True, "notify_lead_owner": False}]}


async def test_a_lead_may_be_converted_later() -> None:
    later = {"code": "SCHEDULED", "details": {"job_id": "9"}, "message": "later", "status": "success"}
    api, _ = zoho_crm(results(later, status=202))
    assert await api.convert_lead("77", {}) == Conversion(None, None, None, job_id="9")


async def test_a_lead_is_converted_once() -> None:
    api, _ = zoho_crm(results(failed("ID_ALREADY_CONVERTED"), status=400))
    with pytest.raises(Refused, match=r"convert lead 77 .*ID_ALREADY_CONVERTED.*: read what the lead became"):
        await api.convert_lead("77", {})


HOOK: dict[str, Any] = {
    "events": ["Contacts.all", "Accounts.edit"],
    "notify_url": "https://sync.acme.test/zoho/p4th",
    "token": "s3cret",
    "until": UNTIL,
}
EVENT = {
    "channel_id": "1000000068001",
    "channel_expiry": "2026-03-16T12:00:00+00:00",
    "resource_uri": "https://www.zohoapis.com/crm/v8/Contacts",
    "resource_name": "Contacts",
}
SUBSCRIBED = {"code": "SUCCESS", "details": {"events": [EVENT]}, "message": "Successfully", "status": "success"}


async def test_a_channel_is_enabled_renewed_and_disabled() -> None:
    """F12: a channel ends after a week at most."""
    over = {"code": "SUCCESS", "details": {"channel_id": "1000000068001"}, "message": "un-", "status": "success"}
    api, script = zoho_crm(
        results(SUBSCRIBED, key="watch", status=201), results(SUBSCRIBED, key="watch"), results(over, key="watch")
    )
    (row,) = await api.enable_channel("1000000068001", **HOOK)
    assert row.channel_expiry == datetime(2026, 3, 16, 12, tzinfo=UTC)
    asked = script.body
    assert asked == {
        "watch": [
            {
                "channel_id": "1000000068001",
                "events": ["Contacts.all", "Accounts.edit"],
                "notify_url": "https://sync.acme.test/zoho/p4th",
                "token": "s3cret",
                "channel_expiry": "2026-03-16T12:00:00+00:00",
                "notify_on_related_action": False,
                "return_affected_field_values": False,
            }
        ]
    }
    await api.renew_channel("1000000068001", **HOOK)
    assert script.body == asked
    await api.disable_channel("1000000068001")
    assert script.query == {"channel_ids": "1000000068001"}
    assert [each.method for each in script.sent] == ["POST", "PUT", "DELETE"]


async def test_channels_are_listed_to_see_which_are_about_to_end() -> None:
    """F12."""
    row = {**EVENT, "notify_url": "https://sync.acme.test/zoho/p4th", "token": "s3cret", "events": ["Contacts.all"]}
    api, script = zoho_crm(httpx.Response(200, json={"watch": [row], "info": {"more_records": False}}), NOTHING)
    found = await api.channels(channel_id="1000000068001")
    assert [(each.channel_id, each.events) for each in found.items] == [("1000000068001", ("Contacts.all",))]
    assert script.query == {"channel_id": "1000000068001", "page": "1", "per_page": "200"}
    assert "s3cret" not in repr(found)
    assert "p4th" not in repr(found)
    assert (await api.channels()).items == []


async def test_a_channel_that_is_not_there_any_more_is_not_found() -> None:
    api, _ = zoho_crm(results(failed("NOT_SUBSCRIBED"), key="watch", status=400))
    with pytest.raises(NotFound, match="disable channel 1000000068001"):
        await api.disable_channel("1000000068001")


async def test_a_channel_that_is_refused_says_which_part() -> None:
    api, _ = zoho_crm(results(failed("INVALID_DATA", api_name="channel_expiry"), key="watch", status=400))
    with pytest.raises(Refused, match=r"enable channel 1000000068001 .*channel_expiry INVALID_DATA"):
        await api.enable_channel("1000000068001", **HOOK)


@pytest.mark.parametrize(
    "wrong",
    [{"token": ""}, {"token": "x" * 51}, {"events": []}, {"events": ["Contacts"]}, {"events": ["Contacts.sold"]}],
)
async def test_a_channel_that_zoho_would_refuse_is_not_asked_for(wrong: dict[str, Any]) -> None:
    api, script = zoho_crm()
    with pytest.raises(ValueError, match="channel"):
        await api.enable_channel("1000000068001", **{**HOOK, **wrong})
    assert not script.sent
