"""The clients and callbacks of one FreshBooks account."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import httpx

from connectors.answers import Page
from connectors.freshbooks.models import Callback, Client, Identity
from connectors.freshbooks.problems import DIALECT
from connectors.freshbooks.reading import LARGEST_PAGE, identity, mentions, nothing, one, page_of, paging
from connectors.freshbooks.resource import Account, Resource, searching
from connectors.http import TIME_LIMIT, Caller, Request, TokenSource
from connectors.service_state import ServiceState, service_state


class FreshBooksApi:
    """One FreshBooks account. Never retries. Raises the errors of `connectors.errors`.

    A method is one request, except the two searches, which read further pages if there are any.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        token: TokenSource,
        account_id: str,
        base_url: str = "https://api.freshbooks.com",
        time_limit: timedelta = TIME_LIMIT,
    ) -> None:
        self.account = Account(Caller(DIALECT, http, token, time_limit), base_url.rstrip("/"), account_id)
        self._clients = Resource(self.account, "users/clients", "client", "clients", Client, sort="client_id_asc")
        self._callbacks = self.account.url("events/callbacks", "events")

    async def identity(self) -> Identity:
        """Return the person behind the token and the businesses they belong to.

        Source: https://www.freshbooks.com/api/get-authenticated-on-the-freshbooks-api
        """
        request = Request("read the identity", "GET", f"{self.account.root}/auth/api/v1/users/me")
        return await self.account.caller.call(request, identity)

    async def get_client(self, client_id: int) -> Client:
        """Return a client, deleted ones (`vis_state` 1) too. Raises NotFound, also for a wrong account id.

        Source: https://www.freshbooks.com/api/clients
        """
        return await self._clients.get(client_id)

    async def list_clients(
        self,
        *,
        page: int,
        per_page: int = LARGEST_PAGE,
        updated_min: date | None = None,
        vis_state: int | None = None,
    ) -> Page[Client]:
        """Return one page of clients: active and archived ones, or those of one `vis_state`.

        `updated_min` is a day of the US Eastern calendar (see `eastern_day`). Sorted by id, which no edit changes; that
        FreshBooks obeys the sort key is documented, not proven: remove duplicates by id.
        Source: https://www.freshbooks.com/api/clients
        """
        query = searching({"updated_min": updated_min, "vis_state": vis_state})
        return await self._clients.page(f"list clients, page {page}", [*query, *paging(page, per_page)])

    async def find_clients_by_email(self, email: str) -> list[Client]:
        """Return the active and archived clients with this email address, of which there may be several.

        Raises Refused if FreshBooks seems to ignore the filter. Source: https://www.freshbooks.com/api/clients
        """
        wanted = email.strip().casefold()
        return await self._clients.search(
            "email", email, lambda client: (client.email or "").strip().casefold() == wanted
        )

    async def find_clients_by_note(self, text: str) -> list[Client]:
        """Return the active and archived clients whose note holds our reference as a word of its own.

        Raises Refused if FreshBooks seems to ignore the filter. Source: https://www.freshbooks.com/api/clients
        """
        wanted = text.strip()
        return await self._clients.search("note_like", text, lambda client: mentions(client.note, wanted))

    async def find_clients_like(self, name: str, *, firms: bool) -> list[Client]:
        """Return active and archived clients, at most 100, whose organization (or last name) holds a name's first word.

        A help for a person who has to decide, not proof of absence: compare the hits.
        Source: https://www.freshbooks.com/api/clients
        """
        word = next(iter(name.split()), "")
        if not word:
            raise ValueError("a search by name needs a name: without one FreshBooks returns every client")
        key = "organization_like" if firms else "lname_like"
        query = [(f"search[{key}]", word), *paging(1, LARGEST_PAGE)]
        found = await self._clients.page(f"search clients by {key}", query)
        said = [(client, (client.organization if firms else client.lname) or "") for client in found.items]
        return [client for client, text in said if word.casefold() in text.casefold()]

    async def create_client(self, values: Mapping[str, Any]) -> Client:
        """Create a client and return it. Raises UnknownOutcome if that may or may not have happened.

        Put our reference into `note`: FreshBooks refuses no duplicate. Source: https://www.freshbooks.com/api/clients
        """
        return await self._clients.create(values)

    async def update_client(self, client_id: int, values: Mapping[str, Any]) -> Client:
        """Change the fields given, leave the rest, and return the client as it is then. `contacts` replaces them all.

        Raises ValueError for `vis_state` and actions: with one of them FreshBooks drops every other field.
        Source: https://www.freshbooks.com/api/active_deleted
        """
        return await self._clients.update(client_id, values)

    async def set_client_visibility(self, client_id: int, vis_state: int) -> Client:
        """Make a client active (0), deleted (1) or archived (2), and return it.

        Source: https://www.freshbooks.com/api/active_deleted
        """
        return await self._clients.set_visibility(client_id, vis_state)

    async def service_state(self) -> ServiceState:
        """Return FreshBooks' clock and what is left of this minute's quota, by the headers of a list of one client.

        Raises Forbidden if the token may not read clients. No quota is documented; most answers name one.
        """
        request = Request("list one client", "GET", self.account.url("users/clients"), paging(1, 1))
        return await self.account.caller.call(request, service_state)

    async def callbacks(self, *, page: int = 1) -> Page[Callback]:
        """Return one page of up to 100 webhook subscriptions. Source: https://www.freshbooks.com/api/webhooks"""
        request = Request("list callbacks", "GET", self._callbacks, paging(page, LARGEST_PAGE))
        return await self.account.caller.call(request, page_of("callbacks", Callback))

    async def create_callback(self, event: str, uri: str) -> Callback:
        """Subscribe to a noun (`client`) or one of its verbs (`client.create`). FreshBooks then posts a verifier.

        Nothing prevents duplicates: compare `uri` in `callbacks` first, and after an UnknownOutcome.
        Source: https://www.freshbooks.com/api/webhooks
        """
        body = {"callback": {"event": event, "uri": uri}}
        request = Request("create a callback", "POST", self._callbacks, json=body, repeatable=False)
        return await self.account.caller.call(request, one("callback", Callback))

    async def verify_callback(self, callback_id: int, verifier: str) -> Callback:
        """Send back the verifier that FreshBooks posted. Keep it: it signs every later delivery.

        Source: https://www.freshbooks.com/api/webhooks
        """
        return await self._put_callback(f"verify callback {callback_id}", callback_id, {"verifier": verifier})

    async def resend_verification(self, callback_id: int) -> Callback:
        """Have the verifier posted again. Source: https://www.freshbooks.com/api/webhooks"""
        return await self._put_callback(f"resend verifier of callback {callback_id}", callback_id, {"resend": True})

    async def delete_callback(self, callback_id: int) -> None:
        """Unsubscribe. Raises NotFound. Source: https://www.freshbooks.com/api/webhooks"""
        request = Request(f"delete callback {callback_id}", "DELETE", f"{self._callbacks}/{callback_id}")
        await self.account.caller.call(request, nothing)

    async def _put_callback(self, doing: str, callback_id: int, values: Mapping[str, Any]) -> Callback:
        request = Request(doing, "PUT", f"{self._callbacks}/{callback_id}", json={"callback": dict(values)})
        return await self.account.caller.call(request, one("callback", Callback))
