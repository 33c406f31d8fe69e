from datetime import UTC, datetime, timedelta

from store.reconciliation_models import Drift, Mismatch, SideCount
from store.reconciliation_pieces import ListProgress, NewReport, Outcome
from store.store import Store

DRIFT = Mismatch(
    number=1,
    kind="field-drift",
    cause="unknown",
    repair="sync",
    crm_ids=("7",),
    books_ids=("90210",),
    name="Anna Kovač",
    drifts=(Drift("email", "anna@new.example", "anna@old.example"),),
    explanation="the party changed",
)


def _report(report_id: str, version: str = "v1") -> NewReport:
    return NewReport(report_id, "acme", "clients", version)


def _lately() -> datetime:
    return datetime.now(UTC) - timedelta(hours=6)


async def _finished(store: Store, report_id: str, *found: Mismatch, new: int = 0) -> None:
    await store.reconciliations.begin(_report(report_id), _lately())
    await store.reconciliations.add([store.reconciliations.row(report_id, each, f"f{each.number}") for each in found])
    sides = (SideCount("crm", "capsule", 2, 1, is_complete=True), SideCount("books", "freshbooks", 2, 1, True))
    outcome = Outcome(sides, in_step=1, counts={"field-drift": len(found)}, new_mismatches=new)
    assert await store.reconciliations.finish(report_id, outcome, "hash")


async def test_a_report_is_listed_with_its_numbers_and_its_mismatches(store: Store) -> None:
    """S32."""
    await _finished(store, "report-1", DRIFT)
    await _finished(store, "report-2")

    newest, first = await store.reconciliations.heads("acme", "clients", 10)

    assert (newest.id, first.id) == ("report-2", "report-1")
    assert first.state == "done"
    assert first.is_complete
    assert first.counts == {"field-drift": 1}
    assert await store.reconciliations.mismatches("report-1") == [DRIFT]
    assert await store.reconciliations.mismatches("report-1", kind="duplicate") == []
    assert await store.reconciliations.mismatches("report-1", offset=1) == []
    assert await store.reconciliations.heads("other", None, 10) == []


async def test_a_comparison_that_was_cut_off_is_gone_on_with_where_it_was(store: Store) -> None:
    await store.reconciliations.begin(_report("report-1"), _lately())
    await store.reconciliations.advance("report-1", "crm", 1, 100, has_more=True)
    await store.reconciliations.advance("report-1", "crm", 1, 100, has_more=True)

    again = await store.reconciliations.begin(_report("report-2"), _lately())

    assert again.id == "report-1"
    assert await store.reconciliations.progress("report-1") == {"crm": ListProgress(2, pages=1, records=100)}


async def test_a_comparison_under_another_mapping_is_given_up(store: Store) -> None:
    await store.reconciliations.begin(_report("report-1"), _lately())

    again = await store.reconciliations.begin(_report("report-2", "v2"), _lately())

    given_up = await store.reconciliations.head("report-1")
    assert again.id == "report-2"
    assert given_up is not None
    assert given_up.state == "given-up"
    assert not await store.reconciliations.finish("report-1", Outcome(), "hash")


async def test_people_are_told_once_of_a_report_with_new_mismatches_and_not_of_one_without(store: Store) -> None:
    """S31."""
    await _finished(store, "report-1", DRIFT, new=1)
    told = await store.alerts.listed()
    await _finished(store, "report-2", DRIFT)

    assert [(alert.connection, alert.reason) for alert, _ in told] == [("acme", "mismatches")]
    assert await store.alerts.listed() == []


async def test_erasing_reaches_what_reports_say_of_people(store: Store) -> None:
    await _finished(store, "report-1", DRIFT)
    await store.reconciliations.begin(_report("report-2"), _lately())
    await store.reconciliations.staging.put("report-2", "crm", {"7": {"name": "Anna Kovač"}})

    await store.reconciliations.erase_values("acme")

    (left,) = await store.reconciliations.mismatches("report-1")
    running = await store.reconciliations.head("report-2")
    assert (left.kind, left.name, left.drifts, left.crm_ids) == ("field-drift", "", (), ())
    assert await store.reconciliations.staging.count("report-2") == {}
    assert running is not None
    assert running.state == "given-up"


async def test_what_was_handed_to_record_workflows_is_not_handed_over_again(store: Store) -> None:
    await _finished(store, "report-1", DRIFT)
    assert await store.reconciliations.to_repair("report-1", 10) == [DRIFT]

    await store.reconciliations.announced("report-1", [1])

    head = await store.reconciliations.head("report-1")
    assert await store.reconciliations.to_repair("report-1", 10) == []
    assert head is not None
    assert head.repaired == 1
