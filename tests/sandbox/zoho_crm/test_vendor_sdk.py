"""Zoho's own client against the stand-in as a process: it knows nothing of us, and asks for what we would not."""

# mypy: disable-error-code="import-untyped"

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.header_map import HeaderMap
from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer
from zohocrmsdk.src.com.zoho.crm.api.layouts import GetLayoutsParam, LayoutsOperations
from zohocrmsdk.src.com.zoho.crm.api.parameter_map import ParameterMap
from zohocrmsdk.src.com.zoho.crm.api.pipeline import PipelineOperations
from zohocrmsdk.src.com.zoho.crm.api.record import BodyWrapper, GetRecordsParam, Record, RecordOperations
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig
from zohocrmsdk.src.com.zoho.crm.api.util import Choice


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of the stand-in, to which the vendor's client is set up."""
    folder = tmp_path_factory.mktemp("vendor")
    ports = [f"--{system}-port=0" for system in ("capsule", "freshbooks", "zoho-crm")]
    command = [sys.executable, "-m", "sandbox", *ports, "--ledger", str(folder / "ledger.jsonl")]
    with subprocess.Popen([*command, "--zoho-crm-records", "30"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            url = json.loads(process.stdout.readline())["zoho_crm"]
            _set_up(url, folder)
            yield url
        finally:
            process.terminate()


def _set_up(url: str, folder: Path) -> None:
    about = httpx.get(f"{url}/_sandbox/info").json()
    Initializer.initialize(
        DataCenter.Environment(url, f"{url}/oauth/v2/token", url),
        OAuthToken(**about["oauth"], refresh_token=about["tokens"]["refresh"]),
        store=FileStore(str(folder / "tokens.csv")),
        resource_path=str(folder),
        sdk_config=SDKConfig(auto_refresh_fields=False),
    )


def record(**values: Any) -> Any:
    found = Record()
    for name, value in values.items():
        found.add_key_value(name, value)
    return found


def body(*records: Any, check: list[str] | None = None) -> Any:
    wrapper = BodyWrapper()
    wrapper.set_data(list(records))
    wrapper.set_trigger([])
    if check:
        wrapper.set_duplicate_check_fields(check)
    return wrapper


def results(response: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return code and details of each record's result."""
    return [(each.get_code().get_value(), each.get_details()) for each in response.get_object().get_data()]


def list_contacts() -> Any:
    asked = ParameterMap()
    asked.add(GetRecordsParam.fields, "Last_Name,Email,Account_Name,Owner,Modified_Time")
    asked.add(GetRecordsParam.per_page, 5)
    return RecordOperations("Contacts").get_records(asked, HeaderMap())


def test_the_vendors_client_lists_contacts(address: str) -> None:
    response = list_contacts()
    assert response.get_status_code() == 200
    rows = response.get_object().get_data()
    assert len(rows) == 5
    assert all(each.get_key_value("Last_Name") and each.get_key_value("Modified_Time").tzinfo for each in rows)
    assert response.get_object().get_info().get_more_records() is True


def test_the_vendors_client_inserts_upserts_updates_and_gets(address: str) -> None:
    contacts = RecordOperations("Contacts")
    inserted = contacts.create_records(body(record(Last_Name="Okafor", Email="ada@okafor.example")), HeaderMap())
    assert inserted.get_status_code() == 201
    (code, details), *_ = results(inserted)
    number = int(details["id"])
    again = record(Last_Name="Okafor-Smith", Email="ada@okafor.example")
    upserted = contacts.upsert_records(body(again, check=["Email"]), HeaderMap())
    assert (code, results(upserted)[0][1]["id"]) == ("SUCCESS", details["id"])
    updated = contacts.update_record(number, body(record(First_Name="Ada")), HeaderMap())
    assert (updated.get_status_code(), results(updated)[0][0]) == (200, "SUCCESS")
    found = contacts.get_record(number, ParameterMap(), HeaderMap()).get_object().get_data()[0]
    names = [found.get_key_value(name) for name in ("First_Name", "Last_Name", "Email")]
    assert names == ["Ada", "Okafor-Smith", "ada@okafor.example"]


def test_the_vendors_client_understands_mixed_results_and_emptiness(address: str) -> None:
    contacts = RecordOperations("Contacts")
    long = record(Last_Name="x" * 81)
    mixed = contacts.create_records(body(record(Last_Name="Okafor"), long), HeaderMap())
    assert mixed.get_status_code() == 207
    assert [code for code, _ in results(mixed)] == ["SUCCESS", "INVALID_DATA"]
    missing = contacts.get_record(4876876000300999999, ParameterMap(), HeaderMap())
    assert (missing.get_status_code(), missing.get_object()) == (204, None)


def test_the_vendors_client_moves_a_deal(address: str) -> None:
    deals = RecordOperations("Deals")
    firm = RecordOperations("Accounts").create_records(body(record(Account_Name="Okafor Ltd")), HeaderMap())
    tie = Record()
    tie.set_id(int(results(firm)[0][1]["id"]))
    draft = record(Deal_Name="Shop", Stage=Choice("Qualification"), Amount=1250.5, Account_Name=tie)
    made = deals.create_records(body(draft), HeaderMap())
    assert made.get_status_code() == 201
    number = int(results(made)[0][1]["id"])
    moved = deals.update_record(number, body(record(Stage=Choice("Closed Won"))), HeaderMap())
    assert results(moved)[0][0] == "SUCCESS"
    found = deals.get_record(number, ParameterMap(), HeaderMap()).get_object().get_data()[0]
    assert found.get_key_value("Stage").get_value() == "Closed Won"
    assert (found.get_key_value("Amount"), found.get_key_value("Account_Name").get_key_value("name")) == (
        1250.5,
        "Okafor Ltd",
    )
    elsewhere = deals.update_record(number, body(record(Stage=Choice("Renewal Due"))), HeaderMap())
    assert (elsewhere.get_status_code(), results(elsewhere)[0][0]) == (400, "MAPPING_MISMATCH")


def test_the_vendors_client_reads_the_pipelines_of_deals(address: str) -> None:
    asked = ParameterMap()
    asked.add(GetLayoutsParam.module, "Deals")
    (layout,) = LayoutsOperations().get_layouts(asked).get_object().get_layouts()
    standard, renewals = PipelineOperations(layout.get_id()).get_pipelines().get_object().get_pipeline()
    assert (standard.get_default(), renewals.get_default()) == (True, False)
    stages = {each.get_actual_value(): each.get_forecast_type() for each in standard.get_maps()}
    assert (stages["Qualification"], stages["Closed Won"]) == ("Open", "Closed Won")


def test_the_vendors_client_asked_for_what_a_client_needs(address: str) -> None:
    """It reads the user, the organisation and the fields before it begins."""
    list_contacts()
    counts = httpx.get(f"{address}/_sandbox/info").json()["requests_by_route"]
    asked = {"/users", "/org", "/settings/fields"}
    assert {f"GET /crm/v8{path}" for path in asked} <= counts.keys()
