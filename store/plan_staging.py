"""What the systems listed for a plan: sealed, one row a record, gone as soon as the plan has been made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Row, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from runtime.keys import KeyRing
from store.database import Database
from store.links import Link
from store.plan_tables import PlanStagedRow
from store.sealed import seal, unseal
from store.tables import LinkRow

Side = Literal["crm", "books"]
DELETED_AT_ONCE = 500  # a long delete would let every other writer wait


@dataclass(frozen=True)
class Staged:
    """One listed record, still sealed."""

    record_id: str
    sealed: bytes


@dataclass(frozen=True)
class SealedLink:
    """A link whose base values are still sealed: nearly every pair is as it was, and nobody needs them."""

    link: Link
    sealed_base: bytes | None


class PlanStaging:
    """The listed records of all plans."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database, self._keys = database, keys

    async def put(self, plan_id: str, side: Side, records: Mapping[str, Mapping[str, Any] | str]) -> None:
        """Keep one page of records by id, each ready for JSON or JSON already.

        A record that was listed before is written over.
        """
        place = {"plan_id": plan_id, "side": side}
        rows = [
            {**place, "record_id": record_id, "sealed": self._sealed(each, *_place(plan_id, side, record_id))}
            for record_id, each in records.items()
        ]
        if not rows:
            return
        async with self._database.writing() as session:
            dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
            insert = dialect.insert(PlanStagedRow)
            key = ["plan_id", "side", "record_id"]
            again = insert.on_conflict_do_update(index_elements=key, set_={"sealed": insert.excluded.sealed})
            await session.execute(again, rows)

    async def page(self, plan_id: str, side: Side, after: str, count: int) -> Sequence[Staged]:
        """Return the next records behind an id, in the order of their ids as text; "" begins."""
        query = (
            select(PlanStagedRow.record_id, PlanStagedRow.sealed)
            .where(PlanStagedRow.plan_id == plan_id, PlanStagedRow.side == side, PlanStagedRow.record_id > after)
            .order_by(PlanStagedRow.record_id)
            .limit(count)
        )
        async with self._database.reading() as session:
            return [Staged(record_id, sealed) for record_id, sealed in await session.execute(query)]

    async def several(self, plan_id: str, side: Side, record_ids: Sequence[str]) -> Sequence[Staged]:
        """Return those of these records that were listed."""
        if not record_ids:
            return []
        query = select(PlanStagedRow.record_id, PlanStagedRow.sealed).where(
            PlanStagedRow.plan_id == plan_id, PlanStagedRow.side == side, PlanStagedRow.record_id.in_(record_ids)
        )
        async with self._database.reading() as session:
            return [Staged(record_id, sealed) for record_id, sealed in await session.execute(query)]

    async def known(self, plan_id: str, side: Side, record_ids: Sequence[str]) -> set[str]:
        """Return the ids of those of these records that were listed."""
        here = (PlanStagedRow.plan_id == plan_id, PlanStagedRow.side == side, PlanStagedRow.record_id.in_(record_ids))
        async with self._database.reading() as session:
            return set(await session.scalars(select(PlanStagedRow.record_id).where(*here)))

    def opened(self, plan_id: str, side: Side, staged: Staged) -> dict[str, Any]:
        """Return what was put. Touches no database, so a thread may do it."""
        return dict(unseal(self._keys, staged.sealed, *_place(plan_id, side, staged.record_id)))

    def opened_json(self, plan_id: str, side: Side, staged: Staged) -> bytes:
        """Return what was put, as JSON: a model reads that faster than what `opened` gives."""
        return self._keys.open(staged.sealed, "/".join(_place(plan_id, side, staged.record_id)))

    def _sealed(self, record: Mapping[str, Any] | str, *place: str) -> bytes:
        if isinstance(record, str):
            return self._keys.seal(record.encode(), "/".join(place))
        return seal(self._keys, dict(record), *place)

    async def count(self, plan_id: str) -> dict[str, int]:
        """Return how many records each side has listed so far."""
        query = (
            select(PlanStagedRow.side, func.count())
            .where(PlanStagedRow.plan_id == plan_id)
            .group_by(PlanStagedRow.side)
        )
        async with self._database.reading() as session:
            return dict((await session.execute(query)).all())

    async def links(self, connection: str, flow: str, crm_ids: Sequence[str]) -> Sequence[SealedLink]:
        """Return the links of those of `crm_ids` that have one: a page at once, where one by one would take minutes."""
        query = select(*LinkRow.__table__.columns).where(  # rows as they are: objects of the mapper take as long again
            LinkRow.connection == connection, LinkRow.flow == flow, LinkRow.crm_id.in_(crm_ids)
        )
        async with self._database.reading() as session:
            return [_sealed_link(row) for row in await session.execute(query)]

    def opened_link(self, connection: str, flow: str, sealed: SealedLink) -> Link:
        """Return a link with its base values. Touches no database, as `opened`."""
        if sealed.sealed_base is None:
            return sealed.link
        place = ("links", "base", connection, flow, sealed.link.crm_id)  # where `store.links` seals it
        return replace(sealed.link, base=unseal(self._keys, sealed.sealed_base, *place))

    async def clear(self, plan_id: str) -> None:
        """Forget what was listed, a little at a time."""
        for side in ("crm", "books"):
            here = (PlanStagedRow.plan_id == plan_id, PlanStagedRow.side == side)
            first = select(PlanStagedRow.record_id).where(*here).order_by(PlanStagedRow.record_id)
            while True:
                async with self._database.writing() as session:
                    last = await session.scalar(first.offset(DELETED_AT_ONCE - 1).limit(1))
                    part = (*here, PlanStagedRow.record_id <= last) if last is not None else here
                    await session.execute(delete(PlanStagedRow).where(*part))
                if last is None:
                    break


def _sealed_link(row: Row[*tuple[Any, ...]]) -> SealedLink:
    seen = (row.crm_seen, row.books_seen, row.mapping_version, row.updated_at)
    return SealedLink(Link(row.crm_id, row.books_id, row.state, None, *seen), row.sealed_base)


def _place(plan_id: str, side: str, record_id: str) -> tuple[str, ...]:
    return ("plan_staged", "sealed", plan_id, side, record_id)
