"""Plans as the store keeps them: sealed, settled once, and forgotten when they expire."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from store.plans import Action, NewItem, NewPlan
from store.store import Store
from tests.store.records import ACME, agreed

EXPIRES = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DETAIL = {"name": "Nora Quist", "text": "create: email"}


async def begun(store: Store, plan_id: str = "acme-1") -> None:
    await store.plans.begin(NewPlan(plan_id, "acme", "clients", "v1", two_way=True, expires_at=EXPIRES))


async def with_items(store: Store, *items: NewItem) -> None:
    await begun(store)
    await store.plans.add([store.plans.row("acme-1", number, item) for number, item in enumerate(items, start=1)])


async def states(store: Store) -> list[str]:
    return [item.state for item in await store.plans.items("acme-1", None, 0, 100)]


async def test_what_is_listed_for_a_plan_is_found_again_in_order(store: Store) -> None:
    staging = store.plans.staging
    await staging.put("acme-1", "crm", {"7": {"name": "Nora"}, "10": {"name": "Ida"}})
    await staging.put("acme-1", "books", {"7": {"name": "Somebody"}})
    await staging.put("acme-1", "crm", {"7": {"name": "Nora Quist"}})
    pages = [await staging.page("acme-1", "crm", after, 1) for after in ("", "10", "7")]
    opened = [[staging.opened("acme-1", "crm", each)["name"] for each in page] for page in pages]
    assert opened == [["Ida"], ["Nora Quist"], []]
    assert await staging.count("acme-1") == {"crm": 2, "books": 1}
    assert [each.record_id for each in await staging.several("acme-1", "crm", ["7", "8"])] == ["7"]


async def test_what_is_listed_and_planned_names_nobody_in_clear(store: Store) -> None:
    """Z132."""
    await with_items(store, NewItem("create", "books", party_id=7, detail=DETAIL))
    await store.plans.staging.put("acme-1", "crm", {"7": {"name": "Nora Quist"}})
    async with store.database.reading() as session:
        stored = [
            *await session.scalars(text("SELECT sealed FROM plan_staged")),
            *await session.scalars(text("SELECT sealed_detail FROM plan_items")),
        ]
    assert len(stored) == 2
    assert all(b"Quist" not in bytes(each) for each in stored)
    assert (await store.plans.items("acme-1", None, 0, 1))[0].detail == DETAIL


async def test_links_of_a_page_come_with_what_both_sides_agreed_on(store: Store) -> None:
    await store.links.confirm(ACME, agreed("90210"))
    (sealed,) = await store.plans.staging.links("acme", "clients", ["7", "8"])
    assert sealed.link.base is None
    assert store.plans.staging.opened_link("acme", "clients", sealed) == await store.links.of_crm(ACME)


async def test_beginning_a_plan_again_changes_nothing(store: Store) -> None:
    await begun(store)
    await store.plans.move("acme-1", "ready", ("listing",), {"listed": {"parties": 1}})
    await begun(store)
    plan = await store.plans.find("acme-1")
    assert plan is not None
    assert (plan.state, plan.summary, plan.expires_at) == ("ready", {"listed": {"parties": 1}}, EXPIRES)


async def test_a_plan_moves_only_from_where_it_may(store: Store) -> None:
    await begun(store)
    assert not await store.plans.move("acme-1", "applying", ("ready",))
    assert await store.plans.move("acme-1", "ready", ("listing",))
    assert [plan.state for plan in await store.plans.listed()] == ["ready"]


async def test_links_come_first_and_creates_before_what_a_person_decides(store: Store) -> None:
    kinds: tuple[Action, ...] = ("skip", "doubtful", "conflict", "create", "update", "link")
    await with_items(store, *(NewItem(kind) for kind in kinds))
    due = await store.plans.next_to_announce("acme-1", LONG_AGO, 100)
    assert [item.action for item in due] == ["link", "update", "create", "conflict", "doubtful"]
    assert len(await store.plans.next_to_announce("acme-1", LONG_AGO, 2)) == 2


async def test_an_announced_item_is_due_again_only_when_it_was_lost(store: Store) -> None:
    await with_items(store, NewItem("link", client_id=1))
    await store.plans.announced("acme-1", [1])
    assert await store.plans.outstanding("acme-1", LONG_AGO) == 1
    assert await store.plans.next_to_announce("acme-1", LONG_AGO, 10) == []
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert await store.plans.outstanding("acme-1", tomorrow) == 0
    assert len(await store.plans.next_to_announce("acme-1", tomorrow, 10)) == 1


async def test_the_first_word_on_an_item_counts(store: Store) -> None:
    """F37: the same item announced twice makes a second pass, which finds nothing to do and calls it moved."""
    await with_items(store, NewItem("link", client_id=1))
    await store.plans.settle("acme-1", 1, "done")
    await store.plans.settle("acme-1", 1, "moved")
    await store.plans.announced("acme-1", [1])
    assert await states(store) == ["done"]


async def test_a_hold_may_still_turn_into_something_else(store: Store) -> None:
    await with_items(store, NewItem("create", "books"))
    await store.plans.announced("acme-1", [1])
    await store.plans.settle("acme-1", 1, "held")
    await store.plans.settle("acme-1", 1, "done")
    assert await states(store) == ["done"]


async def test_forgetting_a_large_plan_leaves_nothing_of_it_and_all_of_another(store: Store) -> None:
    await with_items(store, *(NewItem("skip") for _ in range(2_500)))
    await store.plans.add([store.plans.row("acme-2", 1, NewItem("skip"))])
    for side in ("crm", "books"):
        await store.plans.staging.put("acme-1", side, {str(each): {} for each in range(2_500)})
    await store.plans.staging.put("acme-2", "crm", {"1": {}})
    await store.plans.clear_items("acme-1")
    await store.plans.staging.clear("acme-1")
    assert await store.plans.counts("acme-1") == {}
    assert await store.plans.staging.count("acme-1") == {}
    assert await store.plans.counts("acme-2") == {("skip", "planned"): 1}
    assert await store.plans.staging.count("acme-2") == {"crm": 1}


async def test_erasing_what_plans_say_of_people_leaves_the_items(store: Store) -> None:
    """Z133."""
    await with_items(store, NewItem("create", "books", party_id=7, digest="d", detail=DETAIL))
    await store.plans.staging.put("acme-1", "crm", {"7": {"name": "Nora Quist"}})
    await store.plans.erase_values("acme")
    (item,) = await store.plans.items("acme-1", None, 0, 10)
    assert (item.party_id, item.digest, item.detail) == (7, "d", {})
    assert await store.plans.staging.count("acme-1") == {}
    plan = await store.plans.find("acme-1")
    assert plan is not None
    assert plan.state == "failed"  # half of what it was being made of is gone
