"""One person at a terminal who connects one account."""

import asyncio
import getpass
import sys
from dataclasses import dataclass

import httpx

from connectors.oauth import OAuth, Provider
from runtime.errors import Stop
from runtime.load import explain
from runtime.settings import CapsuleAccount, Connection, FreshBooksAccount, Settings
from store.store import Store
from worker.tokens import SYSTEMS, account_settings, oauth_of, provider_of


class CannotConnect(Stop):
    """An account was not connected, or not disconnected. The text says why, and what to do."""


class Screen:
    """The person's terminal."""

    def say(self, text: str) -> None:
        """Show a text."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    async def ask(self, text: str, *, hidden: bool = False) -> str:
        """Return what the person types; hidden text is not shown. Raises CannotConnect if nobody is there."""
        try:
            return (await asyncio.to_thread(getpass.getpass if hidden else input, text)).strip()
        except EOFError:
            raise CannotConnect("there is nobody to ask: run this command in a terminal") from None


@dataclass(frozen=True)
class Session:
    """The account in question, and what it takes to connect it."""

    settings: Settings
    name: str
    system: str
    store: Store
    http: httpx.AsyncClient
    screen: Screen

    @property
    def connection(self) -> Connection:
        """The connection that the account belongs to."""
        return self.settings.connections[self.name]

    @property
    def account(self) -> CapsuleAccount | FreshBooksAccount:
        """The account's settings."""
        return account_settings(self.connection, self.system)

    @property
    def provider(self) -> Provider:
        """Where the system's OAuth endpoints are."""
        return provider_of(self.account, self.system)

    @property
    def oauth(self) -> OAuth:
        """The grants of this account."""
        return oauth_of(self.connection, self.system, self.http)


def chosen_connection(settings: Settings, system: str, name: str | None) -> str:
    """Return the connection that was named, or the only one. Raises CannotConnect."""
    known = ", ".join(settings.connections) or "none is configured"
    if system not in SYSTEMS:
        raise CannotConnect(f"there is no system {system}; allowed here: {', '.join(SYSTEMS)}")
    if name is None and len(settings.connections) == 1:
        name = next(iter(settings.connections))
    if name is None:
        raise CannotConnect(f"say which connection: --connection NAME ({known})")
    if name not in settings.connections:
        raise CannotConnect(f"there is no connection {name} in the settings ({known})")
    if not account_settings(settings.connections[name], system).is_registered:
        text = "has a fixed token; to connect it, give `client_id` and `client_secret` instead (see docs/connecting.md)"
        raise CannotConnect(explain(("connections", name, system), text))
    return name
