"""The token of each account, made of what the settings say and what the store keeps."""

from collections.abc import Mapping

import httpx

from activities.checks import Access
from activities.queues import CAPSULE, FRESHBOOKS
from activities.renewal import Renewal
from activities.tokens import FixedToken, RenewedToken
from connectors import capsule, freshbooks
from connectors.oauth import Application, OAuth, Provider
from runtime.settings import Account, CapsuleAccount, Connection, FreshBooksAccount, Settings
from store.store import Store

SYSTEMS = (CAPSULE, FRESHBOOKS)
PROVIDERS: Mapping[str, Provider] = {CAPSULE: capsule.PROVIDER, FRESHBOOKS: freshbooks.PROVIDER}


def account_settings(connection: Connection, system: str) -> CapsuleAccount | FreshBooksAccount:
    """Return the settings of one of a connection's accounts."""
    return connection.capsule if system == CAPSULE else connection.freshbooks


def provider_of(account: CapsuleAccount | FreshBooksAccount, system: str) -> Provider:
    """Return where a system's OAuth endpoints are; with an address of its own, such as the sandbox's, all are there."""
    provider = PROVIDERS[system]
    return (
        provider
        if account.base_url == type(account).model_fields["base_url"].default
        else provider.at(account.base_url)
    )


def oauth_of(connection: Connection, system: str, http: httpx.AsyncClient) -> OAuth:
    """Return the OAuth grants of one account."""
    account = account_settings(connection, system)
    application = Application(account.client_id, account.client_secret, account.redirect_uri)
    return OAuth(http, provider_of(account, system), application, connection.request_timeout)


def account_token(
    name: str, connection: Connection, system: str, http: httpx.AsyncClient, store: Store
) -> FixedToken | RenewedToken:
    """Return the token of one account."""
    account = account_settings(connection, system)
    if not account.is_registered:
        return FixedToken(name, PROVIDERS[system], account.token, store.tokens)
    renewal = Renewal(provider_of(account, system), oauth_of(connection, system, http), store.tokens, _client(account))
    return RenewedToken(name, renewal, store.tokens, connection.request_timeout)


def accesses(settings: Settings) -> dict[tuple[str, str], Access]:
    """Return how we get into each account of each connection."""
    return {
        (name, system): Access(PROVIDERS[system], account_settings(connection, system).is_registered)
        for name, connection in settings.connections.items()
        for system in SYSTEMS
    }


def with_account_id(settings: Settings, name: str, account_id: str | None) -> Settings:
    """Return the settings with the FreshBooks account that was picked when it was connected, unless they name one."""
    connection = settings.connections[name]
    if connection.freshbooks.account_id or not account_id:
        return settings
    freshbooks = connection.freshbooks.model_copy(update={"account_id": account_id})
    known = connection.model_copy(update={"freshbooks": freshbooks})
    return settings.model_copy(update={"connections": {**settings.connections, name: known}})


def _client(account: Account) -> str:
    return f"{account.client_id}:{account.client_secret.get_secret_value()}"
