"""The token of each account, made of what the settings say and what the store keeps."""

import httpx

from activities.checks import Access
from activities.renewal import Renewal
from activities.tokens import FixedToken, RenewedToken
from connectors import capsule, freshbooks, zoho, zoho_crm
from connectors.oauth import Application, OAuth, Provider
from runtime.accounts import Account, CapsuleAccount, ZohoCrmAccount
from runtime.settings import Connection, Settings
from store.store import Store


def provider_of(connection: Connection, system: str) -> Provider:
    """Return where the OAuth endpoints of one of a connection's accounts are, with an address of its own all there."""
    account = connection.accounts[system]
    if isinstance(account, ZohoCrmAccount):
        deals = connection.opportunities is not None or connection.projects is not None
        provider = zoho_crm.provider(account.data_centre, leads=account.leads == "convert", deals=deals)
        return provider.at(account.accounts_url) if account.accounts_url else provider
    documents, payments = connection.opportunities is not None, connection.payments is not None
    hours, projects = connection.billing is not None, connection.projects is not None
    in_books = freshbooks.provider(documents=documents, payments=payments, hours=hours, projects=projects)
    provider = capsule.PROVIDER if isinstance(account, CapsuleAccount) else in_books
    usual = account.base_url == type(account).model_fields["base_url"].default
    return provider if usual else provider.at(account.base_url)


def zoho_api_url(account: ZohoCrmAccount) -> str:
    """Return the address of the API of a Zoho account."""
    return account.base_url or zoho.DATA_CENTRES[account.data_centre].api_url


def oauth_of(connection: Connection, system: str, http: httpx.AsyncClient) -> OAuth:
    """Return the OAuth grants of one account."""
    account = connection.accounts[system]
    application = Application(account.client_id, account.client_secret, account.redirect_uri)
    return OAuth(http, provider_of(connection, system), application, connection.request_timeout)


def account_token(
    name: str, connection: Connection, system: str, http: httpx.AsyncClient, store: Store
) -> FixedToken | RenewedToken:
    """Return the token of one account."""
    account, provider = connection.accounts[system], provider_of(connection, system)
    if not account.is_registered:
        return FixedToken(name, provider, account.token, store.tokens)
    renewal = Renewal(provider, oauth_of(connection, system, http), store.tokens, _client(account))
    return RenewedToken(name, renewal, store.tokens, connection.request_timeout)


def accesses(settings: Settings) -> dict[tuple[str, str], Access]:
    """Return how we get into each account of each connection."""
    return {
        (name, system): Access(provider_of(connection, system), account.is_registered)
        for name, connection in settings.connections.items()
        for system, account in connection.accounts.items()
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
