"""Both sides of a connection as a user and a bookkeeper have them: a CRM's API, and the sandbox's record of writes."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, ClassVar

import httpx

CLOSE_LOOK_SECONDS = 0.05


class BothSides:
    """A CRM of the sandbox, whichever it is, and the FreshBooks beside it."""

    scheme: ClassVar[str] = "Bearer"
    """How the CRM wants its token named."""
    callbacks: ClassVar[int] = 3
    """How many events of FreshBooks are listened to: clients, estimates, invoices."""

    def __init__(self, http: httpx.AsyncClient, crm_url: str, freshbooks_url: str) -> None:
        self.http, self.crm_url, self.freshbooks_url = http, crm_url, freshbooks_url
        self._headers: dict[str, str] = {}
        self.account_id = ""

    async def sign_in(self) -> None:
        """Take the sandbox's token, as its users have it."""
        self._headers = {"Authorization": f"{self.scheme} {await self.token()}"}
        self.account_id = (await self._get(f"{self.freshbooks_url}/_sandbox/info"))["account_id"]

    async def token(self) -> str:
        """Return the access token of the sandbox's CRM."""
        return str((await self._get(f"{self.crm_url}/_sandbox/info"))["tokens"]["access"])

    async def answers(self) -> bool:
        """Return whether both systems serve."""
        try:
            await self._get(f"{self.crm_url}/_sandbox/info")
            await self._get(f"{self.freshbooks_url}/_sandbox/info")
        except httpx.HTTPError:
            return False
        return True

    async def hooks_off(self) -> None:
        """Stop both systems from delivering webhooks."""
        for url in (self.crm_url, self.freshbooks_url):
            answer = await self.http.post(f"{url}/_sandbox/settings", json={"hooks": {"enabled": False}})
            answer.raise_for_status()

    async def clients(self) -> list[dict[str, Any]]:
        """Return every client that FreshBooks has, deleted ones too."""
        return await self.records(self.freshbooks_url, "client")

    async def clients_with(self, **fields: object) -> list[dict[str, Any]]:
        """Return the clients with these values."""
        return [client for client in await self.clients() if all(client[name] == fields[name] for name in fields)]

    async def client(self, email: str, within: float = 30.0) -> dict[str, Any]:
        """Return the one client with this address, once it is there. Raises AssertionError for none or a second."""
        found: list[dict[str, Any]] = await until(
            "its client in FreshBooks", lambda: self.clients_with(email=email), within
        )
        expect(len(found), 1, "clients with this address")
        return found[0]

    async def add_client(self, **client: Any) -> int:
        """Create a client as a bookkeeper would in FreshBooks; return its id."""
        answer = await self.books("POST", self.account("users/clients"), {"client": client})
        return int(answer["response"]["result"]["client"]["id"])

    async def edit_client(self, client_id: int, **changes: Any) -> None:
        """Change a client as a bookkeeper would in FreshBooks."""
        await self.books("PUT", self.account(f"users/clients/{client_id}"), {"client": changes})

    async def accept_estimate(self, estimate_id: int) -> None:
        """Accept an estimate as its customer would."""
        body = {"estimate": {"action_accept": True}}
        await self.books("PUT", self.account(f"estimates/estimates/{estimate_id}"), body)

    def account(self, path: str) -> str:
        """Return the path of what belongs to the account in FreshBooks."""
        return f"accounting/account/{self.account_id}/{path}"

    async def books(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do something in FreshBooks, as a bookkeeper does, and return what it answers."""
        token = (await self._get(f"{self.freshbooks_url}/_sandbox/info"))["tokens"]["access"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = await self.http.request(method, f"{self.freshbooks_url}/{path}", json=body, headers=headers)
        return dict(answer.raise_for_status().json())

    async def lose_books_answer(self, path: str) -> None:
        """Let the next answer to a POST to such a path be lost, after FreshBooks has done what was asked."""
        await self.fault(method="POST", path=path, fault="commit_then_cut", times=1)

    async def writes(self, client_id: int | None = None) -> list[dict[str, Any]]:
        """Return the ledger's writes of clients, of one client if its id is given."""
        entries = (await self._get(f"{self.freshbooks_url}/_sandbox/ledger?kind=client"))["entries"]
        return [entry for entry in entries if client_id is None or str(entry["id"]) == str(client_id)]

    async def requests(self) -> int:
        """Return how many API requests both systems have served."""
        urls = (self.crm_url, self.freshbooks_url)
        return sum([int((await self._get(f"{url}/_sandbox/info"))["requests"]) for url in urls])

    async def fault(self, **rule: Any) -> None:
        """Make FreshBooks misbehave."""
        answer = await self.http.post(f"{self.freshbooks_url}/_sandbox/faults", json=rule)
        answer.raise_for_status()

    async def heal(self) -> None:
        """Make FreshBooks behave again."""
        (await self.http.delete(f"{self.freshbooks_url}/_sandbox/faults")).raise_for_status()

    async def deliver_again(self, times: int) -> None:
        """Make the CRM deliver its latest hook again."""
        answer = await self.http.post(f"{self.crm_url}/_sandbox/hooks/redeliver", json={"times": times})
        answer.raise_for_status()

    async def post(self, url: str, content: bytes, headers: dict[str, str] | None = None) -> int:
        """Send something to any address; return the status of the answer."""
        return (await self.http.post(url, content=content, headers=headers)).status_code

    async def are_hooks_ready(self, kind: str, count: int) -> bool:
        """Return whether the CRM has so many records of this kind, which its hooks are, and FreshBooks' handshakes are
        answered.
        """
        callbacks = await self.records(self.freshbooks_url, "callback")
        hooks = await self.records(self.crm_url, kind)
        verified = [callback for callback in callbacks if callback["verified"]]
        return len(hooks) == count and len(verified) == self.callbacks

    async def records(self, url: str, kind: str) -> list[dict[str, Any]]:
        """Return every record of a kind that the system there has."""
        return list((await self._get(f"{url}/_sandbox/records/{kind}"))["records"])

    async def _get(self, url: str) -> dict[str, Any]:
        return dict((await self.http.get(url)).raise_for_status().json())

    async def _send(self, method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what the CRM answers to its user."""
        answer = await self.http.request(method, url, json=body, headers=self._headers)
        return dict(answer.raise_for_status().json())


class Sides(BothSides):
    """The sandbox's Capsule and its FreshBooks, where payments are looked after, too."""

    callbacks = 4

    @property
    def capsule_url(self) -> str:
        """Where Capsule stands."""
        return self.crm_url

    async def create_party(self, **party: Any) -> int:
        """Create a party as a person would in Capsule; return its id."""
        answer = await self._send("POST", f"{self.crm_url}/api/v2/parties", {"party": party})
        return int(answer["party"]["id"])

    async def update_party(self, party_id: int, **changes: Any) -> dict[str, Any]:
        """Change a party as a person would; return it."""
        answer = await self._send("PUT", f"{self.crm_url}/api/v2/parties/{party_id}", {"party": changes})
        return dict(answer["party"])

    async def party(self, party_id: int) -> dict[str, Any]:
        """Return a party."""
        return dict((await self._send("GET", f"{self.crm_url}/api/v2/parties/{party_id}"))["party"])

    async def delete_party(self, party_id: int) -> None:
        """Delete a party as a person would in Capsule."""
        url = f"{self.crm_url}/api/v2/parties/{party_id}"
        (await self.http.delete(url, headers=self._headers)).raise_for_status()

    async def parties_with(self, **fields: str) -> list[dict[str, Any]]:
        """Return the parties with these values."""
        parties = await self.records(self.crm_url, "party")
        return [party for party in parties if all(party.get(name) == fields[name] for name in fields)]

    async def enter_opportunity(self, **opportunity: Any) -> int:
        """Enter an opportunity as a person would in Capsule; return its id."""
        answer = await self._send("POST", f"{self.crm_url}/api/v2/opportunities", {"opportunity": opportunity})
        return int(answer["opportunity"]["id"])

    async def change_opportunity(self, opportunity_id: int, **changes: Any) -> None:
        """Change an opportunity as a person would."""
        url = f"{self.crm_url}/api/v2/opportunities/{opportunity_id}"
        await self._send("PUT", url, {"opportunity": changes})

    async def opportunity(self, opportunity_id: int) -> dict[str, Any]:
        """Return an opportunity."""
        url = f"{self.crm_url}/api/v2/opportunities/{opportunity_id}"
        return dict((await self._send("GET", url))["opportunity"])

    async def shown(self, opportunity_id: int) -> dict[str, str]:
        """Return what the custom fields of an opportunity say."""
        url = f"{self.crm_url}/api/v2/opportunities/{opportunity_id}?embed=fields"
        rows = (await self._send("GET", url))["opportunity"]["fields"]
        return {str(row["definition"]["name"]): str(row["value"]) for row in rows}

    async def notes(self, opportunity_id: int) -> list[str]:
        """Return the notes of an opportunity."""
        url = f"{self.crm_url}/api/v2/opportunities/{opportunity_id}/entries"
        return [str(entry["content"]) for entry in (await self._send("GET", url))["entries"]]

    async def hook_target(self) -> str:
        """Return where Capsule delivers its hooks."""
        return str((await self.records(self.crm_url, "resthook"))[0]["targetUrl"])

    async def hooks_ready(self) -> bool:
        """Return whether all our hooks are registered and FreshBooks' handshake is answered."""
        return await self.are_hooks_ready("resthook", 8)


async def until(what: str, check: Callable[[], Any], within: float = 30.0) -> Any:
    """Return what `check` gives once it gives something; raise AssertionError if it never does in time."""
    deadline = time.monotonic() + within
    while True:
        found = await check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within:.0f} s")
        await asyncio.sleep(CLOSE_LOOK_SECONDS)


def expect(found: object, wanted: object, what: str) -> None:
    """Raise AssertionError, which says what is not as it must be, unless both are equal."""
    if found != wanted:
        raise AssertionError(f"{what}: {found!r} instead of {wanted!r}")
