"""Applying a plan: who may, how much at once, and that every item is heard of."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities import plan_applying
from activities.plan_applying import PlanItemActivities
from activities.plan_models import ApplyAnswer, ApplyProgress, ApplyStart, PlanName, SettledItem
from store.plans import NewItem, NewPlan, PlanItem
from store.records import RecordKey
from tests.activities.plans import rules, template_of
from tests.sandboxes import Firm


class Records:
    """Stands in for the workflows of the records: notes what it is handed, and settles it if it is told how."""

    def __init__(self, firm: Firm, outcome: str | None = "done") -> None:
        self._firm, self._outcome = firm, outcome
        self.heard: list[tuple[RecordKey, PlanItem]] = []

    async def announce(self, key: RecordKey, item: PlanItem) -> None:
        self.heard.append((key, item))
        if self._outcome is not None:
            settled = SettledItem.model_validate(
                {"plan_id": item.plan_id, "item": item.number, "outcome": self._outcome}
            )
            await self.activities().settle_item(settled)

    def activities(self, bulk_limit: int = 200) -> PlanItemActivities:
        return PlanItemActivities(self._firm.store, rules(self._firm, bulk_limit), self.announce)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a round last a moment."""
    monkeypatch.setattr(plan_applying, "ROUND_SECONDS", 1.5)
    monkeypatch.setattr(plan_applying, "LOOK_SECONDS", 0.01)


async def stored(firm: Firm, items: Sequence[NewItem], *, version: str | None = None, days: int = 7) -> PlanName:
    """Keep a plan of these items that is ready to be applied."""
    creates = sum(item.action == "create" for item in items)
    expires_at = datetime.now(UTC) + timedelta(days=days)
    mapping_version = version or template_of(firm).version
    await firm.store.plans.begin(
        NewPlan("plan-1", firm.name, "clients", mapping_version, two_way=True, expires_at=expires_at)
    )
    await firm.store.plans.add([firm.store.plans.row("plan-1", number, item) for number, item in enumerate(items, 1)])
    counts = [{"action": "create", "side": "books", "reason": "", "count": creates}]
    await firm.store.plans.move("plan-1", "ready", ("listing",), {"counts": counts})
    return PlanName(plan_id="plan-1", connection=firm.name)


async def begin(firm: Firm, name: PlanName, allow_creates: int | None = None, bulk_limit: int = 200) -> ApplyAnswer:
    start = ApplyStart(plan=name, allow_creates=allow_creates)
    return await ActivityEnvironment().run(Records(firm).activities(bulk_limit).begin_apply, start)


async def announce(records: Records, name: PlanName) -> ApplyProgress:
    return await ActivityEnvironment().run(records.activities().announce_items, name)


async def state(firm: Firm) -> str:
    plan = await firm.store.plans.find("plan-1")
    assert plan is not None
    return plan.state


async def test_more_creates_than_the_limit_need_a_persons_word_for_the_number(firm: Firm) -> None:
    """F5, F8, F22: a wrong mapping must not flood a system."""
    name = await stored(firm, [NewItem("create", "books", party_id=each) for each in range(3)])
    answer = await begin(firm, name, bulk_limit=2)
    assert "would create 3 records" in answer.refusal
    assert "ledgerline apply plan-1 --allow-creates 3" in answer.refusal
    assert await state(firm) == "ready"
    assert (await begin(firm, name, allow_creates=2, bulk_limit=2)).refusal != ""
    assert (await begin(firm, name, allow_creates=3, bulk_limit=2)).refusal == ""
    assert await state(firm) == "applying"


async def test_as_many_creates_as_the_limit_allows_need_nobody(firm: Firm) -> None:
    name = await stored(firm, [NewItem("create", "books", party_id=each) for each in range(2)])
    assert (await begin(firm, name, bulk_limit=2)).refusal == ""


async def test_a_plan_of_another_mapping_is_refused(firm: Firm) -> None:
    """F37, F39: a rerun never follows rules that nobody has seen it with."""
    name = await stored(firm, [NewItem("link", party_id=1, client_id=2)], version="another")
    assert "the mapping has changed since plan plan-1 was made" in (await begin(firm, name)).refusal


async def test_an_apply_that_the_mapping_overtakes_is_stopped(firm: Firm) -> None:
    name = await stored(firm, [NewItem("link", party_id=1, client_id=2)], version="another")
    await firm.store.plans.move("plan-1", "applying", ("ready",))
    assert (await begin(firm, name)).refusal != ""
    assert await state(firm) == "stopped"


async def test_an_expired_plan_is_refused(firm: Firm) -> None:
    name = await stored(firm, [NewItem("link", party_id=1, client_id=2)], days=-1)
    assert "has expired" in (await begin(firm, name)).refusal


async def test_a_plan_that_is_not_there_is_refused(firm: Firm) -> None:
    answer = await begin(firm, PlanName(plan_id="nothing", connection=firm.name))
    assert "there is no plan nothing" in answer.refusal


async def test_a_plan_is_applied_for_its_own_connection_only(firm: Firm) -> None:
    await stored(firm, [NewItem("link", party_id=1, client_id=2)])
    other = PlanName(plan_id="plan-1", connection="another")
    assert "there is no plan plan-1" in (await begin(firm, other)).refusal


async def test_a_plan_of_a_connection_that_is_gone_is_refused(firm: Firm) -> None:
    name = await stored(firm, [NewItem("link", party_id=1, client_id=2)])
    activities = PlanItemActivities(firm.store, {}, Records(firm).announce)
    answer = await ActivityEnvironment().run(activities.begin_apply, ApplyStart(plan=name))
    assert "which is not configured any more" in answer.refusal


@pytest.mark.parametrize("unready", ["failed", "forgotten"])
async def test_a_plan_that_is_none_any_more_is_refused(firm: Firm, unready: str) -> None:
    name = await stored(firm, [])
    await firm.store.plans.move("plan-1", unready, ("ready",))  # type: ignore[arg-type]
    assert f"plan plan-1 is {unready}" in (await begin(firm, name)).refusal


async def test_a_plan_that_has_been_applied_is_finished(firm: Firm) -> None:
    """F8, F37: a second apply writes nothing."""
    name = await stored(firm, [])
    await firm.store.plans.move("plan-1", "applied", ("ready",))
    assert await begin(firm, name) == ApplyAnswer(finished=True)


async def test_every_item_reaches_the_workflow_of_its_record(firm: Firm) -> None:
    """An unlinked client has no party yet: its own workflow finds or makes one."""
    items = [
        NewItem("create", "crm", client_id=9),
        NewItem("create", "books", party_id=7),
        NewItem("link", party_id=5, client_id=6, digest="d"),
        NewItem("skip", reason="deleted", client_id=8),
    ]
    name, records = await stored(firm, items), Records(firm)
    await begin(firm, name)
    assert await announce(records, name) == ApplyProgress(announced=0, outstanding=0)
    heard = {(key.side, key.record_id): item for key, item in records.heard}
    assert heard.keys() == {("crm", "5"), ("books", "9"), ("crm", "7")}
    assert heard["crm", "5"].digest == "d"


async def test_a_create_that_a_person_has_agreed_to_does_not_wait_at_the_limit(firm: Firm) -> None:
    name = await stored(firm, [NewItem("create", "books", party_id=7)])
    await begin(firm, name)
    await announce(Records(firm), name)
    assert await firm.store.intents.admit(firm.record_key(7), 0, datetime.now(UTC))


async def test_no_more_than_so_many_items_are_at_work_at_once(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    """F33, S61: live changes have to get through, too."""
    monkeypatch.setattr(plan_applying, "MOST_OUTSTANDING", 3)
    name = await stored(firm, [NewItem("link", party_id=each, client_id=each) for each in range(1, 8)])
    records = Records(firm, outcome=None)
    await begin(firm, name)
    assert await announce(records, name) == ApplyProgress(announced=0, outstanding=3)
    assert len(records.heard) == 3
    await firm.store.plans.settle("plan-1", records.heard[0][1].number, "moved")
    await announce(records, name)
    assert len(records.heard) == 4


async def test_an_item_whose_workflow_was_ended_is_announced_again(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    name, silent = await stored(firm, [NewItem("link", party_id=1, client_id=1)]), Records(firm, outcome=None)
    await begin(firm, name)
    await announce(silent, name)
    monkeypatch.setattr(plan_applying, "LOST_AFTER", timedelta(0))
    records = Records(firm)
    await announce(records, name)
    assert len(records.heard) == 1
    assert await firm.store.plans.counts("plan-1") == {("link", "done"): 1}


async def test_a_plan_that_is_stopped_announces_nothing_more(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_applying, "ROUND_SECONDS", 20.0)
    monkeypatch.setattr(plan_applying, "MOST_OUTSTANDING", 1)
    name = await stored(firm, [NewItem("link", party_id=each, client_id=each) for each in (1, 2)])
    records = Records(firm, outcome=None)
    await begin(firm, name)
    running = asyncio.create_task(announce(records, name))
    await asyncio.sleep(0.1)
    await firm.store.plans.move("plan-1", "stopped", ("applying",))
    assert (await running).stopped
    assert len(records.heard) == 1
