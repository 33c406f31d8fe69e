"""Deals: stages that belong to pipelines, amounts in their currency, and all that contacts can do too."""

from typing import Any

import httpx
import pytest
import time_machine

from sandbox.app import Sandbox, build_sandbox
from tests.sandbox.conftest import Receiver
from tests.sandbox.zoho_crm.conftest import HOST, PERSON, account, contact, got, insert, told, watch
from tests.sandbox.zoho_crm.test_people import convert, new_lead
from tests.sandbox.zoho_crm.test_watch import heard

STANDARD = "Standard (Standard)"
SHOP = {"Deal_Name": "Shop", "Stage": "Qualification", "Amount": 1250.5}


async def deal(zoho: httpx.AsyncClient, **fields: Any) -> str:
    return (await insert(zoho, "Deals", {**SHOP, **fields}))[0]


def refusal(response: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = response.json()["data"][0]
    assert (response.status_code, found["status"]) == (400, "error")
    return found


async def test_a_deal_shows_firm_contact_owner_stage_and_amount(zoho: httpx.AsyncClient) -> None:
    firm = await account(zoho)
    person = await contact(zoho, First_Name="Ada", Account_Name={"id": firm})
    ties = {"Account_Name": {"id": firm}, "Contact_Name": {"id": person}, "Owner": {"id": PERSON}}
    found = await got(zoho, "Deals", await deal(zoho, **ties, Closing_Date="2026-05-01"))
    assert (found["Account_Name"]["name"], found["Contact_Name"]["name"]) == ("Okafor Ltd", "Ada Okafor")
    assert found["Owner"] == {"name": "Nora Lindqvist", "id": PERSON, "email": "nora.lindqvist@sandbox.example"}
    assert (found["Stage"], found["Pipeline"], found["Amount"]) == ("Qualification", STANDARD, 1250.5)
    assert (found["Probability"], found["Expected_Revenue"], found["$currency_symbol"]) == (10, 125.05, "€")


async def test_a_firm_may_be_named_by_a_number(zoho: httpx.AsyncClient) -> None:
    """The vendor's own client writes ids so."""
    firm = await account(zoho)
    shop = await deal(zoho, Account_Name={"id": int(firm)})
    assert (await got(zoho, "Deals", shop))["Account_Name"]["id"] == firm
    for wrong in (17, True, 10**30, 1.5):
        said = refusal(await zoho.post("/Deals", json={"data": [{**SHOP, "Account_Name": {"id": wrong}}]}))
        assert (said["code"], said["details"]["api_name"]) == ("INVALID_DATA", "Account_Name")


async def test_a_deal_needs_a_name_and_a_stage(zoho: httpx.AsyncClient) -> None:
    said = refusal(await zoho.post("/Deals", json={"data": [{"Amount": 5}]}))
    assert [each["details"]["api_name"] for each in said["details"]["errors"]] == ["Deal_Name", "Stage"]


async def test_a_layout_may_insist_on_pipeline_and_closing_date(zoho: httpx.AsyncClient) -> None:
    await told(zoho, "settings", {"layout_rules": True})
    said = refusal(await zoho.post("/Deals", json={"data": [SHOP]}))
    assert [each["details"]["api_name"] for each in said["details"]["errors"]] == ["Pipeline", "Closing_Date"]
    await deal(zoho, Pipeline=STANDARD, Closing_Date="2026-05-01")


@pytest.mark.parametrize("code", ["MAPPING_MISMATCH", "DEPENDENT_MISMATCH"])
async def test_a_stage_of_another_pipeline_is_refused(zoho: httpx.AsyncClient, code: str) -> None:
    await told(zoho, "settings", {"stage_mismatch": code})
    shop = await deal(zoho)
    said = refusal(await zoho.put(f"/Deals/{shop}", json={"data": [{"Stage": "Renewal Due"}]}))
    assert (said["code"], said["details"]["api_name"]) == (code, "Stage")
    said = refusal(await zoho.put(f"/Deals/{shop}", json={"data": [{"Pipeline": "Renewals"}]}))
    assert said["code"] == code
    assert (await got(zoho, "Deals", shop))["Stage"] == "Qualification"


async def test_a_stage_and_its_pipeline_are_changed_together(zoho: httpx.AsyncClient) -> None:
    shop = await deal(zoho)
    change = {"Pipeline": "Renewals", "Stage": "Renewal Due"}
    assert (await zoho.put(f"/Deals/{shop}", json={"data": [change]})).status_code == 200
    found = await got(zoho, "Deals", shop)
    assert (found["Pipeline"], found["Stage"], found["Probability"]) == ("Renewals", "Renewal Due", 50)


async def test_a_stage_that_only_another_pipeline_has_needs_its_pipeline(zoho: httpx.AsyncClient) -> None:
    draft = {"Deal_Name": "Contract", "Stage": "Renewal Due"}
    said = refusal(await zoho.post("/Deals", json={"data": [draft]}))
    assert (said["code"], said["details"]["api_name"]) == ("DEPENDENT_FIELD_MISSING", "Pipeline")


async def test_a_stage_that_nobody_made_is_refused_with_those_there_are(zoho: httpx.AsyncClient) -> None:
    said = refusal(await zoho.post("/Deals", json={"data": [{**SHOP, "Stage": "Won"}]}))
    assert (said["code"], said["details"]["api_name"]) == ("INVALID_DATA", "Stage")
    assert {"Closed Won", "Renewal Due"} <= set(said["details"]["supported_values"])


async def test_a_new_stage_brings_its_probability_unless_one_is_sent(zoho: httpx.AsyncClient) -> None:
    shop = await deal(zoho)
    await zoho.put(f"/Deals/{shop}", json={"data": [{"Stage": "Closed Won"}]})
    won = await got(zoho, "Deals", shop)
    assert (won["Probability"], won["Expected_Revenue"]) == (100, 1250.5)
    await zoho.put(f"/Deals/{shop}", json={"data": [{"Stage": "Negotiation/Review", "Probability": 42}]})
    assert (await got(zoho, "Deals", shop))["Probability"] == 42
    await zoho.put(f"/Deals/{shop}", json={"data": [{"Deal_Name": "Shop 2", "Expected_Revenue": 9}]})
    kept = await got(zoho, "Deals", shop)
    assert (kept["Probability"], kept["Expected_Revenue"]) == (42, 525.21)


@pytest.mark.parametrize("change", [{"Amount": 10**17}, {"Probability": 101}, {"Probability": -1}, {"Amount": "12.50"}])
async def test_an_amount_or_a_probability_beyond_reason_is_refused(
    zoho: httpx.AsyncClient, change: dict[str, Any]
) -> None:
    said = refusal(await zoho.post("/Deals", json={"data": [{**SHOP, **change}]}))
    assert (said["code"], said["details"]["api_name"]) == ("INVALID_DATA", next(iter(change)))


async def test_an_account_with_one_currency_has_no_field_for_it(zoho: httpx.AsyncClient) -> None:
    shop = await deal(zoho, Currency="USD")
    assert "Currency" not in await got(zoho, "Deals", shop)
    fields = (await zoho.get("/settings/fields", params={"module": "Deals"})).json()["fields"]
    assert not {"Currency", "Exchange_Rate"} & {each["api_name"] for each in fields}


async def test_a_deal_in_dollars_says_so_and_at_which_rate(zoho: httpx.AsyncClient) -> None:
    older = await deal(zoho)
    await told(zoho, "settings", {"multi_currency": True})
    dollars, home = await deal(zoho, Currency="USD"), await deal(zoho)
    found = await got(zoho, "Deals", dollars)
    assert (found["Currency"], found["Exchange_Rate"], found["$currency_symbol"]) == ("USD", 1.08, "$")
    for number in (older, home):
        found = await got(zoho, "Deals", number)
        assert (found["Currency"], found["Exchange_Rate"], found["$currency_symbol"]) == ("EUR", 1.0, "€")
    await zoho.put(f"/Deals/{dollars}", json={"data": [{"Currency": "JPY"}]})
    assert (await got(zoho, "Deals", dollars))["Exchange_Rate"] == 162.0
    await zoho.put(f"/Deals/{dollars}", json={"data": [{"Exchange_Rate": 170.5}]})
    assert (await got(zoho, "Deals", dollars))["Exchange_Rate"] == 170.5


async def test_a_currency_that_the_account_does_not_have_is_refused(zoho: httpx.AsyncClient) -> None:
    await told(zoho, "settings", {"multi_currency": True})
    said = refusal(await zoho.post("/Deals", json={"data": [{**SHOP, "Currency": "XAU"}]}))
    assert said["details"]["api_name"] == "Currency"


async def test_pipelines_tell_which_stages_are_open_won_and_lost(zoho: httpx.AsyncClient) -> None:
    """S41."""
    layout = (await zoho.get("/settings/layouts", params={"module": "Deals"})).json()["layouts"][0]["id"]
    standard, renewals = (await zoho.get("/settings/pipeline", params={"layout_id": layout})).json()["pipeline"]
    assert (standard["actual_value"], standard["default"], renewals["default"]) == (STANDARD, True, False)
    stages = {each["actual_value"]: each["forecast_type"] for each in standard["maps"]}
    assert (stages["Qualification"], stages["Closed Won"]) == ("Open", "Closed Won")
    assert stages["Closed Lost"] == stages["Closed Lost to Competition"] == "Closed Lost"
    assert [each["sequence_number"] for each in renewals["maps"]] == [1, 2, 3, 4]


async def test_pipelines_are_those_of_a_layout_that_is_named(zoho: httpx.AsyncClient) -> None:
    assert (await zoho.get("/settings/pipeline")).json()["code"] == "REQUIRED_PARAM_MISSING"
    wrong = await zoho.get("/settings/pipeline", params={"layout_id": "17"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "INVALID_DATA")
    assert (await zoho.get("/settings/layouts")).json()["code"] == "REQUIRED_PARAM_MISSING"
    assert (await zoho.get("/settings/layouts", params={"module": "Shops"})).json()["code"] == "INVALID_MODULE"


async def test_the_field_of_stages_tells_probabilities_where_it_does(zoho: httpx.AsyncClient) -> None:
    async def stages() -> dict[str, dict[str, Any]]:
        fields = (await zoho.get("/settings/fields", params={"module": "Deals"})).json()["fields"]
        field = next(each for each in fields if each["api_name"] == "Stage")
        return {each["actual_value"]: each for each in field["pick_list_values"]}

    proposal = (await stages())["Proposal/Price Quote"]
    assert (proposal["probability"], proposal["forecast_type"]) == (75, "Open")
    await told(zoho, "settings", {"stage_probability": False})
    assert "probability" not in (await stages())["Proposal/Price Quote"]


async def test_a_stage_that_is_renamed_keeps_the_value_that_deals_hold(zoho: httpx.AsyncClient) -> None:
    won = next(
        each
        for each in (await told(zoho, "records/stage", method="GET"))["records"]
        if each["actual_value"] == "Closed Won"
    )
    await told(zoho, "records/stage", {"id": won["id"], "display_value": "Gewonnen"}, "PUT")
    layout = (await zoho.get("/settings/layouts", params={"module": "Deals"})).json()["layouts"][0]["id"]
    pipelines = (await zoho.get("/settings/pipeline", params={"layout_id": layout})).json()["pipeline"]
    names = {each["display_value"]: each["actual_value"] for each in pipelines[0]["maps"]}
    assert names["Gewonnen"] == "Closed Won"
    found = await got(zoho, "Deals", await deal(zoho, Stage="Closed Won"))
    assert (found["Stage"], found["Probability"]) == ("Closed Won", 100)
    assert (await zoho.post("/Deals", json={"data": [{**SHOP, "Stage": "Gewonnen"}]})).status_code == 400


async def test_an_administrator_adds_a_stage_and_a_pipeline(zoho: httpx.AsyncClient) -> None:
    pilot = await told(zoho, "records/stage", {"display_value": "Pilot", "probability": 65})
    assert (await got(zoho, "Deals", await deal(zoho, Stage="Pilot")))["Probability"] == 65
    await told(zoho, "records/pipeline", {"display_value": "Pilots", "stages": [pilot["id"]]})
    shop = await deal(zoho, Stage="Pilot", Pipeline="Pilots")
    assert (await got(zoho, "Deals", shop))["Pipeline"] == "Pilots"
    for draft in ({}, {"display_value": "Pilot"}, {"display_value": "New", "forecast_type": "Won"}):
        assert (await zoho.post(f"{HOST}/_sandbox/records/stage", json=draft)).status_code == 422
    assert (await zoho.post(f"{HOST}/_sandbox/records/pipeline", json={"display_value": "P"})).status_code == 422
    assert (await zoho.delete(f"{HOST}/_sandbox/records/stage/{pilot['id']}")).status_code == 422


async def test_a_field_of_our_own_on_deals_is_unique_and_found_by_query(zoho: httpx.AsyncClient) -> None:
    draft = {"field_label": "FreshBooks Invoice", "data_type": "text", "unique": {"casesensitive": False}}
    made = await zoho.post("/settings/fields", params={"module": "Deals"}, json={"fields": [draft]})
    assert made.json()["fields"][0]["details"]["api_name"] == "FreshBooks_Invoice"
    shop = await deal(zoho, FreshBooks_Invoice="fb-77")
    again = await zoho.post("/Deals", json={"data": [{**SHOP, "FreshBooks_Invoice": "FB-77"}]})
    details = (refusal(again))["details"]
    assert (details["id"], details["duplicate_record"]["module"]["api_name"]) == (shop, "Deals")
    asked = {"select_query": "select Deal_Name, Amount from Deals where FreshBooks_Invoice = 'fb-77'"}
    assert (await zoho.post("/coql", json=asked)).json()["data"] == [
        {"Deal_Name": "Shop", "Amount": 1250.5, "id": shop}
    ]


async def test_an_upsert_knows_a_deal_by_its_name(zoho: httpx.AsyncClient) -> None:
    shop = await deal(zoho)
    response = await zoho.post("/Deals/upsert", json={"data": [{**SHOP, "Amount": 99}]})
    details = response.json()["data"][0]
    assert (details["action"], details["details"]["id"], details["duplicate_field"]) == ("update", shop, "Deal_Name")


async def test_a_sweep_lists_the_deals_that_changed_since(zoho: httpx.AsyncClient) -> None:
    with time_machine.travel("2026-03-02T10:00:00Z", tick=False) as traveller:
        await deal(zoho)
        traveller.shift(60)
        later = await deal(zoho, Stage="Closed Won")
        query = {"fields": "Stage,Amount"}
        since = {"If-Modified-Since": "2026-03-02T10:00:30+00:00"}
        rows = (await zoho.get("/Deals", params=query, headers=since)).json()["data"]
        assert rows == [{"id": later, "Stage": "Closed Won", "Amount": 1250.5}]
        traveller.shift(60)
        late = {"If-Modified-Since": "2026-03-02T10:02:00+00:00"}
        assert (await zoho.get("/Deals", params=query, headers=late)).status_code == 304


async def test_a_deal_is_found_by_amount_and_stage(zoho: httpx.AsyncClient) -> None:
    shop, _ = await deal(zoho), await deal(zoho, Amount=5)
    criteria = {"criteria": "((Amount:greater_than:1000)and(Stage:equals:Qualification))", "fields": "Amount"}
    rows = (await zoho.get("/Deals/search", params=criteria)).json()["data"]
    assert [each["id"] for each in rows] == [shop]


async def test_a_deleted_deal_is_listed_as_deleted_and_comes_back(zoho: httpx.AsyncClient) -> None:
    shop = await deal(zoho)
    assert (await zoho.delete(f"/Deals/{shop}")).status_code == 200
    gone = (await zoho.get("/Deals/deleted", params={"type": "all"})).json()["data"]
    assert [(each["id"], each["display_name"]) for each in gone] == [(shop, "Shop")]
    await told(zoho, f"records/Deals/{shop}/restore", {})
    assert (await got(zoho, "Deals", shop))["Deal_Name"] == "Shop"


async def test_a_channel_hears_of_deals_that_are_made_moved_and_deleted(
    zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    """S12, S20."""
    await watch(zoho, "Deals.create", "Deals.edit", "Deals.delete")
    shop = await deal(zoho)
    await told(zoho, "records/Deals", {"id": shop, "Stage": "Closed Won"}, "PUT")
    await zoho.delete(f"/Deals/{shop}")
    await sandbox.settle()
    said = heard(receiver)
    assert [(each["module"], each["operation"], each["ids"]) for each in said] == [
        ("Deals", "insert", [shop]),
        ("Deals", "update", [shop]),
        ("Deals", "delete", [shop]),
    ]
    assert said[1]["affected_fields"] == [{shop: ["Expected_Revenue", "Probability", "Stage"]}]


async def test_a_channel_for_edits_hears_of_no_new_deal(
    zoho: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    await watch(zoho, "Deals.edit")
    await deal(zoho)
    await sandbox.settle()
    assert receiver.received == []


async def test_a_merge_of_contacts_moves_their_deals(zoho: httpx.AsyncClient) -> None:
    """F17."""
    winner, loser = await contact(zoho), await contact(zoho)
    shop = await deal(zoho, Contact_Name={"id": loser})
    await told(zoho, f"records/Contacts/{winner}/merge", {"loser": loser})
    assert (await got(zoho, "Deals", shop))["Contact_Name"]["id"] == winner


async def test_a_converted_lead_brings_a_deal_in_the_pipeline_that_was_named(zoho: httpx.AsyncClient) -> None:
    draft = {"Deal_Name": "Contract", "Stage": "Renewal Due", "Pipeline": "Renewals", "Amount": 300}
    made = (await convert(zoho, await new_lead(zoho), Deals=draft)).json()["data"][0]["details"]
    found = await got(zoho, "Deals", made["Deals"]["id"])
    assert (found["Pipeline"], found["Expected_Revenue"]) == ("Renewals", 150.0)
    wrong = await convert(zoho, await new_lead(zoho), Deals={**draft, "Pipeline": STANDARD})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "MAPPING_MISMATCH")


async def test_deals_are_written_to_the_ledger(zoho: httpx.AsyncClient) -> None:
    shop = await deal(zoho)
    entry = (await told(zoho, "ledger?kind=Deals", method="GET"))["entries"][-1]
    assert (entry["operation"], str(entry["id"]), entry["record"]["Amount"]) == ("create", shop, 1250.5)


def test_generated_deals_are_in_several_pipelines_and_currencies() -> None:
    deals = build_sandbox(zoho_crm_records=600).zoho_crm_service.records.all("Deals")
    assert {each["Pipeline"] for each in deals} == {STANDARD, "Renewals"}
    assert len({each["Currency"] for each in deals}) >= 3
    assert any("Amount" not in each for each in deals)
    assert any("Contact_Name" in each for each in deals)
    assert build_sandbox(zoho_crm_records=600).zoho_crm_service.records.all("Deals") == deals


def test_generated_deals_agree_with_their_pipelines() -> None:
    built = build_sandbox(zoho_crm_records=300)
    stages = {each["id"]: each["actual_value"] for each in built.zoho_crm_service.records.all("stage")}
    members = {
        each["actual_value"]: {stages[number] for number in each["stages"]}
        for each in built.zoho_crm_service.records.all("pipeline")
    }
    deals = built.zoho_crm_service.records.all("Deals")
    assert deals
    assert all(each["Stage"] in members[each["Pipeline"]] for each in deals)


def test_what_is_drawn_for_deals_changes_nobody_else() -> None:
    """These were the first and the last contact before deals had more than a name, a stage and an amount."""
    people = build_sandbox(seed=1, zoho_crm_records=600).zoho_crm_service.records.all("Contacts")
    first, last = people[0], people[-1]
    assert (len(people), first["Last_Name"]) == (300, "Bézier")
    assert last["Email"] == "sian.smith@sian-smith.example"
