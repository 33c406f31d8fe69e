"""What was last seen of the records that a list shows: asked for a page of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from store.database import Database
from store.tables import LinkRow


@dataclass(frozen=True)
class Sighting:
    """What was seen of one side of a link when both last agreed: a fingerprint, under a version of the mapping."""

    fingerprint: str | None
    mapping_version: str | None
    link_state: str


class Sightings:
    """The sightings of all connections. A record that is not linked was never seen."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(
        self, connection: str, flow: str, side: Literal["crm", "books"], record_ids: Sequence[str]
    ) -> dict[str, Sighting]:
        """Return, for those of `record_ids` that are linked, what was last seen of them."""
        record_id, seen = (
            (LinkRow.crm_id, LinkRow.crm_seen) if side == "crm" else (LinkRow.books_id, LinkRow.books_seen)
        )
        query = select(record_id, seen, LinkRow.mapping_version, LinkRow.state).where(
            LinkRow.connection == connection, LinkRow.flow == flow, record_id.in_(record_ids)
        )
        async with self._database.reading() as session:
            rows = await session.execute(query)
            return {str(found): Sighting(seen, version, state) for found, seen, version, state in rows}
