"""The parties, reference data and REST hooks of one Capsule account."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from connectors.answers import Page
from connectors.capsule.models import (
    Country,
    Currency,
    DeletedParties,
    FieldDefinition,
    Party,
    RestHook,
    Site,
    User,
)
from connectors.capsule.problems import DIALECT
from connectors.capsule.reading import appends, deleted, many, nothing, one, page_of, paging, since_text
from connectors.http import TIME_LIMIT, Caller, Request, TokenSource
from connectors.service_state import ServiceState, service_state

EMBED = ("embed", "tags,fields,organisation")
MOST_IDS = 10
LARGEST_PAGE = 100


class CapsuleApi:
    """One Capsule account. One method is one request; never retries. Raises the errors of `connectors.errors`."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        token: TokenSource,
        base_url: str = "https://api.capsulecrm.com",
        time_limit: timedelta = TIME_LIMIT,
    ) -> None:
        self._caller = Caller(DIALECT, http, token, time_limit)
        self._url = base_url.rstrip("/") + "/api/v2"

    async def get_party(self, party_id: int) -> Party:
        """Return a party with its tags, custom fields and organisation. Raises NotFound.

        Source: https://developer.capsulecrm.com/v2/operations/Party
        """
        request = self._request(f"read party {party_id}", "GET", f"/parties/{party_id}", [EMBED])
        return await self._caller.call(request, one("party", Party))

    async def get_parties(self, ids: Sequence[int]) -> list[Party]:
        """Return one to ten parties, embedded as in `get_party`. Raises NotFound if any one of them is gone.

        Source: https://developer.capsulecrm.com/v2/operations/Party
        """
        wanted = list(dict.fromkeys(ids))
        if not 1 <= len(wanted) <= MOST_IDS:
            raise ValueError(f"Capsule reads 1 to {MOST_IDS} parties at once, not {len(wanted)}: split the list")
        listed = ",".join(map(str, wanted))
        request = self._request(f"read parties {listed}", "GET", f"/parties/{listed}", [EMBED])
        if len(wanted) == 1:
            return [await self._caller.call(request, one("party", Party))]
        return await self._caller.call(request, many("parties", Party))

    async def list_parties(self, *, since: datetime | None, page: int, per_page: int = LARGEST_PAGE) -> Page[Party]:
        """Return one page of all parties, or of those created or changed since an aware instant, in order of id.

        Whether the instant itself is included is not documented: let cursors overlap. Deletions do not appear here.
        Source: https://developer.capsulecrm.com/v2/overview/reading-from-the-api
        """
        query = [EMBED, *paging(page, per_page), *([("since", since_text(since))] if since else [])]
        request = self._request(f"list parties, page {page}", "GET", "/parties", query)
        return await self._caller.call(request, page_of("parties", Party, per_page))

    async def filter_parties(
        self, conditions: Sequence[Mapping[str, Any]], *, page: int, per_page: int = LARGEST_PAGE
    ) -> Page[Party]:
        """Return one page of the parties that meet all conditions: `{"field": …, "operator": …, "value": …}`.

        Raises ValueError without conditions (Capsule would return every party). Check the hits: how `is` treats case,
        and how soon a new record is found, is not documented. Source: https://developer.capsulecrm.com/v2/operations/Filter
        """
        if not conditions or not all(each.get("field") and each.get("operator") for each in conditions):
            raise ValueError("a filter without conditions would return every party: give a field and an operator")
        body = {"filter": {"conditions": [dict(each) for each in conditions]}}
        query = [EMBED, *paging(page, per_page)]
        doing = f"filter parties, page {page}"
        request = Request(doing, "POST", f"{self._url}/parties/filters/results", query, body)
        return await self._caller.call(request, page_of("parties", Party, per_page))

    async def people_of(self, organisation_id: int, page: int) -> Page[Party]:
        """Return one page of up to 100 people of an organisation, embedded as in `get_party`. Raises NotFound.

        Source: https://developer.capsulecrm.com/v2/operations/Party
        """
        doing, path = f"list people of party {organisation_id}", f"/parties/{organisation_id}/people"
        request = self._request(doing, "GET", path, [EMBED, *paging(page, LARGEST_PAGE)])
        return await self._caller.call(request, page_of("parties", Party, LARGEST_PAGE))

    async def create_party(self, document: Mapping[str, Any]) -> Party:
        """Create a party and return it. Raises UnknownOutcome if that may or may not have happened.

        Put our reference among its `fields`: record and reference then appear together. Capsule refuses no duplicate.
        Source: https://developer.capsulecrm.com/v2/overview/writing-to-the-api
        """
        body = {"party": dict(document)}
        request = Request("create a party", "POST", f"{self._url}/parties", [EMBED], body, repeatable=False)
        return await self._caller.call(request, one("party", Party))

    async def update_party(self, party_id: int, changes: Mapping[str, Any]) -> Party:
        """Change the keys given, leave the rest, and return the party as it is then.

        Rows of addresses and the like change by their `id`, go with `"_delete": true`, and are appended without an id:
        only then can this raise UnknownOutcome. Sending `owner` without `team` may clear the team.
        Source: https://developer.capsulecrm.com/v2/overview/writing-to-the-api
        """
        if not changes:
            raise ValueError(f"no changes were given for party {party_id}")
        request = Request(
            f"update party {party_id}",
            "PUT",
            f"{self._url}/parties/{party_id}",
            [EMBED],
            {"party": dict(changes)},
            repeatable=not appends(changes),
        )
        return await self._caller.call(request, one("party", Party))

    async def delete_party(self, party_id: int) -> None:
        """Delete a party with its notes, tasks, opportunities and projects, at once or as a job of Capsule's.

        Raises NotFound if it was deleted before. There is no undo. Source: https://developer.capsulecrm.com/v2/operations/Party
        """
        request = self._request(f"delete party {party_id}", "DELETE", f"/parties/{party_id}")
        await self._caller.call(request, nothing)

    async def deleted_parties(self, since: datetime, *, page: int = 1) -> DeletedParties:
        """Return one page of the parties deleted since an aware instant, and of those our user lost sight of.

        How far back Capsule remembers is not documented. Source: https://developer.capsulecrm.com/v2/operations/Party
        """
        query = [("since", since_text(since)), *paging(page, LARGEST_PAGE)]
        request = self._request(f"list deleted parties, page {page}", "GET", "/parties/deleted", query)
        return await self._caller.call(request, deleted)

    async def users(self) -> list[User]:
        """Return all users. Source: https://developer.capsulecrm.com/v2/operations/User"""
        request = self._request("list users", "GET", "/users")
        return await self._caller.call(request, many("users", User))

    async def current_user(self) -> User:
        """Return the user behind the token. Source: https://developer.capsulecrm.com/v2/operations/User"""
        request = self._request("read the current user", "GET", "/users/current")
        return await self._caller.call(request, one("user", User))

    async def party_field_definitions(self, *, page: int = 1) -> Page[FieldDefinition]:
        """Return one page of up to 100 custom fields of parties.

        Source: https://developer.capsulecrm.com/v2/operations/Custom_Field
        """
        path, query = "/parties/fields/definitions", paging(page, LARGEST_PAGE)
        request = self._request("list custom fields of parties", "GET", path, query)
        return await self._caller.call(request, page_of("definitions", FieldDefinition, LARGEST_PAGE))

    async def create_party_field_definition(self, name: str, description: str) -> FieldDefinition:
        """Create a custom text field for people and organisations, and return its definition.

        Nothing prevents two of one name: compare `party_field_definitions` first, and after an UnknownOutcome.
        Source: https://developer.capsulecrm.com/v2/operations/Custom_Field
        """
        body = {"definition": {"name": name, "type": "text", "description": description}}
        url = f"{self._url}/parties/fields/definitions"
        request = Request("create a custom field of parties", "POST", url, (), body, repeatable=False)
        return await self._caller.call(request, one("definition", FieldDefinition))

    async def countries(self) -> list[Country]:
        """Return the countries that addresses may name.

        Source: https://developer.capsulecrm.com/v2/operations/Internationalization
        """
        request = self._request("list countries", "GET", "/countries")
        return await self._caller.call(request, many("countries", Country))

    async def currencies(self) -> list[Currency]:
        """Return the currencies that values may have.

        Source: https://developer.capsulecrm.com/v2/operations/Internationalization
        """
        request = self._request("list currencies", "GET", "/currencies")
        return await self._caller.call(request, many("currencies", Currency))

    async def site(self) -> Site:
        """Return the account's name and address. Not documented: its shape is taken from recorded answers."""
        return await self._caller.call(self._request("read the site", "GET", "/site"), one("site", Site))

    async def service_state(self) -> ServiceState:
        """Return Capsule's clock and what is left of this hour's quota, by the headers of the cheapest answer.

        Source: https://developer.capsulecrm.com/v2/overview/handling-api-responses
        """
        return await self._caller.call(self._request("read the site", "GET", "/site"), service_state)

    async def rest_hooks(self) -> list[RestHook]:
        """Return our application's REST hooks. Source: https://developer.capsulecrm.com/v2/operations/REST_Hook"""
        request = self._request("list REST hooks", "GET", "/resthooks")
        return await self._caller.call(request, many("restHooks", RestHook))

    async def create_rest_hook(self, event: str, target_url: str, description: str) -> RestHook:
        """Subscribe to an event such as `party/updated`. Raises Forbidden for a personal access token.

        Needs an OAuth token of an administrator; an account has room for 20. Raises UnknownOutcome like every create:
        compare `target_url` in `rest_hooks` then. Source: https://developer.capsulecrm.com/v2/operations/REST_Hook
        """
        body = {"restHook": {"event": event, "targetUrl": target_url, "description": description}}
        request = Request("create a REST hook", "POST", f"{self._url}/resthooks", (), body, repeatable=False)
        return await self._caller.call(request, one("restHook", RestHook))

    async def delete_rest_hook(self, hook_id: int) -> None:
        """Unsubscribe. Raises NotFound. Source: https://developer.capsulecrm.com/v2/operations/REST_Hook"""
        request = self._request(f"delete REST hook {hook_id}", "DELETE", f"/resthooks/{hook_id}")
        await self._caller.call(request, nothing)

    def _request(self, doing: str, method: str, path: str, query: Sequence[tuple[str, str]] = ()) -> Request:
        return Request(doing, method, self._url + path, query)
