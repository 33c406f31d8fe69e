"""The parties, reference data and REST hooks of one Capsule account."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from connectors.answers import Page
from connectors.capsule.calls import Calls
from connectors.capsule.models import (
    Country,
    Currency,
    DeletionPage,
    FieldDefinition,
    Party,
    RestHook,
    Site,
    User,
)
from connectors.capsule.reading import (
    LARGEST_PAGE,
    appends,
    deleted,
    ids_text,
    many,
    nothing,
    one,
    page_of,
    paging,
    since_text,
    some,
)
from connectors.http import TIME_LIMIT, TokenSource
from connectors.service_state import ServiceState, service_state

EMBED = ("embed", "tags,fields,organisation")


class CapsuleApi:
    """One Capsule account. One method is one request; never retries. Raises the errors of `connectors.errors`.

    `calls` is for `CapsuleOpportunities`, so that a wait that Capsule asked one of them for holds both back.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        token: TokenSource,
        base_url: str = "https://api.capsulecrm.com",
        time_limit: timedelta = TIME_LIMIT,
    ) -> None:
        self.calls = Calls(http, token, base_url, time_limit)

    async def get_party(self, party_id: int) -> Party:
        """Return a party with its tags, custom fields and organisation. Raises NotFound.

        Source: https://developer.capsulecrm.com/v2/operations/Party
        """
        return await self.calls.get(f"read party {party_id}", f"/parties/{party_id}", one("party", Party), [EMBED])

    async def get_parties(self, ids: Sequence[int]) -> list[Party]:
        """Return one to ten parties, embedded as in `get_party`. Raises NotFound if any one of them is gone.

        Source: https://developer.capsulecrm.com/v2/operations/Party
        """
        listed = ids_text(ids, "parties")
        read = some("party", "parties", Party)
        return await self.calls.get(f"read parties {listed}", f"/parties/{listed}", read, [EMBED])

    async def list_parties(self, *, since: datetime | None, page: int, per_page: int = LARGEST_PAGE) -> Page[Party]:
        """Return one page of all parties, or of those created or changed since an aware instant, in order of id.

        Whether the instant itself is included is not documented: let cursors overlap. Deletions do not appear here.
        Source: https://developer.capsulecrm.com/v2/overview/reading-from-the-api
        """
        query = [EMBED, *paging(page, per_page), *([("since", since_text(since))] if since else [])]
        read = page_of("parties", Party, per_page)
        return await self.calls.get(f"list parties, page {page}", "/parties", read, query)

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
        doing, read = f"filter parties, page {page}", page_of("parties", Party, per_page)
        query = [EMBED, *paging(page, per_page)]
        return await self.calls.send(doing, "POST", "/parties/filters/results", read, query, body=body)

    async def people_of(self, organisation_id: int, page: int) -> Page[Party]:
        """Return one page of up to 100 people of an organisation, embedded as in `get_party`. Raises NotFound.

        Source: https://developer.capsulecrm.com/v2/operations/Party
        """
        doing, path = f"list people of party {organisation_id}", f"/parties/{organisation_id}/people"
        query = [EMBED, *paging(page, LARGEST_PAGE)]
        return await self.calls.get(doing, path, page_of("parties", Party, LARGEST_PAGE), query)

    async def create_party(self, document: Mapping[str, Any]) -> Party:
        """Create a party and return it. Raises UnknownOutcome if that may or may not have happened.

        Put our reference among its `fields`: record and reference then appear together. Capsule refuses no duplicate.
        Source: https://developer.capsulecrm.com/v2/overview/writing-to-the-api
        """
        body = {"party": dict(document)}
        return await self.calls.create("create a party", "/parties", one("party", Party), body, [EMBED])

    async def update_party(self, party_id: int, changes: Mapping[str, Any]) -> Party:
        """Change the keys given, leave the rest, and return the party as it is then.

        Rows of addresses and the like change by their `id`, go with `"_delete": true`, and are appended without an id:
        only then can this raise UnknownOutcome. Sending `owner` without `team` may clear the team.
        Source: https://developer.capsulecrm.com/v2/overview/writing-to-the-api
        """
        if not changes:
            raise ValueError(f"no changes were given for party {party_id}")
        doing, path, body = f"update party {party_id}", f"/parties/{party_id}", {"party": dict(changes)}
        read, repeatable = one("party", Party), not appends(changes)
        return await self.calls.send(doing, "PUT", path, read, [EMBED], body=body, repeatable=repeatable)

    async def delete_party(self, party_id: int) -> None:
        """Delete a party with its notes, tasks, opportunities and projects, at once or as a job of Capsule's.

        Raises NotFound if it was deleted before. There is no undo. Source: https://developer.capsulecrm.com/v2/operations/Party
        """
        await self.calls.send(f"delete party {party_id}", "DELETE", f"/parties/{party_id}", nothing)

    async def deleted_parties(self, since: datetime, *, page: int = 1) -> DeletionPage:
        """Return one page of the parties deleted since an aware instant, and of those our user lost sight of.

        How far back Capsule remembers is not documented. Source: https://developer.capsulecrm.com/v2/operations/Party
        """
        query = [("since", since_text(since)), *paging(page, LARGEST_PAGE)]
        doing = f"list deleted parties, page {page}"
        return await self.calls.get(doing, "/parties/deleted", deleted("parties"), query)

    async def users(self) -> list[User]:
        """Return all users. Source: https://developer.capsulecrm.com/v2/operations/User"""
        return await self.calls.get("list users", "/users", many("users", User))

    async def current_user(self) -> User:
        """Return the user behind the token. Source: https://developer.capsulecrm.com/v2/operations/User"""
        return await self.calls.get("read the current user", "/users/current", one("user", User))

    async def party_field_definitions(self, *, page: int = 1) -> Page[FieldDefinition]:
        """Return one page of up to 100 custom fields of parties.

        Source: https://developer.capsulecrm.com/v2/operations/Custom_Field
        """
        path, query = "/parties/fields/definitions", paging(page, LARGEST_PAGE)
        read = page_of("definitions", FieldDefinition, LARGEST_PAGE)
        return await self.calls.get("list custom fields of parties", path, read, query)

    async def create_party_field_definition(self, name: str, description: str) -> FieldDefinition:
        """Create a custom text field for people and organisations, and return its definition.

        Nothing prevents two of one name: compare `party_field_definitions` first, and after an UnknownOutcome.
        Source: https://developer.capsulecrm.com/v2/operations/Custom_Field
        """
        body = {"definition": {"name": name, "type": "text", "description": description}}
        doing, path = "create a custom field of parties", "/parties/fields/definitions"
        return await self.calls.create(doing, path, one("definition", FieldDefinition), body)

    async def countries(self) -> list[Country]:
        """Return the countries that addresses may name.

        Source: https://developer.capsulecrm.com/v2/operations/Internationalization
        """
        return await self.calls.get("list countries", "/countries", many("countries", Country))

    async def currencies(self) -> list[Currency]:
        """Return the currencies that values may have.

        Source: https://developer.capsulecrm.com/v2/operations/Internationalization
        """
        return await self.calls.get("list currencies", "/currencies", many("currencies", Currency))

    async def site(self) -> Site:
        """Return the account's name and address. Not documented: its shape is taken from recorded answers."""
        return await self.calls.get("read the site", "/site", one("site", Site))

    async def service_state(self) -> ServiceState:
        """Return Capsule's clock and what is left of this hour's quota, by the headers of the cheapest answer.

        Source: https://developer.capsulecrm.com/v2/overview/handling-api-responses
        """
        return await self.calls.get("read the site", "/site", service_state)

    async def rest_hooks(self) -> list[RestHook]:
        """Return our application's REST hooks. Source: https://developer.capsulecrm.com/v2/operations/REST_Hook"""
        return await self.calls.get("list REST hooks", "/resthooks", many("restHooks", RestHook))

    async def create_rest_hook(self, event: str, target_url: str, description: str) -> RestHook:
        """Subscribe to an event such as `party/updated`. Raises Forbidden for a personal access token.

        Needs an OAuth token of an administrator; an account has room for 20. Raises UnknownOutcome like every create:
        compare `target_url` in `rest_hooks` then. Source: https://developer.capsulecrm.com/v2/operations/REST_Hook
        """
        body = {"restHook": {"event": event, "targetUrl": target_url, "description": description}}
        return await self.calls.create("create a REST hook", "/resthooks", one("restHook", RestHook), body)

    async def delete_rest_hook(self, hook_id: int) -> None:
        """Unsubscribe. Raises NotFound. Source: https://developer.capsulecrm.com/v2/operations/REST_Hook"""
        await self.calls.send(f"delete REST hook {hook_id}", "DELETE", f"/resthooks/{hook_id}", nothing)
