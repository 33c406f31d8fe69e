"""Plans: what a sync of all records would do, item by item, and how far it has been done."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import delete, func, insert, or_, select, update

from runtime.keys import KeyRing
from store.database import Database
from store.plan_staging import DELETED_AT_ONCE, PlanStaging
from store.plan_tables import PlanItemRow, PlanRow
from store.sealed import seal, unseal

Action = Literal["link", "update", "create", "doubtful", "conflict", "skip"]
Outcome = Literal["done", "moved", "held", "skipped", "failed"]
PlanState = Literal["listing", "ready", "failed", "applying", "stopped", "applied", "forgotten"]

APPLIED_ACTIONS: tuple[Action, ...] = ("link", "update", "create", "conflict", "doubtful")
"""What an apply announces, in this order; the last two end as holds, for a person to decide."""


@dataclass(frozen=True)
class NewPlan:
    """A plan that is about to be made."""

    id: str
    connection: str
    flow: str
    mapping_version: str
    two_way: bool
    expires_at: datetime


@dataclass(frozen=True)
class Plan:
    """A plan as it stands. `summary` holds numbers and, where something went wrong, what: no values of records."""

    id: str
    connection: str
    flow: str
    state: str
    mapping_version: str
    two_way: bool
    summary: dict[str, Any]
    created_at: datetime
    expires_at: datetime
    applied_at: datetime | None

    @property
    def creates(self) -> int:
        """How many records it would create, on both sides together."""
        return sum(each["count"] for each in self.summary.get("counts", ()) if each["action"] == "create")


@dataclass(frozen=True)
class NewItem:
    """What a plan would do to one pair. `detail` is what a person decides by: names and values."""

    action: Action
    side: str = ""
    reason: str = ""
    party_id: int | None = None
    client_id: int | None = None
    digest: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PlanItem:
    """One item as it stands."""

    plan_id: str
    number: int
    action: str
    side: str
    reason: str
    party_id: int | None
    client_id: int | None
    digest: str
    state: str
    detail: dict[str, Any]


class Plans:
    """The plans of all connections. Every method is one short transaction."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database, self._keys = database, keys
        self.staging = PlanStaging(database, keys)

    async def begin(self, plan: NewPlan) -> None:
        """Note that a plan is being made; repeating it changes nothing."""
        async with self._database.writing() as session:
            if await session.get(PlanRow, plan.id) is None:
                row = PlanRow(
                    id=plan.id,
                    connection=plan.connection,
                    flow=plan.flow,
                    state="listing",
                    mapping_version=plan.mapping_version,
                    two_way=plan.two_way,
                    summary="{}",
                    created_at=datetime.now(UTC),
                    expires_at=plan.expires_at,
                )
                session.add(row)

    async def find(self, plan_id: str) -> Plan | None:
        """Return a plan, None if there is none of this id."""
        async with self._database.reading() as session:
            row = await session.get(PlanRow, plan_id)
        return _plan(row) if row else None

    async def listed(self) -> Sequence[Plan]:
        """Return all plans, newest first."""
        async with self._database.reading() as session:
            return [_plan(row) for row in await session.scalars(select(PlanRow).order_by(PlanRow.created_at.desc()))]

    async def move(
        self, plan_id: str, to: PlanState, only_from: Sequence[PlanState], summary: Mapping[str, Any] | None = None
    ) -> bool:
        """Bring a plan into another state, with another summary if one is given. False if it was in none of these."""
        values: dict[str, object] = {"state": to}
        if summary is not None:
            values["summary"] = json.dumps(dict(summary), sort_keys=True)
        if to == "applied":
            values["applied_at"] = datetime.now(UTC)
        change = update(PlanRow).where(PlanRow.id == plan_id, PlanRow.state.in_(only_from)).values(values)
        async with self._database.writing() as session:
            return (await session.execute(change.returning(PlanRow.id))).first() is not None

    def row(self, plan_id: str, number: int, item: NewItem) -> dict[str, Any]:
        """Return an item ready to be added under a number. Touches no database, so a thread may do it."""
        return {
            "plan_id": plan_id,
            "number": number,
            "action": item.action,
            "side": item.side,
            "reason": item.reason,
            "party_id": _text(item.party_id),
            "client_id": _text(item.client_id),
            "digest": item.digest,
            "state": "planned",
            "sealed_detail": seal(self._keys, dict(item.detail), *_place(plan_id, number)),
        }

    async def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add items that `row` made."""
        if rows:
            async with self._database.writing() as session:
                await session.execute(insert(PlanItemRow), rows)

    async def items(self, plan_id: str, action: Action | None, after: int, count: int) -> Sequence[PlanItem]:
        """Return the next items behind a number, of one action if it is given, in order."""
        query = select(PlanItemRow).where(PlanItemRow.plan_id == plan_id, PlanItemRow.number > after)
        if action is not None:
            query = query.where(PlanItemRow.action == action)
        async with self._database.reading() as session:
            rows = await session.scalars(query.order_by(PlanItemRow.number).limit(count))
            return [self._opened(row) for row in rows]

    async def counts(self, plan_id: str) -> dict[tuple[str, str], int]:
        """Return how many items there are of each action and state."""
        query = (
            select(PlanItemRow.action, PlanItemRow.state, func.count())
            .where(PlanItemRow.plan_id == plan_id)
            .group_by(PlanItemRow.action, PlanItemRow.state)
        )
        async with self._database.reading() as session:
            return {(action, state): count for action, state, count in await session.execute(query)}

    async def outstanding(self, plan_id: str, since: datetime) -> int:
        """Return how many items were announced since an instant and have not been heard of."""
        query = select(func.count()).where(
            PlanItemRow.plan_id == plan_id, PlanItemRow.state == "announced", PlanItemRow.announced_at > since
        )
        async with self._database.reading() as session:
            return await session.scalar(query) or 0

    async def next_to_announce(self, plan_id: str, lost_before: datetime, count: int) -> Sequence[PlanItem]:
        """Return, without details, the items whose turn it is: not announced, or before an instant and then lost."""
        waits = or_(
            PlanItemRow.state == "planned",
            (PlanItemRow.state == "announced") & (PlanItemRow.announced_at <= lost_before),
        )
        found: list[PlanItem] = []
        async with self._database.reading() as session:
            for action in APPLIED_ACTIONS:
                query = select(PlanItemRow).where(PlanItemRow.plan_id == plan_id, PlanItemRow.action == action, waits)
                rows = await session.scalars(query.order_by(PlanItemRow.number).limit(count - len(found)))
                found.extend(_item(row, {}) for row in rows)
                if len(found) >= count:
                    break
        return found

    async def announced(self, plan_id: str, numbers: Sequence[int]) -> None:
        """Note that these were handed to their workflows. What was settled in the meantime stays so."""
        change = update(PlanItemRow).where(
            PlanItemRow.plan_id == plan_id,
            PlanItemRow.number.in_(numbers),
            PlanItemRow.state.in_(("planned", "announced")),
        )
        async with self._database.writing() as session:
            await session.execute(change.values(state="announced", announced_at=datetime.now(UTC)))

    async def settle(self, plan_id: str, number: int, outcome: Outcome) -> None:
        """Note what came of an item. The first word counts; only a hold may still turn into something else."""
        change = update(PlanItemRow).where(
            PlanItemRow.plan_id == plan_id,
            PlanItemRow.number == number,
            PlanItemRow.state.in_(("planned", "announced", "held")),
        )
        async with self._database.writing() as session:
            await session.execute(change.values(state=outcome))

    async def clear_items(self, plan_id: str) -> None:
        """Forget the items, a little at a time: a long delete would let every other writer wait."""
        first = select(func.min(PlanItemRow.number)).where(PlanItemRow.plan_id == plan_id)
        while True:
            async with self._database.writing() as session:
                number = await session.scalar(first)
                if number is None:
                    return
                part = PlanItemRow.number < number + DELETED_AT_ONCE
                await session.execute(delete(PlanItemRow).where(PlanItemRow.plan_id == plan_id, part))

    async def erase_values(self, connection: str) -> None:
        """Erase all that a connection's plans say of people. Their items stay, and can still be applied."""
        gone = "values were erased while it was being made; make another one"
        for plan in await self.listed():
            if plan.connection == connection:
                await self.move(plan.id, "failed", ("listing",), {"problem": gone})
                await self.staging.clear(plan.id)
                await self._blank(plan.id)

    async def _blank(self, plan_id: str) -> None:
        numbers = select(func.max(PlanItemRow.number)).where(PlanItemRow.plan_id == plan_id)
        async with self._database.reading() as session:
            last = await session.scalar(numbers) or 0
        for start in range(1, last + 1, DELETED_AT_ONCE):
            here = PlanItemRow.number.between(start, start + DELETED_AT_ONCE - 1)
            async with self._database.writing() as session:
                change = update(PlanItemRow).where(PlanItemRow.plan_id == plan_id, here)
                await session.execute(change.values(sealed_detail=b""))

    def _opened(self, row: PlanItemRow) -> PlanItem:
        place = _place(row.plan_id, row.number)
        return _item(row, dict(unseal(self._keys, row.sealed_detail, *place)) if row.sealed_detail else {})


def _item(row: PlanItemRow, detail: dict[str, Any]) -> PlanItem:
    return PlanItem(
        plan_id=row.plan_id,
        number=row.number,
        action=row.action,
        side=row.side,
        reason=row.reason,
        party_id=int(row.party_id) if row.party_id else None,
        client_id=int(row.client_id) if row.client_id else None,
        digest=row.digest,
        state=row.state,
        detail=detail,
    )


def _plan(row: PlanRow) -> Plan:
    return Plan(
        id=row.id,
        connection=row.connection,
        flow=row.flow,
        state=row.state,
        mapping_version=row.mapping_version,
        two_way=row.two_way,
        summary=dict(json.loads(row.summary)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        applied_at=row.applied_at,
    )


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _place(plan_id: str, number: int) -> tuple[str, ...]:
    return ("plan_items", "detail", plan_id, str(number))
