"""Which way leads into an account, and where its system's OAuth endpoints are."""

from typing import Any, get_args

import pytest

from activities.tokens import FixedToken, RenewedToken
from connectors import zoho
from runtime.accounts import DataCentre, ZohoCrmAccount
from runtime.settings import Connection
from tests.consents import registered
from tests.sandboxes import CAPSULE, FRESHBOOKS, ZOHO_CRM, Firm, sandbox_settings
from worker.tokens import account_token, provider_of, with_account_id, zoho_api_url


@pytest.mark.parametrize("system", ["capsule", "freshbooks"])
async def test_a_token_in_the_settings_is_used_as_it_is(firm: Firm, system: str) -> None:
    token = account_token(firm.name, firm.connection, system, firm.http, firm.store)
    assert isinstance(token, FixedToken)
    configured = firm.connection.accounts[system].token.get_secret_value()
    assert (await token.current()).text == configured


def test_a_registered_application_has_its_tokens_renewed(firm: Firm) -> None:
    """S11."""
    account = registered(firm.sandbox.freshbooks_service, FRESHBOOKS)
    firm.settings = sandbox_settings(firm.name, firm.sandbox, firm.settings.data, freshbooks=account)
    token = account_token(firm.name, firm.connection, "freshbooks", firm.http, firm.store)
    assert isinstance(token, RenewedToken)


def test_the_consent_page_of_freshbooks_is_on_a_host_of_its_own(firm: Firm) -> None:
    """Only where the address is ours, as the sandbox's, everything is there."""
    plain = firm.connection.freshbooks.model_copy(update={"base_url": "https://api.freshbooks.com"})
    real = firm.connection.model_copy(update={"freshbooks": plain})
    assert provider_of(real, "freshbooks").authorize_url == "https://auth.freshbooks.com/oauth/authorize"
    assert provider_of(firm.connection, "freshbooks").authorize_url == f"{FRESHBOOKS}/oauth/authorize"
    assert provider_of(firm.connection, "capsule").tokens_url == f"{CAPSULE}/oauth/token"


def zoho_connection(**account: Any) -> Connection:
    """Return a connection with Zoho CRM."""
    zoho_crm, books = {"token": "x", **account}, {"token": "x", "account_id": "aB3xYz"}
    return Connection.model_validate({"zoho_crm": zoho_crm, "freshbooks": books})


def places(connection: Connection) -> tuple[str, str]:
    """Return where tokens are asked for, and where the API is."""
    account = connection.crm_account
    assert isinstance(account, ZohoCrmAccount)
    return provider_of(connection, "zoho_crm").tokens_url, zoho_api_url(account)


def test_the_data_centres_of_the_settings_are_those_of_zoho() -> None:
    """Z27: the settings know no connector, so their list is their own."""
    assert set(get_args(DataCentre)) == set(zoho.DATA_CENTRES)


@pytest.mark.parametrize("name", zoho.DATA_CENTRES)
def test_each_data_centre_has_its_own_addresses(name: str) -> None:
    """Z27."""
    centre = zoho.DATA_CENTRES[name]
    assert places(zoho_connection(data_centre=name)) == (f"{centre.accounts_url}/oauth/v2/token", centre.api_url)


def test_a_sandbox_edition_of_zohos_has_another_api_and_the_same_accounts() -> None:
    """Z146."""
    sandbox = "https://sandbox.zohoapis.eu"
    found = places(zoho_connection(data_centre="eu", base_url=sandbox))
    assert found == ("https://accounts.zoho.eu/oauth/v2/token", sandbox)


def test_a_stand_in_of_zoho_serves_tokens_too() -> None:
    found = places(zoho_connection(base_url=ZOHO_CRM, accounts_url=ZOHO_CRM))
    assert found == (f"{ZOHO_CRM}/oauth/v2/token", ZOHO_CRM)


async def test_zoho_crm_takes_a_fixed_token_or_renews_one(zoho_firm: Firm) -> None:
    """S11."""
    fixed = account_token(zoho_firm.name, zoho_firm.connection, "zoho_crm", zoho_firm.http, zoho_firm.store)
    assert isinstance(fixed, FixedToken)
    connection = zoho_connection(token="", client_id="ours", client_secret="secret")
    renewed = account_token("acme", connection, "zoho_crm", zoho_firm.http, zoho_firm.store)
    assert isinstance(renewed, RenewedToken)


def test_an_account_that_the_settings_name_is_not_overruled_by_an_earlier_pick(firm: Firm) -> None:
    named = with_account_id(firm.settings, firm.name, "other")
    assert named.connections[firm.name].freshbooks.account_id == firm.connection.freshbooks.account_id


def test_an_account_that_was_picked_is_filled_in(firm: Firm) -> None:
    """S11."""
    account = registered(firm.sandbox.freshbooks_service, FRESHBOOKS)
    settings = sandbox_settings(firm.name, firm.sandbox, firm.settings.data, freshbooks=account)
    assert with_account_id(settings, firm.name, "sBx7Qz").connections[firm.name].freshbooks.account_id == "sBx7Qz"
    assert with_account_id(settings, firm.name, None).connections[firm.name].freshbooks.account_id == ""
