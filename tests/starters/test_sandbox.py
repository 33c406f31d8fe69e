"""Without an account: two connections to the sandbox, each CRM with books of its own, ready to be worked with."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from runtime.accounts import FreshBooksAccount
from runtime.load import load_settings
from runtime.ports import free_ports
from runtime.processes import Supervisor
from runtime.settings import Settings
from starters.sandbox import addresses, connect_sandbox, sandbox_children, zoho_crm_addresses
from starters.system import System

PORTS = ("CAPSULE_PORT", "FRESHBOOKS_PORT", "ZOHO_CRM_PORT", "ZOHO_FRESHBOOKS_PORT")
ACME = "connections:\n  acme: {capsule: {token: x}, freshbooks: {token: y, account_id: z}}\n"
EARLIER = "connections:\n  sandbox: {capsule: {token: x}, freshbooks: {token: y, account_id: z}}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the data folder of an installation without settings; its sandbox is on free ports."""
    (tmp_path / "ledgerline.yaml").touch()
    monkeypatch.setenv("LEDGERLINE_CONFIG", str(tmp_path / "ledgerline.yaml"))
    monkeypatch.setenv("LEDGERLINE_DATA", str(tmp_path))
    for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True):
        monkeypatch.setenv(f"LEDGERLINE_SANDBOX__{name}", str(port))
    return tmp_path


@pytest.fixture
async def started(folder: Path) -> AsyncIterator[Settings]:
    """Start the sandbox, connect to it twice, as two starts of the system do, and give what is then configured."""
    supervisor = Supervisor(folder / "logs")
    try:
        for child in sandbox_children(load_settings()):
            await supervisor.start(child)
        for _ in range(2):
            await connect_sandbox(load_settings())
        yield load_settings()
    finally:
        await supervisor.stop_all()


def records(url: str, kind: str) -> list[dict[str, Any]]:
    return list(httpx.get(f"{url}/_sandbox/records/{kind}").raise_for_status().json()["records"])


def status(account: FreshBooksAccount, token: SecretStr) -> int:
    """Return what FreshBooks answers to whoever asks for an account's clients with a token."""
    url = f"{account.base_url}/accounting/account/{account.account_id}/users/clients"
    return httpx.get(url, headers={"Authorization": f"Bearer {token.get_secret_value()}"}).status_code


async def test_the_sandbox_is_two_connections_which_share_nothing_and_need_no_renewal(started: Settings) -> None:
    """A FreshBooks of one connection refuses the other's token; the tokens work for as long as the sandbox runs."""
    assert started.crms == {"sandbox": "capsule", "sandbox-zoho": "zoho_crm"}
    books = {name: connection.freshbooks for name, connection in started.connections.items()}
    assert len({each.base_url for each in books.values()}) == len({each.token for each in books.values()}) == 2
    assert status(books["sandbox-zoho"], books["sandbox-zoho"].token) == 200
    assert status(books["sandbox-zoho"], books["sandbox"].token) == 401
    crm = started.connections["sandbox-zoho"].crm_account
    tokens = {each["access_token"]: each for each in records(crm.base_url, "token")}
    assert tokens[crm.token.get_secret_value()]["expires_in"] is None


async def test_each_crm_has_our_field_once_however_often_the_system_is_started(started: Settings) -> None:
    """S15: without it no record of the CRM is created."""
    capsule, _ = addresses(started)
    zoho_crm, _ = zoho_crm_addresses(started)
    named = [each["name"] for each in records(capsule, "definition")]
    assert named.count(started.connections["sandbox"].reference_field) == 1
    made = [(each["module"], each["api_name"], each["unique"]) for each in records(zoho_crm, "field")]
    name = started.connections["sandbox-zoho"].reference_field
    assert sorted(made) == [("Accounts", name, "insensitive"), ("Contacts", name, "insensitive")]


async def test_something_is_for_sale_in_both_crms_and_is_entered_once(started: Settings) -> None:
    """A newcomer sees estimates, and an invoice of what is won; every one has an amount and somebody who buys it."""
    opportunities, deals = (
        records(addresses(started)[0], "opportunity"),
        records(zoho_crm_addresses(started)[0], "Deals"),
    )
    assert [(each["name"], each["milestone"]["name"]) for each in opportunities] == [
        ("Website rebuild", "Proposal"),
        ("Fair stand", "Negotiation"),
        ("Spring campaign", "New"),
        ("Catalogue", "Won"),
    ]
    assert all(each["value"]["amount"] and each["party"]["type"] == "person" for each in opportunities)
    assert [each["Stage"] for each in deals] == ["Proposal/Price Quote", "Qualification", "Closed Won"]
    assert all(each["Amount"] and each["Contact_Name"] for each in deals)
    estimates = started.connections["sandbox"].opportunities
    assert estimates is not None
    assert estimates.estimate_from == ("Proposal",)


def test_a_sandbox_of_an_earlier_version_is_still_one_and_real_accounts_are_none(folder: Path) -> None:
    (folder / "sandbox.yaml").write_text(EARLIER)
    assert System(load_settings(), say=lambda _: None).sandboxed
    (folder / "ledgerline.yaml").write_text(ACME)
    assert not System(load_settings(), say=lambda _: None).sandboxed
