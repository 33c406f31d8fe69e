"""The people at both ends during an outage: they enter and edit records by the systems' own pages, which still work."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.faults.outage_judge import Wanted
from tests.faults.rig import Rig

FIRST_MOBILE = 447700900000
OVER = " (over)"


class People:
    """Whatever they do is counted up: "Kiel 3" is younger than "Kiel 2"."""

    def __init__(self, rig: Rig) -> None:
        self.crm, self.books = rig.crm, rig.books
        self.wanted: dict[str, Wanted] = {}
        self._parties: dict[str, int] = {}
        self._edits = 0

    async def enter(self, count: int) -> None:
        """Enter new people in the CRM."""
        numbers = range(len(self.wanted), len(self.wanted) + count)
        emails = [f"person{number}@outage.example" for number in numbers]
        drafts = [
            {
                "type": "person",
                "firstName": "Ada",
                "lastName": f"Number {number:05}",
                "emailAddresses": [{"type": "Work", "address": email}],
                "addresses": [{"type": "Office", "city": "Kiel 0", "country": "Germany"}],
                "phoneNumbers": [{"type": "Mobile", "number": f"+{FIRST_MOBILE}"}],
            }
            for number, email in zip(numbers, emails, strict=True)
        ]
        self._parties |= dict(zip(emails, await self.crm.enter("party", drafts), strict=True))
        self.wanted |= {email: Wanted("Kiel 0", f"+{FIRST_MOBILE}") for email in emails}

    async def edit_crm(self, emails: Sequence[str]) -> None:
        """Let these people have moved."""
        self._edits += 1
        for email in emails:
            city = f"Kiel {self._edits}"
            party = await self.crm.one("party", self._parties[email])
            row = {"id": party["addresses"][0]["id"], "city": city}
            await self.crm.change("party", {"id": self._parties[email], "addresses": [row]})
            self.wanted[email].city = city

    async def edit_books(self, emails: Sequence[str]) -> None:
        """Let bookkeepers have got other mobile numbers of these people; without a client there is nothing to edit."""
        self._edits += 1
        clients = {client["email"]: client["id"] for client in await self.books.all("client")}
        for email in emails:
            if email in clients:
                mobile = f"+{FIRST_MOBILE + self._edits}"
                await self.books.change("client", {"id": clients[email], "mob_phone": mobile})
                self.wanted[email].mobile = mobile

    def halves(self) -> tuple[list[str], list[str]]:
        """Return everybody, in two halves."""
        emails = list(self.wanted)
        return emails[::2], emails[1::2]


@dataclass
class Mailbox:
    """Takes the firm's alerts, and the heartbeats of the watch. An ASGI app."""

    letters: list[str] = field(default_factory=list)
    """The titles of what was sent, in order."""
    beats: int = 0

    @property
    def alarms(self) -> list[str]:
        """What was sent but for what says that something is over."""
        return [title for title in self.letters if not title.endswith(OVER)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one letter, or one heartbeat."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        if request.method == "GET":
            self.beats += 1
        else:
            letter = json.loads(await request.body())
            over = "This is over" in letter["message"]
            self.letters.append(letter["title"] + (OVER if over else ""))
        await Response()(scope, receive, send)
