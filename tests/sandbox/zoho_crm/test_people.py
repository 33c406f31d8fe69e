"""What people do in the web interface, and leads that are converted."""

from typing import Any

import httpx
import time_machine

from sandbox.app import Sandbox
from tests.sandbox.conftest import Receiver
from tests.sandbox.zoho_crm.conftest import HOST, PERSON, SYNC_USER, account, contact, got, insert, told, watch
from tests.sandbox.zoho_crm.test_watch import heard


async def test_an_edit_by_a_colleague_is_told_and_bears_her_name(
    zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    person = await contact(zoho)
    await watch(zoho, "Contacts.edit")
    await told(zoho, "records/Contacts", {"id": person, "Phone": "030 1"}, "PUT")
    record = await got(zoho, "Contacts", person)
    assert (record["Modified_By"]["id"], record["Created_By"]["id"]) == (PERSON, SYNC_USER)
    await sandbox.settle()
    assert heard(receiver)[0]["affected_fields"] == [{person: ["Phone"]}]
    entry = (await told(zoho, "ledger?kind=Contacts", method="GET"))["entries"][-1]
    assert (entry["via"], entry["system"], entry["record"]["Phone"]) == ("control", "zoho_crm", "030 1")


async def test_a_colleague_creates_and_deletes_by_the_same_rules(zoho: httpx.AsyncClient) -> None:
    made = await told(zoho, "records/Contacts", [{"Last_Name": "A"}, {"Last_Name": "B"}])
    assert len(made["ids"]) == 2
    refused = await zoho.post(f"{HOST}/_sandbox/records/Contacts", json={"First_Name": "Ada"})
    assert (refused.status_code, refused.json()["code"], refused.json()["done"]) == (400, "MANDATORY_NOT_FOUND", 0)
    await told(zoho, f"records/Contacts/{made['ids'][0]}", method="DELETE")
    assert (await zoho.get(f"/Contacts/{made['ids'][0]}")).status_code == 204
    unknown = await zoho.delete(f"{HOST}/_sandbox/records/Contacts/17")
    assert unknown.status_code == 404


async def test_a_merge_fills_gaps_moves_references_and_deletes_the_loser(zoho: httpx.AsyncClient) -> None:
    winner, loser = await account(zoho, "Okafor Ltd"), await account(zoho, "Okafor Limited", Phone="030 1")
    person = await contact(zoho, Account_Name={"id": loser})
    merged = await told(zoho, f"records/Accounts/{winner}/merge", {"loser": loser})
    assert (merged["Account_Name"], merged["Phone"]) == ("Okafor Ltd", "030 1")
    assert (await got(zoho, "Contacts", person))["Account_Name"] == {"name": "Okafor Ltd", "id": winner}
    assert (await zoho.get(f"/Accounts/{loser}")).status_code == 204
    gone = (await zoho.get("/Accounts/deleted", params={"type": "all"})).json()["data"]
    assert [(each["id"], each["deleted_by"]["id"]) for each in gone] == [(loser, PERSON)]


async def test_a_merge_is_told_as_updates_and_a_deletion(
    zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    with time_machine.travel("2026-03-02T10:00:00Z", tick=False) as traveller:
        winner, loser = await contact(zoho, "Okafor"), await contact(zoho, "Okafor", Phone="030 1")
        deal = {"Deal_Name": "Shop", "Stage": "Qualification", "Contact_Name": {"id": loser}}
        await insert(zoho, "Deals", deal)
        await watch(zoho, "Contacts.all", "Deals.all")
        traveller.shift(60)
        await told(zoho, f"records/Contacts/{winner}/merge", {"loser": int(loser)})
        assert (await got(zoho, "Contacts", winner))["Modified_Time"] == "2026-03-02T11:01:00+01:00"
        await sandbox.settle()
    seen = [(each["module"], each["operation"]) for each in heard(receiver)]
    assert seen == [("Deals", "update"), ("Contacts", "update"), ("Contacts", "delete")]


async def test_a_record_is_not_merged_into_itself_or_nothing(zoho: httpx.AsyncClient) -> None:
    person = await contact(zoho)
    for loser in (person, "17", None, [person]):
        merge = f"{HOST}/_sandbox/records/Contacts/{person}/merge"
        assert (await zoho.post(merge, json={"loser": loser})).status_code == 422


async def test_a_restored_record_has_its_id_and_leaves_the_list_of_the_deleted(
    zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    firm = await account(zoho)
    person = await contact(zoho, Account_Name={"id": firm})
    for module, record_id in (("Contacts", person), ("Accounts", firm)):
        await zoho.delete(f"/{module}/{record_id}")
    await watch(zoho, "Contacts.all")
    await told(zoho, f"records/Contacts/{person}/restore")
    await told(zoho, f"records/Accounts/{firm}/restore")
    assert (await got(zoho, "Contacts", person))["Account_Name"] is None  # the account was gone
    assert (await zoho.get("/Contacts/deleted")).status_code == 204
    await sandbox.settle()
    assert heard(receiver)[0]["operation"] == "update"
    again = await zoho.post(f"{HOST}/_sandbox/records/Contacts/{person}/restore", json={})
    assert again.status_code == 404


async def test_what_left_the_recycle_bin_cannot_be_restored_and_nobody_is_told(
    zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    person = await contact(zoho)
    await zoho.delete(f"/Contacts/{person}")
    await watch(zoho, "Contacts.all")
    await told(zoho, f"records/Contacts/{person}/purge")
    await sandbox.settle()
    assert receiver.received == []
    restore = await zoho.post(f"{HOST}/_sandbox/records/Contacts/{person}/restore", json={})
    assert restore.status_code == 404
    assert (await zoho.post(f"{HOST}/_sandbox/records/Contacts/17/purge", json={})).status_code == 404


async def convert(zoho: httpx.AsyncClient, lead: str, **draft: Any) -> httpx.Response:
    return await zoho.post(f"/Leads/{lead}/actions/convert", json={"data": [draft]})


async def new_lead(zoho: httpx.AsyncClient, **fields: Any) -> str:
    draft = {"Last_Name": "Okafor", "First_Name": "Ada", "Company": "Okafor Ltd", "City": "Leeds", **fields}
    return (await insert(zoho, "Leads", draft))[0]


async def test_a_converted_lead_becomes_a_contact_an_account_and_a_deal(zoho: httpx.AsyncClient) -> None:
    lead = await new_lead(zoho)
    deal = {"Deal_Name": "Shop", "Stage": "Qualification"}
    response = await convert(zoho, lead, Deals=deal, assign_to={"id": PERSON})
    assert response.status_code == 200
    made = response.json()["data"][0]["details"]
    person = await got(zoho, "Contacts", made["Contacts"]["id"])
    assert (person["Mailing_City"], person["Account_Name"], person["Owner"]["id"]) == (
        "Leeds",
        made["Accounts"],
        PERSON,
    )
    assert made["Accounts"]["name"] == "Okafor Ltd"
    sale = await got(zoho, "Deals", made["Deals"]["id"])
    assert (sale["Contact_Name"]["id"], sale["Account_Name"]["id"]) == (person["id"], made["Accounts"]["id"])


async def test_a_lead_is_converted_once_and_then_hidden(zoho: httpx.AsyncClient) -> None:
    lead = await new_lead(zoho)
    made = (await convert(zoho, lead)).json()["data"][0]["details"]
    assert made["Deals"] is None
    again = await convert(zoho, lead)
    assert (again.status_code, again.json()["code"]) == (400, "ID_ALREADY_CONVERTED")
    params = {"fields": "id"}
    assert (await zoho.get("/Leads", params=params)).status_code == 204
    for which in ("true", "both"):
        assert (await zoho.get("/Leads", params={**params, "converted": which})).status_code == 200
    record = await got(zoho, "Leads", lead)
    assert (record["$converted"], record["$converted_detail"]["contact"]) == (True, made["Contacts"])


async def test_a_lead_joins_the_account_of_its_company_or_the_one_that_is_named(zoho: httpx.AsyncClient) -> None:
    known, other = await account(zoho, "okafor ltd"), await account(zoho, "Other Ltd")
    made = (await convert(zoho, await new_lead(zoho))).json()["data"][0]["details"]
    assert made["Accounts"]["id"] == known
    made = (await convert(zoho, await new_lead(zoho), Accounts={"id": other})).json()["data"][0]["details"]
    assert made["Accounts"]["id"] == other
    alone = (await convert(zoho, await new_lead(zoho, Company=None))).json()["data"][0]["details"]
    assert alone["Accounts"] is None


async def test_a_conversion_that_cannot_be_done_leaves_the_lead(zoho: httpx.AsyncClient) -> None:
    lead = await new_lead(zoho)
    for draft in ({"Accounts": {"id": "17"}}, {"Deals": {"Deal_Name": "Shop"}}, {"assign_to": {"id": "17"}}):
        assert (await convert(zoho, lead, **draft)).status_code == 400
    assert (await convert(zoho, "17")).status_code == 400
    assert (await got(zoho, "Leads", lead))["$converted"] is False
    assert (await zoho.get("/Contacts/actions/count")).json() == {"count": 0}


async def test_a_colleague_converts_a_lead_too(zoho: httpx.AsyncClient) -> None:
    lead = await new_lead(zoho)
    assert (await told(zoho, f"records/Leads/{lead}/convert", {}))["$converted"] is True
    assert (await zoho.get("/Contacts/actions/count")).json() == {"count": 1}
