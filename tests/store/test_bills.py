"""Bills: a time entry belongs to one bill at most, whatever dies in between."""

import asyncio

import pytest

from store.bills import Bill, EntriesTaken
from store.store import Store

CLIENT = 330101
PLAN = {"number": "H-1", "lines": [{"name": "Design", "quantity": "1.5"}]}


async def claimed(store: Store, client_id: int = CLIENT, *entry_ids: int) -> Bill:
    """Begin a bill of these entries."""
    return await store.bills.claim("acme", client_id, PLAN, {each: f"print-{each}" for each in entry_ids or (1, 2)})


async def test_a_bill_keeps_its_plan_and_its_entries(store: Store) -> None:
    """Z16"""
    bill = await claimed(store)
    known = await store.bills.open_one("acme", CLIENT)
    assert known == bill
    assert known is not None
    assert known.plan == PLAN
    assert [(each.entry_id, each.is_marked) for each in known.entries] == [(1, False), (2, False)]


async def test_a_time_entry_is_never_in_two_bills(store: Store) -> None:
    """F31: the second run wants entry 2 for another client's invoice, because somebody moved it in between."""
    await claimed(store)
    with pytest.raises(EntriesTaken):
        await claimed(store, 330102, 2, 3)
    assert await store.bills.taken("acme", [1, 2, 3]) == {1, 2}
    assert await store.bills.open_one("acme", 330102) is None


async def test_two_runs_at_once_make_one_bill(store: Store) -> None:
    """F31"""
    outcomes = await asyncio.gather(claimed(store, CLIENT, 1, 2), claimed(store, CLIENT, 2, 3), return_exceptions=True)
    assert [type(each) for each in outcomes if not isinstance(each, Bill)] == [EntriesTaken]


async def test_claiming_again_after_a_crash_gives_the_same_bill(store: Store) -> None:
    assert (await claimed(store)).id == (await claimed(store)).id


async def test_entries_of_a_dropped_bill_may_be_billed_again(store: Store) -> None:
    first = await claimed(store)
    await store.bills.drop(first.id)
    assert await store.bills.taken("acme", [1, 2]) == set()
    assert (await claimed(store)).id != first.id


async def test_entries_of_a_finished_bill_stay_its_own(store: Store) -> None:
    """Z16: also when somebody unmarks one of them in FreshBooks by hand."""
    first = await claimed(store)
    await store.bills.invoiced(first.id, 90001)
    await store.bills.marked(first.id, 1)
    await store.bills.finish(first.id)
    assert await store.bills.open_one("acme", CLIENT) is None
    with pytest.raises(EntriesTaken):
        await claimed(store, CLIENT, 2)
    done = await store.bills.of_invoice("acme", 90001)
    assert done is not None
    assert [each.is_marked for each in done.entries] == [True, False]


async def test_another_firm_may_have_entries_of_the_same_ids(store: Store) -> None:
    await claimed(store)
    assert await store.bills.claim("globex", CLIENT, PLAN, {1: "a", 2: "b"})


async def test_a_thousand_entries_are_looked_up_in_parts(sqlite_store: Store) -> None:
    await claimed(sqlite_store, CLIENT, *range(1, 1201))
    assert len(await sqlite_store.bills.taken("acme", list(range(1, 1301)))) == 1200
