"""Anchors: the head of the audit log is written down where a change of the database does not reach it."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import delete
from structlog.testing import capture_logs

from runtime.keys import KeyRing
from store import audit_anchors
from store.audit_anchors import Anchors, LogAltered, WrongAnchor, parse_anchor
from store.store import Store
from store.tables import AuditRow
from tests.databases import TEST_KEYS
from tests.store.logbook import anchored, intruder, problems, written


@pytest.fixture
def anchors(sqlite_store: Store, tmp_path: Path) -> Anchors:
    return Anchors(tmp_path, sqlite_store.database, TEST_KEYS)


async def test_an_anchor_is_one_line_that_names_the_head(sqlite_store: Store, anchors: Anchors) -> None:
    await written(sqlite_store, 3)
    newest = await anchors.write()
    assert newest == (await anchored(sqlite_store)).head
    (kept,) = anchors.read()
    assert (kept.head, kept.problem) == (newest, "")
    assert kept.origin == f"line 1 of {anchors.path}"
    assert await problems(sqlite_store, *anchors.read()) == []


async def test_the_same_head_is_anchored_once(sqlite_store: Store, anchors: Anchors) -> None:
    await written(sqlite_store, 1)
    assert await anchors.write() is not None
    assert await anchors.write() is None
    assert len(list(anchors.read())) == 1


async def test_before_the_first_write_there_is_nothing_to_anchor(anchors: Anchors) -> None:
    assert await anchors.write() is None
    assert not anchors.path.exists()


async def test_a_cut_tail_is_found_by_the_file_of_anchors(sqlite_store: Store, anchors: Anchors) -> None:
    await written(sqlite_store, 3)
    await anchors.write()
    async with intruder(sqlite_store) as session:
        await session.execute(delete(AuditRow).where(AuditRow.seq == 3))
    found = await problems(sqlite_store, *anchors.read())
    assert found[-1].startswith(f"row 3 is gone, which line 1 of {anchors.path} holds")


async def test_a_log_that_was_cut_is_not_anchored_again(sqlite_store: Store, anchors: Anchors) -> None:
    """Else the next anchor would vouch for what is left."""
    await written(sqlite_store, 3)
    await anchors.write()
    async with intruder(sqlite_store) as session:
        await session.execute(delete(AuditRow).where(AuditRow.seq >= 2))
    with pytest.raises(LogAltered, match="row 3 of the audit log is not the one that was anchored"):
        await anchors.write()
    await written(sqlite_store, 5)
    with pytest.raises(LogAltered):
        await anchors.write(if_due=True)
    assert len(list(anchors.read())) == 1


async def test_an_anchor_is_due_after_an_hour_or_after_many_rows(
    sqlite_store: Store, anchors: Anchors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_anchors, "EVERY_ROWS", 4)
    await written(sqlite_store, 1)
    assert await anchors.write(if_due=True) is not None
    await written(sqlite_store, 3)
    assert await anchors.write(if_due=True) is None
    await written(sqlite_store, 1)
    newest = await anchors.write(if_due=True)
    assert newest is not None
    assert newest.seq == 5
    await written(sqlite_store, 1)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61)):
        assert await anchors.write(if_due=True) is not None
        assert await anchors.write(if_due=True) is None


async def test_an_anchor_that_somebody_wrote_or_changed_is_not_believed(sqlite_store: Store, anchors: Anchors) -> None:
    """Whoever cut the log may want the anchor to fit what is left."""
    await written(sqlite_store, 3)
    await anchors.write()
    anchors.path.write_text(anchors.path.read_text().replace('"3:', '"2:') + "nonsense\n")
    assert await problems(sqlite_store, *anchors.read()) == [
        f"line 1 of {anchors.path} is not as it was written, or its key is not here",
        f"line 2 of {anchors.path} is not as it was written, or its key is not here",
    ]


async def test_an_anchor_of_another_installation_is_not_believed(sqlite_store: Store, anchors: Anchors) -> None:
    await written(sqlite_store, 1)
    await Anchors(anchors.path.parent, sqlite_store.database, KeyRing({"k1": bytes(32)})).write()
    (kept,) = anchors.read()
    assert kept.problem


async def test_a_line_that_a_power_cut_tore_does_not_take_the_next_one_with_it(
    sqlite_store: Store, anchors: Anchors
) -> None:
    anchors.path.write_text('{"at": "2026-03-02T12')
    await written(sqlite_store, 1)
    await anchors.write()
    torn, whole = anchors.read()
    assert (bool(torn.problem), whole.problem) == (True, "")


async def test_a_person_gives_the_anchor_that_was_kept_outside(sqlite_store: Store) -> None:
    await written(sqlite_store, 2)
    kept = parse_anchor(f" {(await anchored(sqlite_store)).head}\n")
    assert await problems(sqlite_store, kept) == []
    await written(sqlite_store, 1)
    assert await problems(sqlite_store, kept) == []


@pytest.mark.parametrize("text", ["", "12", "12:abcd", "twelve:" + 64 * "0", "12:" + 64 * "g"])
def test_what_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(WrongAnchor, match="an anchor is a number, a colon and 64 hexadecimal digits"):
        parse_anchor(text)


async def test_the_worker_anchors_by_itself_and_tells_its_log(sqlite_store: Store, anchors: Anchors) -> None:
    """Several workers on PostgreSQL: whoever collects their logs holds the heads outside."""
    await written(sqlite_store, 2)
    with capture_logs() as said:
        async with anchors.kept_up():
            await asyncio.sleep(0.3)
    assert [(each["event"], each["head"]) for each in said] == [
        ("audit log anchored", str((await anchored(sqlite_store)).head))
    ]


async def test_the_worker_says_once_that_the_log_was_altered_and_goes_on(
    sqlite_store: Store, anchors: Anchors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_anchors, "LOOK_EVERY", timedelta(milliseconds=10))
    await written(sqlite_store, 2)
    await anchors.write()
    async with intruder(sqlite_store) as session:
        await session.execute(delete(AuditRow))
    with capture_logs() as said:
        async with anchors.kept_up():
            await asyncio.sleep(0.3)
    assert [(each["event"], each["log_level"]) for each in said] == [("audit log altered", "error")]


async def test_a_full_disk_does_not_stop_the_worker(sqlite_store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    await written(sqlite_store, 1)
    with capture_logs() as said:
        async with Anchors(tmp_path / "file", sqlite_store.database, TEST_KEYS).kept_up():
            await asyncio.sleep(0.3)
    assert [each["event"] for each in said] == ["audit log not anchored"]
