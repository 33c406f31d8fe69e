"""Hands the items of a plan to the workflows of their records, with what the plan expects of each."""

from starters.announce import Announcer
from store.plans import PlanItem
from store.records import RecordKey
from workflows.models import Change, Expected

RANK = 4  # behind everything that happens now, before a backfill

_HOLDS = ("doubtful", "conflict")


class PlanAnnouncer(Announcer):
    """Announces what a person approved."""

    async def item_planned(self, key: RecordKey, item: PlanItem) -> None:
        """Announce one item to the workflow of its record."""
        expected = Expected(
            plan_id=item.plan_id,
            item=item.number,
            action="hold" if item.action in _HOLDS else item.action,
            client_id=item.client_id,
            digest=item.digest,
        )
        system = "freshbooks" if key.side == "books" else self._crm(key.connection)
        change = Change(system=system, cause=f"plan {item.plan_id}", priority=RANK, expected=expected)
        if key.side == "books":
            await self._signal_client(key.connection, int(key.record_id), change)
        else:
            await self._signal(key.connection, int(key.record_id), change)
