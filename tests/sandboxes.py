"""One connection to a sandbox in this process, wired as the worker wires it, and what tests see and change of it."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from pydantic import SecretStr
from starlette.types import ASGIApp
from temporalio.testing import ActivityEnvironment

from activities.models import PartyKey, PartySide
from activities.parties import PartyActivities
from activities.passes import PassActivities
from connectors.capsule.api import CapsuleApi
from connectors.freshbooks.api import FreshBooksApi
from connectors.http import fixed_token, http_client
from runtime.settings import Connection, Settings
from sandbox.app import Sandbox, build_sandbox
from sandbox.faults import FaultRule
from sandbox.service import Service
from store.records import RecordKey
from store.store import Store
from worker.accounts import AccountQueue, Wiring, account_queues, client_rules

CAPSULE, FRESHBOOKS, HOOKS = "http://capsule.test", "http://freshbooks.test", "https://hooks.test"
ZOHO_CRM = "http://zoho.test"
PARTIES = f"{CAPSULE}/api/v2/parties"
NUMBERS = itertools.count(1)

Request = TypeVar("Request")
Result = TypeVar("Result")


class Switchboard(httpx.AsyncBaseTransport):
    """Leads requests to ASGI apps in this process by their host; nobody answers at any other."""

    def __init__(self, **apps: ASGIApp) -> None:
        self._transports = {f"{name}.test": httpx.ASGITransport(app) for name, app in apps.items()}

    def connect(self, name: str, app: ASGIApp) -> None:
        """Let an app answer at `name`.test from now on."""
        self._transports[f"{name}.test"] = httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on. Raises ConnectError."""
        transport = self._transports.get(request.url.host)
        if transport is None:
            raise httpx.ConnectError(f"nobody answers at {request.url.host}", request=request)
        return await transport.handle_async_request(request)


@dataclass(frozen=True)
class AnnouncedClient:
    """One announcement of a sweep of the books."""

    client_id: str
    cause: str
    priority: int


@dataclass(frozen=True)
class Announced:
    """One announcement of a sweep."""

    connection: str
    party_id: int
    cause: str
    priority: int


class Announcements:
    """Takes note of what would be announced."""

    def __init__(self, announced: list[Announced]) -> None:
        self._announced = announced
        self.creates_waited = 0

    async def party_changed(
        self, connection: str, party_id: int, cause: str, priority: int, side: PartySide | None = None
    ) -> None:
        """Take note of a party."""
        del side
        self._announced.append(Announced(connection, party_id, cause, priority))

    async def creates_wait(self, connection: str) -> None:
        """Take note that a person would be asked."""
        self.creates_waited += 1


@dataclass
class Firm:
    """A firm with its CRM and its books: a connection of its own name, both stand-ins, the store, the activities."""

    name: str
    sandbox: Sandbox
    settings: Settings
    store: Store
    http: httpx.AsyncClient
    hooks: Switchboard
    announced: list[Announced] = field(default_factory=list)
    announced_clients: list[AnnouncedClient] = field(default_factory=list)
    queues: list[AccountQueue] = field(init=False)

    def __post_init__(self) -> None:
        wiring = Wiring(self.settings, self.http, self.store, self._announce, self._announce_client)
        self.queues = account_queues(self.name, wiring)

    @property
    def connection(self) -> Connection:
        """The settings of this connection."""
        return self.settings.connections[self.name]

    @property
    def crm_service(self) -> Service:
        """The stand-in of the connection's CRM."""
        return self.sandbox.zoho_crm_service if self.connection.crm == "zoho_crm" else self.sandbox.capsule_service

    @property
    def passes(self) -> PassActivities:
        """The steps on our own store, as the worker builds them."""
        rules = client_rules(self.name, self.connection, self.store)
        return PassActivities(self.store, {self.name: rules}, Announcements(self.announced))

    def use(self, *, capsule_token: str) -> None:
        """Work with another Capsule token from now on."""
        capsule = self.connection.crm_account.model_copy(update={"token": SecretStr(capsule_token)})
        connection = self.connection.model_copy(update={"capsule": capsule})
        self.settings = self.settings.model_copy(update={"connections": {self.name: connection}})
        self.__post_init__()

    def use_clients(self, **flow: Any) -> None:
        """Work with other settings of the clients flow from now on."""
        clients = self.connection.clients.model_copy(update=flow)
        connection = self.connection.model_copy(update={"clients": clients})
        self.settings = self.settings.model_copy(update={"connections": {self.name: connection}})
        self.__post_init__()

    def capsule_api(self) -> CapsuleApi:
        """Return Capsule as the activities see it."""
        return CapsuleApi(self.http, fixed_token(self.connection.crm_account.token), CAPSULE)

    def freshbooks_api(self) -> FreshBooksApi:
        """Return FreshBooks as the activities see it."""
        account = self.connection.freshbooks
        return FreshBooksApi(self.http, fixed_token(account.token), account.account_id, FRESHBOOKS)

    def key(self, party_id: int) -> PartyKey:
        """Name one party."""
        return PartyKey(connection=self.name, party_id=party_id)

    def record_key(self, party_id: int) -> RecordKey:
        """Name one party as the store does."""
        return RecordKey(self.name, "clients", str(party_id))

    async def run(self, activity: Callable[[Any, Request], Awaitable[Result]], request: Request) -> Result:
        """Run one activity as the worker would, given as the class has it: `PartyActivities.read_party`."""
        bound = {each.__name__: each for queue in self.queues for each in queue.activities}
        result: Result = await ActivityEnvironment().run(bound[activity.__name__], request)
        return result

    async def read_party(self, party_id: int) -> PartySide:
        """Return what the activity says of a party."""
        return await self.run(PartyActivities.read_party, self.key(party_id))

    async def new_party(self, **fields: Any) -> int:
        """Enter an organisation (or what is given) in Capsule, and return its id."""
        draft = {"type": "organisation", "name": "Acme Ltd", **fields}
        answer = await self.http.post(PARTIES, json={"party": draft}, headers=self._crm())
        return int(answer.raise_for_status().json()["party"]["id"])

    async def new_field(self, name: str) -> int:
        """Make a text custom field for parties in Capsule, and return its id."""
        definition = {"definition": {"name": name, "type": "text"}}
        answer = await self.http.post(f"{PARTIES}/fields/definitions", json=definition, headers=self._crm())
        return int(answer.raise_for_status().json()["definition"]["id"])

    async def delete_field(self, definition_id: int) -> None:
        """Delete a custom field of parties in Capsule, with the values that parties have of it."""
        url = f"{PARTIES}/fields/definitions/{definition_id}"
        (await self.http.delete(url, headers=self._crm())).raise_for_status()

    async def merge_parties(self, loser: int, winner: int) -> None:
        """Merge two parties as Capsule does: what is left takes over the addresses, the other one is gone."""
        emails = [{"address": row["address"]} for row in self.party(loser)["emailAddresses"]]
        await self.delete_party(loser)
        await self.change_party(winner, emailAddresses=emails)

    async def change_party(self, party_id: int, **fields: Any) -> None:
        """Change a party in Capsule."""
        answer = await self.http.put(f"{PARTIES}/{party_id}", json={"party": fields}, headers=self._crm())
        answer.raise_for_status()

    def edit_party(self, party_id: int, **fields: Any) -> None:
        """Overwrite what Capsule holds of a party, as an old import might have left it: no rule is asked."""
        records = self.sandbox.capsule_service.records
        records.commit("update", "party", party_id, {**self.party(party_id), **fields})

    def party(self, party_id: int) -> dict[str, Any]:
        """Return one party as Capsule holds it."""
        found = self.sandbox.capsule_service.records.get("party", party_id)
        assert found is not None, f"there is no party {party_id}"
        return found

    async def delete_party(self, party_id: int) -> None:
        """Delete a party in Capsule."""
        (await self.http.delete(f"{PARTIES}/{party_id}", headers=self._crm())).raise_for_status()

    async def new_client(self, **fields: Any) -> int:
        """Enter a client in FreshBooks by hand, and return its id."""
        answer = await self.http.post(self._clients(), json={"client": fields}, headers=self._books())
        return int(answer.raise_for_status().json()["response"]["result"]["client"]["id"])

    async def change_client(self, client_id: int, **fields: Any) -> None:
        """Change a client in FreshBooks by hand; `vis_state=1` deletes it."""
        url = f"{self._clients()}/{client_id}"
        (await self.http.put(url, json={"client": fields}, headers=self._books())).raise_for_status()

    def clients(self) -> list[dict[str, Any]]:
        """Return every client that FreshBooks holds, oldest first."""
        return self.sandbox.freshbooks_service.records.all("client")

    def client(self, client_id: int) -> dict[str, Any]:
        """Return one client as FreshBooks holds it."""
        found = self.sandbox.freshbooks_service.records.get("client", client_id)
        assert found is not None, f"there is no client {client_id}"
        return found

    def calls(self, method: str, path_end: str = "") -> int:
        """Return how many requests came to paths that end so, in the words of the routes: `GET`, `/clients/{id}`."""
        counted = (self.crm_service.requests, self.sandbox.freshbooks_service.requests)
        return sum(
            count
            for requests in counted
            for route, count in requests.items()
            if route.startswith(f"{method} ") and route.endswith(path_end)
        )

    def books_fault(self, **rule: Any) -> None:
        """Let something go wrong in FreshBooks."""
        self._fault(self.sandbox.freshbooks_service, rule)

    def crm_fault(self, **rule: Any) -> None:
        """Let something go wrong in the CRM."""
        self._fault(self.crm_service, rule)

    def end_faults(self) -> None:
        """Let everything go well again."""
        for service in (self.crm_service, self.sandbox.freshbooks_service):
            service.faults.clear()

    def _fault(self, service: Service, rule: dict[str, Any]) -> None:
        service.faults.add(FaultRule(**rule))

    def _crm(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.connection.crm_account.token.get_secret_value()}"}

    def _books(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.connection.freshbooks.token.get_secret_value()}"}

    def _clients(self) -> str:
        return f"{FRESHBOOKS}/accounting/account/{self.connection.freshbooks.account_id}/users/clients"

    async def _announce(
        self, connection: str, party_id: int, cause: str, priority: int, side: PartySide | None = None
    ) -> None:
        del side
        self.announced.append(Announced(connection, party_id, cause, priority))

    async def _announce_client(self, connection: str, client_id: str, cause: str, priority: int) -> None:
        self.announced_clients.append(AnnouncedClient(client_id, cause, priority))


def sandbox_settings(name: str, sandbox: Sandbox, data: Path, *, crm: str = "capsule", **connection: Any) -> Settings:
    """Return the settings of an installation whose one connection leads to this sandbox."""
    books = sandbox.freshbooks_service.about()
    accounts: dict[str, Any] = {
        crm: CRM_ACCOUNTS[crm](sandbox),
        "freshbooks": {
            "token": books["tokens"]["access"],
            "base_url": FRESHBOOKS,
            "account_id": books["account_id"],
            "requests_per_minute": 60_000,
        },
        "settle_time": "1s",
        "request_timeout": "3s",
    }
    return Settings(data=data, receiver={"public_url": HOOKS}, connections={name: accounts | connection})


def _capsule(sandbox: Sandbox) -> dict[str, Any]:
    token = sandbox.capsule_service.about()["tokens"]["access"]
    return {"token": token, "base_url": CAPSULE, "requests_per_hour": 3_600_000}


def _zoho_crm(sandbox: Sandbox) -> dict[str, Any]:
    token = sandbox.zoho_crm_service.about()["tokens"]["access"]
    return {"token": token, "base_url": ZOHO_CRM, "accounts_url": ZOHO_CRM, "requests_per_minute": 60_000}


CRM_ACCOUNTS = {"capsule": _capsule, "zoho_crm": _zoho_crm}


@asynccontextmanager
async def open_firm(
    store: Store, data: Path, name: str, *, crm: str = "capsule", **clients: Any
) -> AsyncIterator[Firm]:
    """Give a firm whose accounts are empty on both sides. `clients` are settings of its clients flow."""
    hooks = Switchboard()
    sandbox = build_sandbox(
        capsule_requests_per_hour=4_000_000, freshbooks_requests_per_minute=1_000_000, hook_transport=hooks
    )
    switchboard = Switchboard(capsule=sandbox.capsule, freshbooks=sandbox.freshbooks, zoho=sandbox.zoho_crm)
    async with http_client(switchboard) as http:
        flow = {"direction": "to-books", "default_currency": "EUR", "default_language": "en", "phone_region": "GB"}
        settings = sandbox_settings(name, sandbox, data, crm=crm, clients=flow | clients)
        yield Firm(name, sandbox, settings, store, http, hooks)
    await sandbox.close()


@pytest.fixture
async def two_way_firm(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Firm]:
    """Give a firm whose changes go both ways; its Capsule has the custom field that carries our reference."""
    async with open_firm(sqlite_store, tmp_path, f"firm-{next(NUMBERS)}", direction="both") as opened:
        await opened.new_field("Ledgerline reference")
        yield opened


@pytest.fixture
async def firm(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Firm]:
    """Give a firm whose accounts are empty on both sides. The name of its connection is new each time."""
    async with open_firm(sqlite_store, tmp_path, f"firm-{next(NUMBERS)}") as opened:
        yield opened
