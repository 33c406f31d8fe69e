"""Capsule's answers to what a sync of parties asks. Source: https://developer.capsulecrm.com/v2/operations/Party"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from activities.crm import CrmParty, FieldIds, Gone, GonePage, one_named
from activities.queues import CAPSULE
from connectors.answers import Page
from connectors.capsule.api import CapsuleApi
from connectors.capsule.models import Party
from connectors.capsule.reading import appends
from connectors.errors import Refused

MOST_PAGES = 50


class CapsuleCrm:
    """The parties of one Capsule account. `reference_field` is the custom field that carries our reference."""

    system = CAPSULE

    def __init__(self, capsule: CapsuleApi, reference_field: str) -> None:
        self._capsule, self._reference_field = capsule, reference_field
        self._field_ids = FieldIds(self._read_field_ids)

    async def read(self, party_id: int) -> CrmParty:
        """Return one party in full. Raises NotFound."""
        return self._party(await self._capsule.get_party(party_id))

    async def read_many(self, party_ids: Sequence[int]) -> Sequence[CrmParty]:
        """Return none: how many parties Capsule shows at once is not documented."""
        del party_ids
        return []

    async def with_email(self, email: str) -> Sequence[CrmParty]:
        """Return the parties with this address; how `is` treats case is not documented, so each hit is compared."""
        found = await self._filtered({"field": "email", "operator": "is", "value": email})
        return [party for party in found if party.has_email(email)]

    async def with_reference(self, reference: str) -> Sequence[CrmParty]:
        """Return the parties that carry a reference of ours."""
        ids = await self.field_ids()
        if self._reference_field not in ids:
            return []
        condition = {"field": f"custom:{ids[self._reference_field]}", "operator": "is", "value": reference}
        return [party for party in await self._filtered(condition) if party.reference == reference]

    async def marks(self, page: int) -> tuple[Sequence[tuple[str, str]], bool]:
        """Return one page of the parties that carry any, (reference, id), and whether there is more."""
        ids = await self.field_ids()
        if self._reference_field not in ids:
            return [], False
        condition = {"field": f"custom:{ids[self._reference_field]}", "operator": "is not", "value": None}
        listed = await self._capsule.filter_parties([condition], page=page)
        found = [(self._reference(party), str(party.id)) for party in listed.items]
        return [(reference, party_id) for reference, party_id in found if reference], listed.has_more

    async def employer(self, name: str) -> int | None:
        """Return the organisation of this name, if there is exactly one."""
        found = await self._filtered(
            {"field": "name", "operator": "is", "value": name},
            {"field": "type", "operator": "is", "value": "organisation"},
        )
        return one_named(name, found)

    async def create(self, body: Mapping[str, Any], reference: str, client_id: int) -> CrmParty:
        """Create a party that carries our reference. Raises Refused where the account has no field for it."""
        ids = await self.field_ids()
        if self._reference_field not in ids:
            self._field_ids.forget()
            ids = await self.field_ids()
        if self._reference_field not in ids:
            name = self._reference_field
            text = f'make a text custom field "{name}" for people and organisations in Capsule, then retry'
            raise Refused("capsule", f"a party for client {client_id} cannot carry our reference: {text}")
        ours = {"definition": {"id": ids[self._reference_field]}, "value": reference}
        return self._party(await self._capsule.create_party({**body, "fields": [*body.get("fields", ()), ours]}))

    async def update(self, party_id: int, changes: Mapping[str, Any]) -> CrmParty:
        """Merge these changes into the party, and return it as it is then."""
        return self._party(await self._capsule.update_party(party_id, changes))

    def adds(self, changes: Mapping[str, Any]) -> bool:
        """Return whether the changes have new rows: those are appended, and a repeat would append them again."""
        return appends(changes)

    async def field_ids(self) -> Mapping[str, int]:
        """Return the ids of the custom fields of parties by name; read again every minute."""
        return await self._field_ids.now()

    async def listed(self, since: datetime | None, page: int) -> Page[CrmParty]:
        """Return one page of the parties that changed since an instant, of all if there is none."""
        return self._page(await self._capsule.list_parties(since=since, page=page))

    async def people_of(self, organisation_id: int, page: int) -> Page[CrmParty]:
        """Return one page of an organisation's people. Raises NotFound."""
        return self._page(await self._capsule.people_of(organisation_id, page))

    async def gone(self, since: datetime, page: int) -> GonePage:
        """Return one page of the deletion log."""
        listed = await self._capsule.deleted_parties(since, page=page)
        return GonePage([Gone(each.id, each.deleted_at) for each in listed.deleted], listed.restricted, listed.has_more)

    async def _read_field_ids(self) -> Mapping[str, int]:
        ids: dict[str, int] = {}
        for page in range(1, MOST_PAGES + 1):
            listed = await self._capsule.party_field_definitions(page=page)
            ids.update({each.name: min(each.id, ids.get(each.name, each.id)) for each in listed.items if each.name})
            if not listed.has_more:
                break
        return ids

    async def _filtered(self, *conditions: Mapping[str, Any]) -> list[CrmParty]:
        found: list[CrmParty] = []
        for page in range(1, MOST_PAGES + 1):
            listed = self._page(await self._capsule.filter_parties(conditions, page=page))
            found.extend(listed.items)
            if not listed.has_more:
                break
        return found

    def _page(self, listed: Page[Party]) -> Page[CrmParty]:
        return Page([self._party(each) for each in listed.items], listed.has_more)

    def _party(self, party: Party) -> CrmParty:
        return CrmParty(
            id=party.id,
            is_organisation=party.type == "organisation",
            document=party.document(),
            name=_called(party),
            emails=[row.address for row in party.email_addresses if row.address],
            reference=self._reference(party),
            changed_at=party.updated_at,
            created_at=party.created_at,
        )

    def _reference(self, party: Party) -> str | None:
        rows = party.fields or ()
        named = (row.value for row in rows if row.definition and row.definition.name == self._reference_field)
        return next((str(value) for value in named if value), None)


def _called(party: Party) -> str:
    person = " ".join(part for part in (party.first_name, party.last_name) if part)
    return party.name or person or f"party {party.id}"
