"""Quotas: one row for each account, from which all processes take what they send."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.quota import BULK_RANK, Allowance, Budget, Reading, forecast, smooth_pace
from store.database import Database
from store.quota_tables import QuotaRow


@dataclass(frozen=True)
class Portion:
    """Requests that a process may send, until its slice is over. None of them: wait so long before asking again."""

    count: int
    number: int
    ends: datetime
    wait: timedelta = timedelta(0)
    is_held: bool = False
    """Whether the wait is because the provider asked for it."""


@dataclass(frozen=True)
class QuotaStanding:
    """How an account's quota stands: requests in a window, of which so many are used.

    `window_ends` is when the provider's window ends, where it said so, else when all that is used has run out of ours.
    `per_second` is what bulk work can keep up for ever.
    """

    limit: int
    used: int
    remaining: int
    window_ends: datetime
    held_until: datetime | None
    per_second: float
    budget: Budget
    at: datetime

    def forecast(self, requests: int) -> timedelta:
        """Return how long so many requests of bulk work take from now on, if nobody else needs the account."""
        return forecast(self.budget, requests, self.at)


class Quotas:
    """The quotas of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, connection: str, system: str, allowance: Allowance) -> "AccountQuota":
        """Return one account's quota, as the settings have it."""
        return AccountQuota(self._database, connection, system, allowance)

    async def used_since(self, moment: datetime) -> set[tuple[str, str]]:
        """Return the accounts, by connection and system, that were sent something or told us to wait since then."""
        query = select(QuotaRow.connection, QuotaRow.system).where(QuotaRow.updated_at >= moment)
        async with self._database.reading() as session:
            return {(connection, system) for connection, system in await session.execute(query)}

    async def standing(self, connection: str, system: str) -> QuotaStanding | None:
        """Return how an account's quota stands now, None if nothing was ever sent there."""
        async with self._database.reading() as session:
            row = await session.get(QuotaRow, (connection, system))
        return _standing(_budget(row), datetime.now(UTC)) if row is not None else None


class AccountQuota:
    """The quota of one account, under the settings of this process."""

    def __init__(self, database: Database, connection: str, system: str, allowance: Allowance) -> None:
        self._database, self._place, self._allowance = database, (connection, system), allowance

    @property
    def system(self) -> str:
        """The system that the account belongs to."""
        return self._place[1]

    async def take(self, rank: int, unused: Portion | None = None, heard: Sequence[Reading] = ()) -> Portion:
        """Take a portion for requests of this priority, and hand in what is left of the last one and what was heard."""
        async with self._database.writing() as session:
            row, now = await self._row(session), datetime.now(UTC)
            budget = _budget(row).allowed(self._allowance)
            if unused is not None:
                budget = budget.given_back(unused.number, unused.count)
            for reading in heard:
                budget = budget.heard(reading)
            budget, count = budget.taken(now, rank)
            _write(row, budget)
        number = budget.slice_of(now)
        wait = timedelta(0) if count else budget.wait(now, rank)
        is_held = budget.held_until is not None and now < budget.held_until
        return Portion(count, number, budget.slice_ends(number), wait, is_held)

    async def hold(self, until: datetime) -> None:
        """Let nobody send anything before `until`, from the moment on at which this returns."""
        async with self._database.writing() as session:
            row = await self._row(session)
            row.held_until = max(until, row.held_until or until)
            row.updated_at = datetime.now(UTC)

    async def held_until(self) -> datetime | None:
        """Return until when the provider asked us to send nothing, whoever heard it."""
        connection, system = self._place
        query = select(QuotaRow.held_until).where(QuotaRow.connection == connection, QuotaRow.system == system)
        async with self._database.reading() as session:
            return await session.scalar(query)

    async def standing(self) -> QuotaStanding:
        """Return how the quota stands now, under our settings."""
        async with self._database.reading() as session:
            row = await session.get(QuotaRow, self._place)
        budget = _budget(row) if row is not None else Budget(self._allowance)
        return _standing(budget.allowed(self._allowance), datetime.now(UTC))

    async def _row(self, session: AsyncSession) -> QuotaRow:
        row = await session.get(QuotaRow, self._place, with_for_update=True)
        if row is None:
            connection, system = self._place
            row = QuotaRow(connection=connection, system=system)
            _write(row, Budget(self._allowance))
            # Two processes may come first at once: the second fails here, and its activity is tried again.
            session.add(row)
            await session.flush()
        return row


def _budget(row: QuotaRow) -> Budget:
    return Budget(
        Allowance(row.requests, timedelta(seconds=row.window_seconds)),
        row.granted,
        {int(number): int(count) for number, count in row.spent.items()},
        row.left,
        row.left_until,
        row.held_until,
    )


def _write(row: QuotaRow, budget: Budget) -> None:
    row.requests, row.window_seconds = budget.allowance.requests, int(budget.allowance.window.total_seconds())
    row.granted, row.left, row.left_until = budget.granted, budget.left, budget.left_until
    row.spent = {str(number): count for number, count in budget.spent.items() if count}
    row.held_until, row.updated_at = budget.held_until, datetime.now(UTC)


def _standing(budget: Budget, at: datetime) -> QuotaStanding:
    held = budget.held_until if budget.held_until is not None and at < budget.held_until else None
    used, remaining = budget.used(at), budget.room(at, BULK_RANK - 1)
    return QuotaStanding(budget.limit, used, remaining, budget.ends(at), held, smooth_pace(budget), budget, at)
