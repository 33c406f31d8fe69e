"""Which way leads into an account, and where its system's OAuth endpoints are."""

import pytest

from activities.tokens import FixedToken, RenewedToken
from tests.consents import registered
from tests.sandboxes import CAPSULE, FRESHBOOKS, Firm, sandbox_settings
from worker.tokens import account_token, provider_of, with_account_id


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


def test_an_account_that_the_settings_name_is_not_overruled_by_an_earlier_pick(firm: Firm) -> None:
    named = with_account_id(firm.settings, firm.name, "other")
    assert named.connections[firm.name].freshbooks.account_id == firm.connection.freshbooks.account_id


def test_an_account_that_was_picked_is_filled_in(firm: Firm) -> None:
    """S11."""
    account = registered(firm.sandbox.freshbooks_service, FRESHBOOKS)
    settings = sandbox_settings(firm.name, firm.sandbox, firm.settings.data, freshbooks=account)
    assert with_account_id(settings, firm.name, "sBx7Qz").connections[firm.name].freshbooks.account_id == "sBx7Qz"
    assert with_account_id(settings, firm.name, None).connections[firm.name].freshbooks.account_id == ""
