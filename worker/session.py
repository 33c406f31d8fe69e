"""One person at a terminal who connects one account."""

import asyncio
import getpass
import sys
from dataclasses import dataclass

import httpx

from connectors.oauth import OAuth, Provider
from runtime.accounts import AnyAccount
from runtime.errors import Stop
from runtime.load import explain
from runtime.settings import Connection, Settings
from store.store import Store
from worker.tokens import oauth_of, provider_of


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
    def account(self) -> AnyAccount:
        """The account's settings."""
        return self.connection.accounts[self.system]

    @property
    def provider(self) -> Provider:
        """Where the system's OAuth endpoints are."""
        return provider_of(self.connection, self.system)

    @property
    def oauth(self) -> OAuth:
        """The grants of this account."""
        return oauth_of(self.connection, self.system, self.http)


def chosen_connection(settings: Settings, system: str, name: str | None) -> str:
    """Return the connection that was named, or the only one with this system. Raises CannotConnect."""
    known = ", ".join(settings.connections) or "none is configured"
    having = [each for each, connection in settings.connections.items() if system in connection.accounts]
    if name is None and len(having) == 1:
        name = having[0]
    if name is None and having:
        raise CannotConnect(f"say which connection: --connection NAME ({', '.join(having)})")
    if name is not None and name not in settings.connections:
        raise CannotConnect(f"there is no connection {name} in the settings ({known})")
    if name is None or name not in having:
        if name is None:
            raise CannotConnect(f"no connection in the settings ({known}) has an account at {system}")
        there = ", ".join(settings.connections[name].accounts)
        raise CannotConnect(f"{name} has no account at {system}, only at {there}")
    if not settings.connections[name].accounts[system].is_registered:
        text = "has a fixed token; to connect it, give `client_id` and `client_secret` instead (see docs/connecting.md)"
        raise CannotConnect(explain(("connections", name, system), text))
    return name
