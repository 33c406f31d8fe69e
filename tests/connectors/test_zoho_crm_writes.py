"""Writes to Zoho CRM: what is sent, what becomes of each record, and what may be sent again."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.errors import Unavailable, UnknownOutcome
from connectors.zoho_crm.api import ZohoCrmApi
from connectors.zoho_crm.models import Failed, Saved
from tests.connectors.answering import zoho_crm
from tests.connectors.zoho_answers import ADA, ADA_ID, failed, results, saved

Read = Callable[[ZohoCrmApi], Coroutine[Any, Any, Any]]


async def test_contacts_are_inserted_without_starting_workflow_rules() -> None:
    """Z54, F3: nothing that we write sends mails or comes back as a loop."""
    api, script = zoho_crm(results(saved(), saved("4876876000000900003"), status=201))
    rows = [{"Last_Name": "Okafor"}, {"Last_Name": "Lindqvist"}]
    first, second = await api.insert("Contacts", rows)
    assert isinstance(first, Saved)
    assert isinstance(second, Saved)
    assert (first.id, second.id) == (ADA_ID, "4876876000000900003")
    assert first.modified_at == datetime(2026, 3, 9, 12, 0, 1, tzinfo=UTC)
    assert (script.sent[0].method, script.sent[0].url.path) == ("POST", "/crm/v8/Contacts")
    assert script.body == {"data": rows, "trigger": []}


async def test_only_the_keys_given_are_changed() -> None:
    """S22."""
    api, script = zoho_crm(results(saved(message="record updated")))
    row = {"id": ADA_ID, "Email": None}
    assert [type(each) for each in await api.update("Contacts", [row])] == [Saved]
    assert (script.sent[0].method, script.sent[0].url.path) == ("PUT", "/crm/v8/Contacts")
    assert script.body == {"data": [row], "trigger": []}


async def test_an_update_without_an_id_is_a_mistake() -> None:
    api, script = zoho_crm()
    with pytest.raises(ValueError, match="text of digits"):
        await api.update("Contacts", [{"Email": "ada@okafor.test"}])
    with pytest.raises(ValueError, match="without any value"):
        await api.insert("Contacts", [{}])
    assert not script.sent


async def test_an_upsert_says_whether_it_created_or_changed() -> None:
    api, script = zoho_crm(results(saved(action="update", duplicate_field="FreshBooks_ID"), saved(action="insert")))
    rows = [{"Last_Name": "Okafor", "FreshBooks_ID": "fb-77"}, {"Last_Name": "Lindqvist", "FreshBooks_ID": "fb-78"}]
    found = await api.upsert("Contacts", rows, ["FreshBooks_ID"])
    assert [each.action for each in found if isinstance(each, Saved)] == ["update", "insert"]
    assert script.sent[0].url.path == "/crm/v8/Contacts/upsert"
    assert script.body == {"data": rows, "duplicate_check_fields": ["FreshBooks_ID"], "trigger": []}


@pytest.mark.parametrize(
    ("row", "keys"),
    [({"Last_Name": "Okafor"}, ["FreshBooks_ID"]), ({"FreshBooks_ID": ""}, ["FreshBooks_ID"]), (ADA, [])],
)
async def test_an_upsert_that_each_attempt_would_insert_anew_is_not_sent(row: dict[str, Any], keys: list[str]) -> None:
    """F1."""
    api, script = zoho_crm()
    with pytest.raises(ValueError, match="created anew with each attempt"):
        await api.upsert("Contacts", [row], keys)
    assert not script.sent


async def test_records_are_deleted_into_the_recycle_bin() -> None:
    api, script = zoho_crm(results(saved(message="record deleted")))
    assert [type(each) for each in await api.delete("Contacts", [ADA_ID])] == [Saved]
    assert script.sent[0].method == "DELETE"
    assert script.query == {"ids": ADA_ID, "wf_trigger": "false"}


ONE = [{"Last_Name": "Okafor", "FreshBooks_ID": "fb-77"}]
LOST = [httpx.ReadTimeout(""), httpx.Response(500), httpx.Response(502, text="<html>"), httpx.Response(200, text="<")]
lost = pytest.mark.parametrize("step", LOST, ids=["timeout", "500", "502", "unreadable"])


@lost
async def test_a_lost_answer_leaves_open_whether_the_contact_was_created(step: httpx.Response | Exception) -> None:
    """F1, F3."""
    api, script = zoho_crm(step)
    with pytest.raises(UnknownOutcome, match="insert 1 Contacts"):
        await api.insert("Contacts", ONE)
    assert len(script.sent) == 1


@lost
@pytest.mark.parametrize(
    "write",
    [
        lambda api: api.insert("Contacts", ONE, unique_field="FreshBooks_ID"),
        lambda api: api.upsert("Contacts", ONE, ["FreshBooks_ID"]),
        lambda api: api.update("Contacts", [{"id": ADA_ID, "Email": None}]),
        lambda api: api.delete("Contacts", [ADA_ID]),
        lambda api: api.get_record("Contacts", ADA_ID),
    ],
    ids=["unique insert", "upsert", "update", "delete", "read"],
)
async def test_what_is_safe_to_repeat_only_waits(step: httpx.Response | Exception, write: Read) -> None:
    """S27."""
    api, script = zoho_crm(step)
    with pytest.raises(Unavailable, match="trying again later is safe"):
        await write(api)
    assert len(script.sent) == 1


async def test_a_unique_field_that_a_record_leaves_empty_protects_nothing() -> None:
    """F1."""
    api, _ = zoho_crm(httpx.ReadTimeout(""))
    with pytest.raises(UnknownOutcome):
        await api.insert("Contacts", [*ONE, {"Last_Name": "Lindqvist"}], unique_field="FreshBooks_ID")


async def test_fewer_results_than_records_leave_open_which_were_created() -> None:
    api, _ = zoho_crm(results(saved(), status=201))
    with pytest.raises(UnknownOutcome):
        await api.insert("Contacts", [*ONE, {"Last_Name": "Lindqvist"}])


async def test_a_mixed_answer_gives_each_record_its_own_verdict_in_order() -> None:
    """Z10: 207."""
    api, _ = zoho_crm(results(saved(), failed("MANDATORY_NOT_FOUND", api_name="Last_Name"), status=207))
    good, bad = await api.insert("Contacts", [ONE[0], {"First_Name": "Nora"}])
    assert isinstance(good, Saved)
    assert isinstance(bad, Failed)
    assert (bad.code, bad.field) == ("MANDATORY_NOT_FOUND", "Last_Name")
