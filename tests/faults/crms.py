"""What a fault test has to know of each CRM: where its stand-in is, how people enter parties, how its ledger reads."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import httpx

from starters.sandbox import CAPSULE_PER_HOUR

PLENTY = 10_000_000
LONG_AGO = "2026-01-02T10:00:00+00:00"
ZOHO_CALLS_PER_MINUTE = CAPSULE_PER_HOUR // 60  # the machine is to be the limit, not the account


class StandIn:
    """The control API of one stand-in."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self.url, self._http = url, http

    async def about(self) -> dict[str, Any]:
        """Return what there is to know of it, its tokens too."""
        return await self._ask("GET", "info")

    async def set(self, **knobs: Any) -> None:
        """Change its settings."""
        await self._ask("POST", "settings", knobs)

    async def enter(self, kind: str, drafts: Sequence[Mapping[str, Any]], *, hooks: bool = True) -> list[int]:
        """Enter records as people do, and return their ids. Without `hooks` nobody is told."""
        path = f"records/{kind}?hooks={str(hooks).lower()}"
        found = await self._ask("POST", path, list(drafts)) if drafts else {"ids": []}
        return [int(each) for each in found["ids"]]

    async def enter_one(self, kind: str, draft: Mapping[str, Any]) -> dict[str, Any]:
        """Enter one record as a person does, and return it."""
        return await self._ask("POST", f"records/{kind}", dict(draft))

    async def change(self, kind: str, changes: Mapping[str, Any]) -> None:
        """Change one record, named by its `id`, as a person does."""
        await self._ask("PUT", f"records/{kind}", dict(changes))

    async def do(self, kind: str, record_id: int, deed: str) -> None:
        """Do with a record what its system's API does not have."""
        await self._ask("POST", f"records/{kind}/{record_id}/{deed}", {})

    async def post(self, url: str, body: Any, authorization: str) -> None:
        """Send something to the system's own API, as a person's program does."""
        answer = await self._http.post(url, json=body, headers={"Authorization": authorization})
        answer.raise_for_status()

    async def overwrite(self, kind: str, record_id: int, **values: Any) -> None:
        """Change what is stored of a record, whatever the rules say; it is told as any other change."""
        await self._ask("POST", f"records/{kind}/{record_id}", values)

    async def all(self, kind: str) -> list[dict[str, Any]]:
        """Return every record of a kind."""
        return list((await self._ask("GET", f"records/{kind}"))["records"])

    async def one(self, kind: str, record_id: int) -> dict[str, Any]:
        """Return one record."""
        return await self._ask("GET", f"records/{kind}/{record_id}")

    async def rules(self) -> list[dict[str, Any]]:
        """Return the rules by which calls go wrong, and how often each has fired."""
        return list((await self._ask("GET", "faults"))["rules"])

    async def fault(self, **rule: Any) -> None:
        """Let calls go wrong from now on."""
        await self._ask("POST", "faults", rule)

    async def heal(self) -> None:
        """Let all calls go well again."""
        await self._ask("DELETE", "faults")

    async def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = await self._http.request(method, f"{self.url}/_sandbox/{path}", json=body)
        return dict(answer.raise_for_status().json())


class FaultedCrm(Protocol):
    """One CRM in a fault test."""

    system: str
    names: Mapping[str, str]
    """The field that tells a party from all others, by kind of record."""
    hooks: tuple[str, int]
    """As what its stand-in keeps webhooks of ours, and how many there are."""
    knobs: Mapping[str, Any]
    """What its stand-in is told before anything begins."""

    def options(self, port: int) -> list[str]:
        """Return what the sandbox is started with so that its stand-in listens."""

    def url(self, capsule_url: str, port: int) -> str:
        """Return where its stand-in is."""

    def account(self, url: str, about: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of our account."""

    async def enter(self, crm: StandIn, numbers: Sequence[int]) -> None:
        """Enter a party for each of these numbers."""


class Capsule:
    """People, each with an email address."""

    system = "capsule"
    names: Mapping[str, str] = {"party": "lastName"}
    hooks = ("resthook", 3)
    knobs: Mapping[str, Any] = {}

    def options(self, port: int) -> list[str]:
        """Nothing: it always listens."""
        return []

    def url(self, capsule_url: str, port: int) -> str:
        """Return where `ledgerline up` has it."""
        return capsule_url

    def account(self, url: str, about: Mapping[str, Any]) -> dict[str, Any]:
        """Return an account with a fixed token and a generous pace."""
        return {"token": about["tokens"]["access"], "base_url": url, "requests_per_hour": CAPSULE_PER_HOUR}

    async def enter(self, crm: StandIn, numbers: Sequence[int]) -> None:
        """Enter people."""
        await crm.enter("party", [self._person(number) for number in numbers])

    def _person(self, number: int) -> dict[str, Any]:
        addresses = [{"address": _address(number)}]
        return {"type": "person", "firstName": "Fault", "lastName": _name(number), "emailAddresses": addresses}


class ZohoCrm:
    """Of ten parties nine are contacts with an email address, one is an account without people and without any."""

    system = "zoho_crm"
    names: Mapping[str, str] = {"Contacts": "Last_Name", "Accounts": "Account_Name"}
    hooks = ("channel", 2)
    knobs: Mapping[str, Any] = {"credits": PLENTY}

    def options(self, port: int) -> list[str]:
        """Let it listen."""
        return ["--zoho-crm-port", str(port)]

    def url(self, capsule_url: str, port: int) -> str:
        """Return where it was told to listen."""
        return f"http://127.0.0.1:{port}"

    def account(self, url: str, about: Mapping[str, Any]) -> dict[str, Any]:
        """Return an account with a fixed token and a generous pace."""
        token = about["tokens"]["access"]
        return {"token": token, "base_url": url, "accounts_url": url, "requests_per_minute": ZOHO_CALLS_PER_MINUTE}

    async def enter(self, crm: StandIn, numbers: Sequence[int]) -> None:
        """Enter contacts, and tell of accounts that have long been there: a new one may yet get people, and waits."""
        firms = [number for number in numbers if number % 10 == 3]
        await crm.enter("Contacts", [self._contact(number) for number in numbers if number not in firms])
        accounts = await crm.enter("Accounts", [{"Account_Name": _name(number)} for number in firms], hooks=False)
        for account in accounts:
            await crm.overwrite("Accounts", account, Created_Time=LONG_AGO)

    def _contact(self, number: int) -> dict[str, Any]:
        return {"First_Name": "Fault", "Last_Name": _name(number), "Email": _address(number)}


CAPSULE = Capsule()
CRMS: Mapping[str, FaultedCrm] = {each.system: each for each in (CAPSULE, ZohoCrm())}


def _name(number: int) -> str:
    return f"Number {number:05}"


def _address(number: int) -> str:
    # every tenth shares an address with the one before: two people, two clients
    return f"fault{number - (number % 10 == 1)}@faults.example"
