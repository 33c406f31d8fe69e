"""The receiver's app in this process, and what tests send to it."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlencode

import httpx
from temporalio.service import RPCError, RPCStatusCode

from activities.crm_hooks import CrmHookActivities
from activities.hooks import FreshBooksHookActivities
from activities.sweep_models import Callback, NewHook
from starters.announce import Announcer
from starters.forwarding import Forwarder
from starters.receiver import create_receiver
from store.audit import AuditEntry
from store.links import Agreement
from store.store import Store
from tests.sandboxes import HOOKS, Firm
from worker.hook_readers import hook_readers, hook_secrets
from workflows.models import ListedParty


class Heard(Announcer):
    """Notes what it is told instead of telling Temporal. While `down`, Temporal cannot be reached."""

    def __init__(self, store: Store) -> None:
        self._store, self._crms = store, {}
        self.parties: list[int] = []
        self.clients: list[str] = []
        self.handshakes: list[str] = []
        self.causes: list[str] = []
        self.down = False

    async def party_changed(
        self, connection: str, party_id: int, cause: str, priority: int, side: ListedParty | None = None
    ) -> None:
        del side
        self._check()
        self.parties.append(party_id)
        self.causes.append(cause)

    async def client_changed(self, connection: str, client_id: str, cause: str, priority: int) -> None:
        self._check()
        self.clients.append(client_id)
        self.causes.append(cause)

    async def handshake(self, connection: str, callback_id: str, verifier: str) -> None:
        self._check()
        await self._store.callbacks.offer(connection, callback_id, verifier)
        self.handshakes.append(callback_id)

    def _check(self) -> None:
        if self.down:
            raise RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b"")


@dataclass
class Doorway:
    """One firm's receiver, and the secrets that lead to it."""

    firm: Firm
    http: httpx.AsyncClient
    forwarder: Forwarder
    secrets: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.secrets = {
            system: hook_secrets(self.firm.store.keys, system, self.firm.name)[0]
            for system in ("capsule", "freshbooks")
        }

    @classmethod
    @asynccontextmanager
    async def open(cls, firm: Firm, forwarder: Forwarder) -> AsyncIterator[Self]:
        """Give the receiver; the sandbox delivers its hooks to it."""
        app = create_receiver(hook_readers(firm.settings, firm.store), forwarder)
        firm.hooks.connect("hooks", app)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOOKS) as http:
            yield cls(firm, http, forwarder)

    async def capsule(self, content: object, secret: str | None = None) -> httpx.Response:
        """Deliver what Capsule would; bytes as they are, anything else as JSON."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return await self.http.post(self.path("capsule", secret), content=body)

    async def freshbooks(self, fields: Mapping[str, str], verifier: str | None = None) -> httpx.Response:
        """Deliver what FreshBooks would, signed if there is a verifier."""
        headers = {"X-FreshBooks-Hmac-SHA256": signature(verifier, fields)} if verifier else {}
        return await self.http.post(
            self.path("freshbooks"),
            content=urlencode(fields).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded", **headers},
        )

    def path(self, system: str, secret: str | None = None) -> str:
        """Return the path of one account's webhooks."""
        return f"/hooks/{system}/{self.firm.name}/{secret or self.secrets[system]}"

    def event(self, object_id: int, **fields: str) -> dict[str, str]:
        """Return the fields of a FreshBooks event."""
        account_id = self.firm.connection.freshbooks.account_id
        return {"name": "client.update", "object_id": str(object_id), "account_id": account_id, **fields}

    async def register(self) -> str:
        """Register a hook on both sides, answer the handshake, and return the verifier that signs from now on."""
        name = self.firm.name
        await self.firm.run(CrmHookActivities.create_rest_hook, NewHook(connection=name, event="party/created"))
        await self.firm.run(FreshBooksHookActivities.create_callback, NewHook(connection=name, event="client"))
        await self.firm.sandbox.settle()
        (callback,) = self.firm.sandbox.freshbooks_service.records.all("callback")
        asked = Callback(connection=name, callback_id=callback["callbackid"])
        assert await self.firm.run(FreshBooksHookActivities.verify_callback, asked)
        return str(callback["verifier"])


def signature(verifier: str, fields: Mapping[str, str]) -> str:
    """Sign as FreshBooks documents it: the fields as JSON, in the order sent."""
    digest = hmac.new(verifier.encode(), json.dumps(dict(fields)).encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


async def link(firm: Firm, party_id: int, client_id: int) -> None:
    """Let a party and a client be linked, as after a create."""
    agreed = Agreement(str(client_id), {}, "seen", "seen", "version")
    await firm.store.links.confirm(firm.record_key(party_id), agreed, audit=AuditEntry("adopt", "a test", "version"))
