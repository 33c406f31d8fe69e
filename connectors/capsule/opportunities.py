"""The opportunities of one Capsule account, their pipelines, notes and custom fields, and who owns them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.answers import Answer, Page
from connectors.capsule.api import EMBED as EMBED_OF_PARTIES
from connectors.capsule.calls import Calls
from connectors.capsule.models import DeletionPage, FieldDefinition, Party, User
from connectors.capsule.opportunity_models import (
    Entry,
    LostReason,
    Milestone,
    Opportunity,
    Pipeline,
    UserAddresses,
)
from connectors.capsule.opportunity_rules import addresses_of, on_the_wire
from connectors.capsule.reading import (
    LARGEST_PAGE,
    deleted,
    ids_text,
    many,
    one,
    page_of,
    paging,
    since_text,
    some,
)

EMBED = ("embed", "tags,fields,party,milestone")
ENTRIES_PAGE = 50
"""Sources disagree whether a page of entries has room for 50 or for 100."""


class CapsuleOpportunities:
    """Opportunities of one account. One method is one request; never retries. Raises the errors of `connectors.errors`.

    `calls` are those of the account's `CapsuleApi`.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def opportunity(self, opportunity_id: int) -> Opportunity:
        """Return an opportunity with its tags, custom fields, party and milestone. Raises NotFound.

        Source: https://developer.capsulecrm.com/v2/operations/Opportunity
        """
        doing, path = f"read opportunity {opportunity_id}", f"/opportunities/{opportunity_id}"
        return await self._calls.get(doing, path, one("opportunity", Opportunity), [EMBED])

    async def opportunities(self, ids: Sequence[int]) -> list[Opportunity]:
        """Return one to ten opportunities, embedded as in `opportunity`. Raises NotFound if any one of them is gone.

        Source: https://developer.capsulecrm.com/v2/operations/Opportunity
        """
        listed = ids_text(ids, "opportunities")
        doing, read = f"read opportunities {listed}", some("opportunity", "opportunities", Opportunity)
        return await self._calls.get(doing, f"/opportunities/{listed}", read, [EMBED])

    async def changed_opportunities(
        self, since: datetime | None, page: int, per_page: int = LARGEST_PAGE
    ) -> Page[Opportunity]:
        """Return one page of those created or changed since an aware instant, of all without one, in order of id.

        Whether the instant itself is included is not documented: let cursors overlap. Deletions do not appear here.
        Source: https://developer.capsulecrm.com/v2/overview/reading-from-the-api
        """
        query = [EMBED, *paging(page, per_page), *([("since", since_text(since))] if since else [])]
        doing, read = f"list opportunities, page {page}", page_of("opportunities", Opportunity, per_page)
        return await self._calls.get(doing, "/opportunities", read, query)

    async def deleted_opportunities(self, since: datetime, *, page: int = 1) -> DeletionPage:
        """Return one page of those deleted since an aware instant, and of those our user lost sight of.

        How far back Capsule remembers is not documented. Source: https://developer.capsulecrm.com/v2/operations/Opportunity
        """
        query = [("since", since_text(since)), *paging(page, LARGEST_PAGE)]
        doing = f"list deleted opportunities, page {page}"
        return await self._calls.get(doing, "/opportunities/deleted", deleted("opportunities"), query)

    async def update_opportunity(self, opportunity_id: int, changes: Mapping[str, Any]) -> Opportunity:
        """Change the keys given, leave the rest, and return the opportunity as it is then. Amounts are Decimal.

        An amount needs its currency beside it. A milestone may change day, probability and pipeline with it; to send a
        `probability` while closing is refused. `owner` without `team` clears the team. Custom fields go by
        `{"definition": {"id": …}, "value": …}`, which is safe to repeat; so is all else here.
        Source: https://developer.capsulecrm.com/v2/overview/writing-to-the-api
        """
        if not changes:
            raise ValueError(f"no changes were given for opportunity {opportunity_id}")
        doing, path = f"update opportunity {opportunity_id}", f"/opportunities/{opportunity_id}"
        body = {"opportunity": on_the_wire(changes)}
        return await self._calls.send(doing, "PUT", path, one("opportunity", Opportunity), [EMBED], body=body)

    async def milestones(self, *, page: int = 1) -> Page[Milestone]:
        """Return one page of up to 100 milestones of all pipelines. `/milestones` has only those of the oldest one.

        Not documented: the vendor's own client asks so. `milestones_of` each pipeline is the documented way.
        """
        query, read = paging(page, LARGEST_PAGE), page_of("milestones", Milestone, LARGEST_PAGE)
        return await self._calls.get("list milestones", "/milestones/all", read, query)

    async def milestones_of(self, pipeline_id: int, *, page: int = 1) -> Page[Milestone]:
        """Return one page of up to 100 milestones of one pipeline. Raises NotFound.

        Source: https://developer.capsulecrm.com/v2/operations/Pipeline
        """
        query, read = paging(page, LARGEST_PAGE), page_of("milestones", Milestone, LARGEST_PAGE)
        doing, path = f"list milestones of pipeline {pipeline_id}", f"/pipelines/{pipeline_id}/milestones"
        return await self._calls.get(doing, path, read, query)

    async def pipelines(self, *, page: int = 1) -> Page[Pipeline]:
        """Return one page of up to 100 pipelines. Source: https://developer.capsulecrm.com/v2/operations/Pipeline"""
        query, read = paging(page, LARGEST_PAGE), page_of("pipelines", Pipeline, LARGEST_PAGE)
        return await self._calls.get("list pipelines", "/pipelines", read, query)

    async def lost_reasons(self, *, page: int = 1) -> Page[LostReason]:
        """Return one page of up to 100 lost reasons. Source: https://developer.capsulecrm.com/v2/operations/Lost_Reason"""
        query, read = paging(page, LARGEST_PAGE), page_of("lostReasons", LostReason, LARGEST_PAGE)
        return await self._calls.get("list lost reasons", "/lostreasons", read, query)

    async def opportunity_fields(self, *, page: int = 1) -> Page[FieldDefinition]:
        """Return one page of up to 100 custom fields of opportunities; parties have others of the same ids.

        Source: https://developer.capsulecrm.com/v2/operations/Custom_Field
        """
        path, query = "/opportunities/fields/definitions", paging(page, LARGEST_PAGE)
        read = page_of("definitions", FieldDefinition, LARGEST_PAGE)
        return await self._calls.get("list custom fields of opportunities", path, read, query)

    async def create_opportunity_field(self, name: str, description: str, field_type: str = "text") -> FieldDefinition:
        """Create a custom field of type `text`, `number`, `date`, `boolean` or `link`, and return its definition.

        Nothing prevents two of one name: compare `opportunity_fields` first, and after an UnknownOutcome.
        Source: https://developer.capsulecrm.com/v2/operations/Custom_Field
        """
        body = {"definition": {"name": name, "type": field_type, "description": description}}
        doing, path = "create a custom field of opportunities", "/opportunities/fields/definitions"
        return await self._calls.create(doing, path, one("definition", FieldDefinition), body)

    async def add_note(self, opportunity_id: int, text: str) -> Entry:
        """Write a note (Markdown) on an opportunity; its author is our user. Raises UnknownOutcome if that is not sure.

        A repeated request writes it twice: put our marker into the text and look for it among `notes` first. A note may
        move `updatedAt` of the opportunity. Source: https://developer.capsulecrm.com/v2/operations/Entry
        """
        body = {"entry": {"type": "note", "content": text, "opportunity": {"id": opportunity_id}}}
        return await self._calls.create(f"note on opportunity {opportunity_id}", "/entries", one("entry", Entry), body)

    async def notes(self, opportunity_id: int, *, page: int = 1) -> Page[Entry]:
        """Return the notes on one page of up to 50 entries of an opportunity, newest first. Raises NotFound.

        Source: https://developer.capsulecrm.com/v2/operations/Entry
        """
        doing, path = f"list notes of opportunity {opportunity_id}", f"/opportunities/{opportunity_id}/entries"
        return await self._calls.get(doing, path, _notes, paging(page, ENTRIES_PAGE))

    async def parties_of(self, opportunity_id: int, *, page: int = 1) -> Page[Party]:
        """Return one page of up to 100 additional parties of an opportunity; the main one is in `party`.

        Source: https://developer.capsulecrm.com/v2/operations/Opportunity
        """
        doing, path = f"list parties of opportunity {opportunity_id}", f"/opportunities/{opportunity_id}/parties"
        query = [EMBED_OF_PARTIES, *paging(page, LARGEST_PAGE)]
        return await self._calls.get(doing, path, page_of("parties", Party, LARGEST_PAGE), query)

    async def users_with_email(self) -> list[UserAddresses]:
        """Return all users with the email addresses of their own parties, as far as Capsule tells them at once.

        Source: https://developer.capsulecrm.com/v2/operations/User
        """
        users = await self._calls.get("list users", "/users", many("users", User), [("embed", "party")])
        return [addresses_of(user) for user in users]


def _notes(answer: Answer) -> Page[Entry]:
    """Read a page of entries and leave out emails and tasks."""
    page = page_of("entries", Entry, ENTRIES_PAGE)(answer)
    return Page([entry for entry in page.items if entry.type == "note"], page.has_more)
