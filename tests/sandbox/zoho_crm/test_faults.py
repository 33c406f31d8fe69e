"""What goes wrong on demand, what is sent without sense, what outlives a restart, and what is there from the start."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.app import Sandbox, build_sandbox
from sandbox.ledger import Record
from tests.sandbox.conftest import Receiver
from tests.sandbox.zoho_crm.conftest import HOST, account, caller, contact, got, make_unique_field, told, watch

COUNT = "/Contacts/actions/count"
BODY = {"data": [{"Last_Name": "Okafor"}]}


async def harm(zoho: httpx.AsyncClient, fault: str, **more: Any) -> None:
    rule = {"method": "POST", "path": "/Contacts$", "fault": fault, "times": 1, **more}
    await told(zoho, "faults", rule)


async def test_a_create_whose_answer_was_lost_has_happened(zoho: httpx.AsyncClient) -> None:
    """F7: the repeated insert with our reference is told the record of the first."""
    await make_unique_field(zoho)
    body = {"data": [{"Last_Name": "Okafor", "FreshBooks_ID": "fb-77"}]}
    await harm(zoho, "commit_then_cut")
    with pytest.raises(httpx.RemoteProtocolError):
        await zoho.post("/Contacts", json=body)
    assert (await zoho.get(COUNT)).json() == {"count": 1}
    again = (await zoho.post("/Contacts", json=body)).json()["data"][0]
    assert (again["code"], (await got(zoho, "Contacts", again["details"]["id"]))["Last_Name"]) == (
        "DUPLICATE_DATA",
        "Okafor",
    )


async def test_a_create_can_happen_after_its_caller_gave_up(zoho: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """F7."""
    await harm(zoho, "late_commit", seconds=0.05)
    with pytest.raises(httpx.RemoteProtocolError):
        await zoho.post("/Contacts", json=BODY)
    assert (await zoho.get(COUNT)).json() == {"count": 0}
    await sandbox.settle()
    assert (await zoho.get(COUNT)).json() == {"count": 1}
    assert (await told(zoho, "ledger", method="GET"))["entries"][-1]["via"] == "late"


async def test_failures_speak_as_zoho_does(zoho: httpx.AsyncClient) -> None:
    seen = []
    for status in (401, 403, 429, 500, 503):
        await harm(zoho, "status", status=status)
        response = await zoho.post("/Contacts", json=BODY)
        seen.append((response.status_code, response.json()["code"]))
    assert seen == [
        (401, "INVALID_TOKEN"),
        (403, "NO_PERMISSION"),
        (429, "TOO_MANY_REQUESTS"),
        (500, "INTERNAL_ERROR"),
        (503, "SERVICE_UNAVAILABLE"),
    ]
    assert (await zoho.get(COUNT)).json() == {"count": 0}


async def test_answers_can_be_damaged_after_the_write(zoho: httpx.AsyncClient) -> None:
    for fault in ("truncated", "malformed"):
        await harm(zoho, fault)
        response = await zoho.post("/Contacts", json=BODY)
        with pytest.raises(ValueError, match=r".*"):
            response.json()
    assert (await zoho.get(COUNT)).json() == {"count": 2}


async def test_an_error_can_hide_behind_success(zoho: httpx.AsyncClient) -> None:
    await harm(zoho, "ok_with_errors")
    response = await zoho.post("/Contacts", json=BODY)
    assert (response.status_code, response.json()["status"]) == (200, "error")
    assert (await zoho.get(COUNT)).json() == {"count": 0}


async def test_a_token_can_end_in_the_middle_of_work(zoho: httpx.AsyncClient) -> None:
    await harm(zoho, "revoked_token")
    assert [(await zoho.post("/Contacts", json=BODY)).status_code for _ in range(2)] == [401, 401]


async def test_a_refresh_whose_answer_was_lost_is_simply_asked_for_again(
    zoho: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """F9: the refresh token lasts; only the quota of tokens is touched."""
    about = sandbox.zoho_crm_service.about()
    form = {"grant_type": "refresh_token", "refresh_token": about["tokens"]["refresh"], **about["oauth"]}
    await harm(zoho, "commit_then_cut", path="/oauth/v2/token")
    with pytest.raises(httpx.RemoteProtocolError):
        await zoho.post(f"{HOST}/oauth/v2/token", data=form)
    assert "access_token" in (await zoho.post(f"{HOST}/oauth/v2/token", data=form)).json()
    counts = sandbox.zoho_crm_service.refreshes.told()
    assert (counts["asked"], counts["succeeded"], counts["answered"]) == (2, 2, 1)


async def test_a_restart_brings_everything_back(tmp_path: Path, receiver: Receiver) -> None:
    path = tmp_path / "ledger.jsonl"
    before = build_sandbox(path, zoho_crm_records=20, hook_transport=receiver)
    async with caller(before) as zoho:
        await make_unique_field(zoho)
        firm = await account(zoho, Tag=[{"name": "freshbooks"}])
        person = await contact(zoho, FreshBooks_ID="fb-77", Account_Name={"id": firm})
        await watch(zoho, "Contacts.all")
        gone = await contact(zoho)
        await zoho.delete(f"/Contacts/{gone}")
        record = await got(zoho, "Contacts", person)
    await before.settle()
    await before.close()
    after = build_sandbox(path, zoho_crm_records=20, hook_transport=receiver)
    async with caller(after) as zoho:
        assert await got(zoho, "Contacts", person) == record
        assert record["FreshBooks_ID"] == "fb-77"
        assert (await zoho.get("/Contacts/deleted")).json()["data"][0]["id"] == gone
        assert (await zoho.get("/actions/watch")).json()["watch"][0]["channel_id"] == "1000"
        assert (await contact(zoho)) not in {person, gone}
        again = await zoho.post("/Contacts", json={"data": [{"Last_Name": "X", "FreshBooks_ID": "fb-77"}]})
        assert again.json()["data"][0]["code"] == "DUPLICATE_DATA"
    await after.settle()
    await after.close()


async def test_a_reset_empties_the_account_and_gives_back_its_credits(zoho: httpx.AsyncClient) -> None:
    await make_unique_field(zoho)
    await contact(zoho)
    await told(zoho, "settings", {"credits": 2})
    assert (await zoho.get("/org")).status_code == 429
    info = await told(zoho, "reset")
    assert (info["counts"]["Contacts"], info["credits_used"], info["workflow_runs"]) == (0, 0, 0)
    found = await zoho.get("/settings/fields", params={"module": "Contacts"})
    assert "FreshBooks_ID" not in {each["api_name"] for each in found.json()["fields"]}


KEYS = """
    data fields watch id Last_Name Email Phone Account_Name Owner Tag name Date_of_Birth Email_Opt_Out trigger Deals
    duplicate_check_fields channel_id notify_url events token channel_expiry field_label data_type unique length
    pick_list_values select_query include_meta Stage assign_to Company loser costs hooks lags time_zone _delete_events
"""
WORDS = st.sampled_from(
    ["Contacts.all", "text", "a@b.example", "(", "select id from Contacts where id = 'x'", "", "\x00"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(bodies=st.lists(st.dictionaries(st.sampled_from(KEYS.split()), JSON, max_size=6), min_size=4, max_size=4))
async def test_whatever_is_sent_is_taken_or_refused_but_never_breaks_the_stand_in(bodies: list[Record]) -> None:
    built = build_sandbox(hook_transport=Receiver())
    async with caller(built) as zoho:
        person = await contact(zoho)
        lead = (await zoho.post("/Leads", json=BODY)).json()["data"][0]["details"]["id"]
        for body in bodies:
            row = {"data": [body], "fields": [body], "watch": [body]}
            calls: list[tuple[str, str, Any]] = [
                *((method, path, each) for each in (body, row) for method, path in _writes(person, lead)),
                ("POST", f"{HOST}/_sandbox/records/Contacts", body),
                ("PUT", f"{HOST}/_sandbox/records/Contacts", {**body, "id": person}),
                ("POST", f"{HOST}/_sandbox/records/Contacts/{person}/merge", body),
                ("POST", f"{HOST}/_sandbox/records/Leads/{lead}/convert", body),
                ("POST", f"{HOST}/_sandbox/records/field", body),
            ]
            for method, path, content in calls:
                answered = await zoho.request(method, path, content=json.dumps(content))
                assert answered.status_code < 500
        for text in (
            "(",
            ")",
            "a",
            "(a:equals:",
            "((a:equals:b)and",
            "(Last_Name:in:)",
            "\x00",
            "((((",
            "(Email:in:,)",
        ):
            assert (await zoho.get("/Contacts/search", params={"criteria": text})).status_code < 500
            assert (await zoho.post("/coql", json={"select_query": text})).status_code < 500
    await built.settle()
    await built.close()


def _writes(person: str, lead: str) -> list[tuple[str, str]]:
    return [
        ("POST", "/Contacts"),
        ("PUT", "/Contacts"),
        ("PUT", f"/Contacts/{person}"),
        ("POST", "/Contacts/upsert"),
        ("POST", f"/Leads/{lead}/actions/convert"),
        ("POST", "/coql"),
        ("POST", "/settings/fields?module=Contacts"),
        ("POST", "/actions/watch"),
        ("PUT", "/actions/watch"),
        ("PATCH", "/actions/watch"),
    ]


async def test_half_a_surrogate_pair_and_an_endless_id_are_refused(zoho: httpx.AsyncClient) -> None:
    half = rb'{"data":[{"Last_Name":"\ud800"}]}'
    assert (await zoho.post("/Contacts", content=half)).status_code == 400
    assert (await zoho.get(f"/Contacts/{'9' * 5000}")).status_code == 400


def test_the_same_seed_gives_the_same_account() -> None:
    def drawn(seed: int) -> list[Record]:
        return build_sandbox(seed=seed, zoho_crm_records=60).zoho_crm_service.records.all("Contacts")

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)


def test_an_account_looks_like_life() -> None:
    """Firms with several people, people without a firm, shared addresses, letters with marks."""
    records = build_sandbox(zoho_crm_records=600).zoho_crm_service.records
    people, firms, leads = (records.all(module) for module in ("Contacts", "Accounts", "Leads"))
    assert len(people) + len(firms) + len(leads) + len(records.all("Deals")) == 600
    colleagues = Counter(each["Account_Name"] for each in people if "Account_Name" in each)
    assert max(colleagues.values()) > 3
    assert 0.1 < sum("Account_Name" not in each for each in people) / len(people) < 0.6
    shared = Counter(each["Email"] for each in people if "Email" in each)
    assert max(shared.values()) > 2
    assert any(not each["Last_Name"].isascii() for each in people)
    assert all(each["Company"] for each in leads)
