"""The story: what people do on both sides, what goes wrong meanwhile, and what must stand there afterwards."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from starters.demo.sides import BothSides, Sides, expect, until
from starters.demo.zoho_sides import ZohoSides
from starters.sandbox import CAPSULE
from starters.system import System

ARCHIVED = 2  # vis_state; source: https://www.freshbooks.com/api/active_deleted
QUIET_SECONDS = 1.0  # long enough for a wrong second write to show


@dataclass(frozen=True)
class Step:
    """One thing that happens. `tell` raises AssertionError if the other side is not as it must be."""

    title: str
    tell: Callable[["Story"], Awaitable[None]]


class Story:
    """What the steps share."""

    def __init__(self, system: System, sides: Sides, zoho: ZohoSides) -> None:
        self.system, self.sides, self.zoho = system, sides, zoho
        self.nora = self.acme = 0
        self.okafor = self.ada = 0
        self.opportunity = 0

    def kill(self, name: str) -> None:
        """End a process the hard way, as a power cut would."""
        pid = self.system.supervisor.pid(name)
        if pid is None:
            raise AssertionError(f"{name} does not run")
        os.kill(pid, signal.SIGKILL)


async def _person(story: Story) -> None:
    story.nora = await story.sides.create_party(
        type="person",
        firstName="Nora",
        lastName="Quist",
        emailAddresses=[
            {"type": "Home", "address": "nora@home.example"},
            {"type": "Work", "address": "nora@quist.example"},
        ],
        phoneNumbers=[{"type": "Mobile", "number": "+46 70 123 45 67"}, {"type": "Work", "number": "+46 8 123 456"}],
        addresses=[
            {"type": "Office", "street": "Storgatan 1\nPlan 2", "city": "Malmö", "zip": "211 34", "country": "Sweden"}
        ],
    )
    client = await story.sides.client("nora@quist.example")
    wanted = {
        "fname": "Nora",
        "lname": "Quist",
        "bus_phone": "+46 8 123 456",
        "mob_phone": "+46 70 123 45 67",
        "p_street": "Storgatan 1",
        "p_street2": "Plan 2",
        "p_city": "Malmö",
        "p_country": "Sweden",
    }
    expect({name: client[name] for name in wanted}, wanted, "values of the client")


async def _organisation(story: Story) -> None:
    story.acme = await story.sides.create_party(
        type="organisation", name="Acme Köhler GmbH", emailAddresses=[{"address": "billing@acme.example"}]
    )
    for first, email in (("Ada", "ada@acme.example"), ("Jürgen", "juergen@acme.example")):
        await story.sides.create_party(
            type="person",
            firstName=first,
            lastName="Köhler",
            organisation={"id": story.acme},
            emailAddresses=[{"address": email}],
        )
    for email in ("billing@acme.example", "ada@acme.example", "juergen@acme.example"):
        expect((await story.sides.client(email))["organization"], "Acme Köhler GmbH", "firm of the client")


async def _update(story: Story) -> None:
    client = await story.sides.client("nora@quist.example")
    row = next(each for each in (await story.sides.party(story.nora))["phoneNumbers"] if each["type"] == "Work")
    before = len(await story.sides.writes(client["id"]))
    await story.sides.update_party(story.nora, phoneNumbers=[{"id": row["id"], "number": "+46 8 999 999"}])
    await until("the new number", lambda: story.sides.clients_with(bus_phone="+46 8 999 999"))
    await asyncio.sleep(QUIET_SECONDS)
    expect(len(await story.sides.writes(client["id"])) - before, 1, "writes for one change")


async def _renamed(story: Story) -> None:
    await story.sides.update_party(story.acme, name="Köhler & Töchter GmbH")
    for email in ("billing@acme.example", "ada@acme.example", "juergen@acme.example"):
        follows = partial(story.sides.clients_with, email=email, organization="Köhler & Töchter GmbH")
        await until("the new name of the firm", follows)


async def _edited_in_the_books(story: Story) -> None:
    client = await story.sides.client("nora@quist.example")
    await story.sides.edit_client(client["id"], mob_phone="+46 70 765 43 21")

    async def arrived() -> bool:
        rows = (await story.sides.party(story.nora))["phoneNumbers"]
        return [row["number"] for row in rows if row["type"] == "Mobile"] == ["+46 70 765 43 21"]

    await until("the new number in Capsule", arrived)
    expect(len((await story.sides.party(story.nora))["phoneNumbers"]), 2, "phone numbers of the person")


async def _made_in_the_books(story: Story) -> None:
    await story.sides.add_client(fname="Bo", lname="Ekberg", email="bo@ekberg.example")
    found = await until("the person in Capsule", lambda: story.sides.parties_with(lastName="Ekberg"))
    expect([each["firstName"] for each in found], ["Bo"], "people of this name in Capsule")
    await asyncio.sleep(QUIET_SECONDS)
    await story.sides.client("bo@ekberg.example")


async def _deleted(story: Story) -> None:
    party_id = await story.sides.create_party(
        type="person", firstName="Max", lastName="Weg", emailAddresses=[{"address": "max@weg.example"}]
    )
    await story.sides.client("max@weg.example")
    await story.sides.delete_party(party_id)
    await until("its archived client", partial(has_visibility, story.sides, "max@weg.example", ARCHIVED))


async def _burst(story: Story) -> None:
    client = await story.sides.client("nora@quist.example")
    before = len(await story.sides.writes(client["id"]))
    for number in range(1, 11):
        await story.sides.update_party(story.nora, lastName=f"Quist {number}")
    await until("the last of ten names", lambda: story.sides.clients_with(email="nora@quist.example", lname="Quist 10"))
    await asyncio.sleep(QUIET_SECONDS)
    writes = len(await story.sides.writes(client["id"])) - before
    if not 1 <= writes <= 10:
        raise AssertionError(f"{writes} writes for ten changes")
    expect((await story.sides.client("nora@quist.example"))["lname"], "Quist 10", "name that stands")


async def _same_hook(story: Story) -> None:
    before = len(await story.sides.writes())
    await story.sides.deliver_again(5)
    await asyncio.sleep(2 * QUIET_SECONDS)
    expect(len(await story.sides.writes()) - before, 0, "writes for five repeated deliveries")


async def _forged_hook(story: Story) -> None:
    target = await story.sides.hook_target()
    forged = b'{"event":"party/updated","payload":[{"id":%d}]}' % story.nora
    freshbooks = target.replace("/capsule/", "/freshbooks/").rsplit("/", 1)[0]
    before = await story.sides.requests()
    expect(await story.sides.post(target[:-4] + "0000", forged), 404, "answer to a wrong secret")
    event = f"name=client.update&object_id=1&account_id={story.sides.account_id}".encode()
    expect(await story.sides.post(f"{freshbooks}/{'0' * 64}", event), 404, "answer to a guessed address")
    expect(await story.sides.post(target, b"\xff\xfe not json"), 400, "answer to nonsense")
    await asyncio.sleep(QUIET_SECONDS)
    expect(await story.sides.requests() - before, 0, "requests that a forged hook caused")


async def _adopt(story: Story) -> None:
    existing = await story.sides.add_client(fname="Ida", lname="Berg", email="ida@berg.example", note="met in Bergen")
    await story.sides.create_party(
        type="person", firstName="Ida", lastName="Berg-Olsen", emailAddresses=[{"address": "ida@berg.example"}]
    )
    await until("the new name", lambda: story.sides.clients_with(email="ida@berg.example", lname="Berg-Olsen"))
    client = await story.sides.client("ida@berg.example")
    expect((client["id"], client["note"]), (existing, "met in Bergen"), "client and note that were there before")


async def _worker_killed(story: Story) -> None:
    await story.sides.fault(method="POST", path="/users/clients$", fault="latency", seconds=1.5, times=1)
    await story.sides.create_party(
        type="person", firstName="Otto", lastName="Void", emailAddresses=[{"address": "otto@void.example"}]
    )
    await asyncio.sleep(0.9)  # the request is under way; FreshBooks will carry it out, and nobody will hear the answer
    story.kill("worker")
    client = await story.sides.client("otto@void.example")
    await until("the worker's own record of it", lambda: _in_step(story, client["id"]), within=60)
    await asyncio.sleep(QUIET_SECONDS)
    await story.sides.client("otto@void.example")


async def _server_killed(story: Story) -> None:
    story.kill("temporal")
    await story.sides.create_party(
        type="person", firstName="Mika", lastName="Outage", emailAddresses=[{"address": "mika@outage.example"}]
    )
    client = await story.sides.client("mika@outage.example", within=60)
    expect(client["fname"], "Mika", "first name")


async def _books_down(story: Story) -> None:
    await story.sides.fault(path="/accounting/", fault="status", status=503, headers={"Retry-After": "1"})
    await story.sides.create_party(
        type="person", firstName="Lena", lastName="Später", emailAddresses=[{"address": "lena@later.example"}]
    )
    await asyncio.sleep(3)
    expect(len(await story.sides.clients_with(email="lena@later.example")), 0, "clients while FreshBooks is down")
    await story.sides.heal()
    expect((await story.sides.client("lena@later.example", within=40))["lname"], "Später", "last name")


async def _all_once(story: Story) -> None:
    await every_client_once(story.sides)


async def every_client_once(sides: BothSides) -> None:
    """Check that no client was created twice, by addresses and by our references. Raises AssertionError."""
    created = [entry["record"]["email"] for entry in await sides.writes() if entry["operation"] == "create"]
    emails = [email for email in created if email]
    expect(len(emails), len(set(emails)), "creates in the ledger, each of a client with another address")
    notes = [client["note"] for client in await sides.clients() if client["note"]]
    expect(len(notes), len(set(notes)), "references in FreshBooks, each on one client")


async def has_visibility(sides: BothSides, email: str, vis_state: int) -> bool:
    """Return whether the one client with this address is active, deleted or archived, as `vis_state` says."""
    return bool((await sides.client(email))["vis_state"] == vis_state)


async def _in_step(story: Story, client_id: int) -> bool:
    """Return whether the store links the client: after a lost answer that takes a second look."""
    return await story.system.is_linked(CAPSULE, str(client_id))


STORY: Sequence[Step] = (
    Step("a person is created in Capsule: her client has the right values", _person),
    Step("an organisation with two people: three clients that name the firm", _organisation),
    Step("a phone number changes: one write, of that one client", _update),
    Step("the organisation is renamed: its people's clients follow", _renamed),
    Step("a bookkeeper changes a number in FreshBooks: it reaches Capsule, in its own row", _edited_in_the_books),
    Step("a client is entered in FreshBooks: one person in Capsule, linked to it", _made_in_the_books),
    Step("ten changes to one person in a burst: the last one stands", _burst),
    Step("Capsule delivers the same hook five more times: nothing is written", _same_hook),
    Step("forged hooks: refused, and not a single request follows", _forged_hook),
    Step("a client that a bookkeeper had made: adopted, its note kept", _adopt),
    Step("a party is deleted in Capsule: its client is archived, not deleted", _deleted),
    Step("the worker is killed in the middle of a create: one client, not two", _worker_killed),
    Step("the Temporal server is killed: a change made meanwhile arrives", _server_killed),
    Step("FreshBooks answers 503 for a while: the change arrives afterwards", _books_down),
    Step("after all that: every client was created once", _all_once),
)
