"""How every record stands, counted and listed; the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime

from store.links import Agreement
from store.reconciliation_models import Cause, Mismatch
from store.reconciliation_pieces import NewReport, Outcome
from store.records import RecordKey
from store.status import Wanted
from store.store import Store


async def _some_of_everything(store: Store) -> None:
    await store.links.confirm(RecordKey("acme", "clients", "7"), Agreement("90007", {}, "", "", "v1"))
    await store.links.confirm(RecordKey("acme", "clients", "8"), Agreement("90008", {}, "", "", "v1"))
    await store.links.set_state(RecordKey("acme", "clients", "8"), "tombstoned")
    intent = await store.intents.reserve(RecordKey("acme", "clients", "9"))
    await store.intents.doubt(await store.intents.mark_sending(intent), datetime.now(UTC))
    await store.holds.open("client-upsert/acme/capsule-party-10", RecordKey("acme", "clients", "10"), "conflict", {})


async def test_every_record_is_counted_under_how_it_stands(store: Store) -> None:
    """S6, S50: one in step, one whose party is gone, one in doubt, one held and why."""
    await _some_of_everything(store)
    found = await store.statuses.standings("acme")
    assert [(each.state, each.reason, each.count) for each in found] == [
        ("in-step", "", 1),
        ("gone", "tombstoned", 1),
        ("held", "conflict", 1),
        ("in-doubt", "answer lost", 1),
    ]
    assert all(each.oldest is not None and each.oldest.tzinfo is not None for each in found)
    assert await store.statuses.standings("another") == []


async def test_a_record_is_found_by_its_id_on_either_side(store: Store) -> None:
    """S51."""
    await _some_of_everything(store)
    by_party = await store.statuses.records(Wanted(connection="acme", record_id="7"))
    by_client = await store.statuses.records(Wanted(record_id="90007"))
    assert by_party == by_client
    assert [(each.record_id, each.partner_id, each.state) for each in by_party] == [("7", "90007", "in-step")]


async def test_a_linked_record_that_is_held_is_held_and_keeps_its_partner(store: Store) -> None:
    """S6: it has one state, and is found by the client that it is linked to."""
    await _some_of_everything(store)
    await store.holds.open("client-upsert/acme/capsule-party-7", RecordKey("acme", "clients", "7"), "conflict", {})
    (found,) = await store.statuses.records(Wanted(record_id="90007"))
    assert (found.record_id, found.partner_id, found.state, found.reason) == ("7", "90007", "held", "conflict")
    assert {each.state: each.count for each in await store.statuses.standings()} == {
        "gone": 1,
        "held": 2,
        "in-doubt": 1,
    }


async def test_what_rules_exclude_is_counted_from_the_last_comparison_that_ended(store: Store) -> None:
    """S6: an older comparison, and one that still runs, do not count."""
    kept = store.reconciliations
    found_by: dict[str, tuple[Cause, ...]] = {
        "1": ("excluded", "excluded"),
        "2": ("skipped-by-rule", "unknown"),
        "3": ("excluded",),
    }
    for number, causes in found_by.items():
        await kept.begin(NewReport(number, "acme", "clients", "v1"), datetime.now(UTC))
        mismatches = [Mismatch(at, "missing-right", cause, "none") for at, cause in enumerate(causes, start=1)]
        await kept.add([kept.row(number, each, f"f{each.number}") for each in mismatches])
        if number != "3":
            assert await kept.finish(number, Outcome(), "")
    found = await store.statuses.standings("acme")
    assert [(each.state, each.reason, each.count) for each in found] == [("excluded", "skipped-by-rule", 1)]


async def test_records_are_listed_by_state_a_page_at_a_time(store: Store) -> None:
    for number in range(5):
        key = RecordKey("acme", "clients", str(number))
        await store.holds.open(f"client-upsert/acme/capsule-party-{number}", key, "rejected", {})
    wanted = Wanted(state="held")
    pages = [await store.statuses.records(wanted, offset=start, limit=2) for start in (0, 2, 4)]
    assert [each.record_id for page in pages for each in page] == ["0", "1", "2", "3", "4"]
    assert await store.statuses.records(Wanted(state="in-step")) == []
