"""Notes on records, and what is sent to deals and notes without sense."""

import json
from typing import Any

import httpx
import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.app import Sandbox, build_sandbox
from sandbox.ledger import Record
from tests.sandbox.conftest import Receiver
from tests.sandbox.zoho_crm.conftest import HOST, PERSON, SYNC_USER, account, caller, insert, told

FIELDS = {"fields": "Note_Title,Note_Content,Parent_Id,Created_By"}
NOTE = {"Note_Title": "Invoice", "Note_Content": "INV-7 was sent"}


async def deal(zoho: httpx.AsyncClient) -> str:
    return (await insert(zoho, "Deals", {"Deal_Name": "Shop", "Stage": "Qualification"}))[0]


async def noted(zoho: httpx.AsyncClient, deal_id: str, *drafts: Any) -> httpx.Response:
    return await zoho.post(f"/Deals/{deal_id}/Notes", json={"data": list(drafts)})


async def notes(zoho: httpx.AsyncClient, deal_id: str, **query: Any) -> list[dict[str, Any]]:
    response = await zoho.get(f"/Deals/{deal_id}/Notes", params={**FIELDS, **query})
    found: list[dict[str, Any]] = [] if response.status_code == 204 else response.json()["data"]
    return found


async def test_a_note_on_a_deal_is_read_back_with_its_author(zoho: httpx.AsyncClient) -> None:
    shop, other = await deal(zoho), await deal(zoho)
    response = await noted(zoho, shop, NOTE)
    assert (response.status_code, response.json()["data"][0]["message"]) == (201, "record added")
    (note,) = await notes(zoho, shop)
    assert (note["Note_Title"], note["Note_Content"]) == ("Invoice", "INV-7 was sent")
    assert note["Parent_Id"] == {
        "name": "Shop",
        "id": shop,
        "module": {"api_name": "Deals", "id": "4876876000000002181"},
    }
    assert note["Created_By"]["id"] == SYNC_USER
    assert await notes(zoho, other) == []


async def test_a_lost_answer_leaves_the_note(zoho: httpx.AsyncClient) -> None:
    """A note has no key: whoever repeats it blindly writes it twice."""
    shop = await deal(zoho)
    await told(zoho, "faults", {"method": "POST", "path": "/Notes$", "fault": "commit_then_status", "status": 503})
    assert (await noted(zoho, shop, NOTE)).status_code == 503
    await noted(zoho, shop, NOTE)
    assert len(await notes(zoho, shop)) == 2


async def test_notes_come_latest_first_and_in_pages(zoho: httpx.AsyncClient) -> None:
    shop = await deal(zoho)
    await noted(zoho, shop, *({"Note_Content": f"note {number}"} for number in range(3)))
    first = await notes(zoho, shop, per_page=2)
    rest = await notes(zoho, shop, per_page=2, page=2)
    assert [each["Note_Content"] for each in (*first, *rest)] == ["note 2", "note 1", "note 0"]


async def test_a_list_of_notes_names_its_fields(zoho: httpx.AsyncClient) -> None:
    response = await zoho.get(f"/Deals/{await deal(zoho)}/Notes")
    assert (response.status_code, response.json()["code"]) == (400, "REQUIRED_PARAM_MISSING")


async def test_each_note_has_a_result_of_its_own(zoho: httpx.AsyncClient) -> None:
    drafts = (NOTE, {"Note_Title": "empty"}, {"Note_Content": "x" * 32_001}, {"Note_Content": 7}, "note")
    response = await noted(zoho, await deal(zoho), *drafts)
    codes = [each["code"] for each in response.json()["data"]]
    assert (response.status_code, codes) == (207, ["SUCCESS", "MANDATORY_NOT_FOUND", *["INVALID_DATA"] * 3])
    assert (await noted(zoho, await deal(zoho), {})).status_code == 400


@pytest.mark.parametrize("path", ["/Deals/17/Notes", "/Shops/17/Notes"])
async def test_what_is_not_there_has_no_notes(zoho: httpx.AsyncClient, path: str) -> None:
    assert (await zoho.post(path, json={"data": [NOTE]})).status_code == 400
    assert (await zoho.get(path, params=FIELDS)).status_code == 400


async def test_notes_take_rights_on_notes_as_well(zoho: httpx.AsyncClient, sandbox: Sandbox) -> None:
    shop = await deal(zoho)
    async with caller(sandbox, "read_only") as reader:
        assert (await reader.get(f"/Deals/{shop}/Notes", params=FIELDS)).status_code == 204
        refused = await noted(reader, shop, NOTE)
    assert (refused.status_code, refused.json()["code"]) == (401, "OAUTH_SCOPE_MISMATCH")


async def test_a_colleague_writes_edits_and_deletes_notes(zoho: httpx.AsyncClient) -> None:
    firm = await account(zoho)
    with time_machine.travel("2026-03-02T10:00:00Z", tick=False):
        made = await told(zoho, "records/Notes", {"module": "Accounts", "parent": firm, "Note_Content": "call back"})
    assert (made["Owner"]["id"], made["Modified_Time"]) == (PERSON, "2026-03-02T11:00:00+01:00")
    edited = await told(zoho, "records/Notes", {"id": made["id"], "Note_Content": "called"}, "PUT")
    assert edited["Note_Content"] == "called"
    assert (await told(zoho, "ledger?kind=Notes", method="GET"))["entries"][-1]["record"]["Note_Content"] == "called"
    await told(zoho, f"records/Notes/{made['id']}", method="DELETE")
    assert (await told(zoho, "records/Notes", method="GET"))["records"] == []
    for draft in ({}, {"module": "Accounts", "parent": "17", "Note_Content": "x"}, {"module": "Accounts"}):
        assert (await zoho.post(f"{HOST}/_sandbox/records/Notes", json=draft)).status_code == 400


async def test_a_note_on_a_deleted_deal_comes_back_with_it(zoho: httpx.AsyncClient) -> None:
    shop = await deal(zoho)
    await noted(zoho, shop, NOTE)
    await zoho.delete(f"/Deals/{shop}")
    assert (await zoho.get(f"/Deals/{shop}/Notes", params=FIELDS)).status_code == 400
    (kept,) = (await told(zoho, "records/Notes", method="GET"))["records"]
    assert kept["Parent_Id"]["name"] is None
    await told(zoho, f"records/Deals/{shop}/restore", {})
    assert len(await notes(zoho, shop)) == 1


KEYS = """
    data id Deal_Name Stage Pipeline Amount Probability Currency Exchange_Rate Account_Name Contact_Name Closing_Date
    Note_Title Note_Content Parent_Id module parent display_value forecast_type probability stages pipeline Deals
"""
WORDS = st.sampled_from(["Qualification", "Renewals", "Renewal Due", "USD", "Deals", "2026-02-30", "", "\x00"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    bodies=st.lists(st.dictionaries(st.sampled_from(KEYS.split()), JSON, max_size=8), min_size=4, max_size=4),
    multi_currency=st.booleans(),
)
async def test_whatever_is_sent_about_deals_never_breaks_the_stand_in(
    bodies: list[Record], multi_currency: bool
) -> None:
    built = build_sandbox(hook_transport=Receiver())
    built.zoho_crm_service.settings.multi_currency = multi_currency  # type: ignore[attr-defined]
    async with caller(built) as zoho:
        shop = await deal(zoho)
        for body in bodies:
            named = {"Deal_Name": "Shop", "Stage": "Qualification", **body}
            calls = [
                ("POST", "/Deals", {"data": [named, body]}),
                ("PUT", f"/Deals/{shop}", {"data": [body]}),
                ("POST", "/Deals/upsert", {"data": [named]}),
                ("POST", f"/Deals/{shop}/Notes", {"data": [body, {"Note_Content": "x", **body}]}),
                *(("POST", f"{HOST}/_sandbox/records/{kind}", body) for kind in ("Notes", "stage", "pipeline")),
                *(("PUT", f"{HOST}/_sandbox/records/{kind}", body) for kind in ("Notes", "stage", "pipeline")),
            ]
            for method, path, content in calls:
                answered = await zoho.request(method, path, content=json.dumps(content))
                assert answered.status_code < 500
        assert (await zoho.get("/Deals", params={"fields": "Amount,Expected_Revenue,Currency"})).status_code == 200
    await built.settle()
    await built.close()
