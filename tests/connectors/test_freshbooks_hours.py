"""Requests and answers of FreshBooks' time entries."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from connectors.errors import ConnectorError, Forbidden, NotFound, RateLimited, Refused, Unauthorized, Unavailable
from connectors.freshbooks import HOURS_SCOPES, PROJECT_SCOPES
from connectors.freshbooks.hooks import HOURS_EVENTS, parse_delivery, parse_fields
from connectors.freshbooks.hour_models import TimeEntry
from connectors.freshbooks.hours import EntryFilter, ReadEntry
from tests.connectors.freshbooks_hours import ENTRY, MISSING, entries, entry, hours, no

ENTRIES = "/timetracking/business/880001/time_entries"
UNBILLED = EntryFilter(billed=False)


def as_read() -> ReadEntry:
    return ReadEntry(TimeEntry.model_validate(ENTRY), ENTRY)


async def test_an_hour_and_a_half_is_read_with_its_start_in_utc() -> None:
    api, script = hours(entry())
    read = await api.time_entry(910001)
    assert (script.sent[0].method, script.sent[0].url.path) == ("GET", f"{ENTRIES}/910001")
    assert "content-type" not in script.sent[0].headers  # FreshBooks advises against one on reads
    assert read is not None
    assert (read.entry.started_at, read.entry.duration) == (datetime(2026, 3, 2, 9, tzinfo=UTC), 5400)
    assert (read.entry.client_id, read.entry.project_id, read.entry.service_id) == (330101, 6001, 41)
    assert (read.entry.is_logged, read.entry.billable, read.entry.billed, read.entry.active) == (
        True,
        True,
        False,
        True,
    )


async def test_numbers_as_text_and_zeros_for_nothing_are_read_all_the_same() -> None:
    said = {
        "id": "910001",
        "duration": "5400",
        "client_id": "330101",
        "project_id": 0,
        "started_at": "2026-03-02T09:00",
    }
    api, _ = hours(entry(**said, some_new_key=[{"a": 1}]))
    read = await api.time_entry(910001)
    assert read is not None
    assert (read.entry.id, read.entry.duration) == (910001, 5400)
    assert (read.entry.client_id, read.entry.project_id) == (330101, None)
    assert read.entry.started_at == datetime(2026, 3, 2, 9, tzinfo=UTC)


async def test_a_timer_that_still_runs_has_no_duration_and_cannot_be_billed() -> None:
    running = {"is_logged": False, "duration": None, "timer": {"id": 1, "is_running": True}}
    api, script = hours(entry(**running))
    read = await api.time_entry(910001)
    assert read is not None
    assert (read.entry.duration, read.entry.timer and read.entry.timer.is_running) == (None, True)
    with pytest.raises(Refused, match="time entry 910001 is a timer that still runs"):
        await api.mark_billed(read)
    assert len(script.sent) == 1


async def test_a_time_entry_in_a_log_line_shows_its_number_and_no_note() -> None:
    api, _ = hours(entry(note="For Nora Quist"))
    read = await api.time_entry(910001)
    assert read is not None
    assert repr(read) == "ReadEntry(entry=TimeEntry(id=910001))"


@pytest.mark.parametrize("answer", [no(404, MISSING), entry(active=False)])
async def test_a_deleted_time_entry_is_none_however_freshbooks_says_so(answer: httpx.Response) -> None:
    api, _ = hours(answer)
    assert await api.time_entry(910001) is None


async def test_everybodys_hours_of_a_period_are_asked_for_in_utc() -> None:
    """F32: midnight in Stockholm is eleven in the evening of the day before."""
    stockholm = timezone(timedelta(hours=1))
    wanted = EntryFilter(
        billable=True,
        billed=False,
        client_id=330101,
        project_id=6001,
        identity_id=7001,
        started_from=datetime(2026, 3, 1, tzinfo=stockholm),
        started_to=datetime(2026, 4, 1, tzinfo=stockholm),
        updated_since=datetime(2026, 3, 5, 12, 0, 0, 999, tzinfo=UTC),
        include_deleted=True,
        include_unlogged=True,
    )
    api, script = hours(entries({}, page=2, pages=3))
    page = await api.time_entries_page(wanted, 2)
    assert ([each.id for each in page.items], page.has_more, page.page, page.pages) == ([910001], True, 2, 3)
    assert script.sent[0].url.path == ENTRIES
    assert script.query == {
        "team": "true",
        "billable": "true",
        "billed": "false",
        "client_id": "330101",
        "project_id": "6001",
        "identity_id": "7001",
        "started_from": "2026-02-28T23:00:00Z",
        "started_to": "2026-03-31T23:00:00Z",
        "updated_since": "2026-03-05T12:00:00Z",
        "include_deleted": "true",
        "include_unlogged": "true",
        "page": "2",
        "per_page": "100",
    }


async def test_without_wishes_the_whole_team_is_listed_and_nothing_hidden() -> None:
    """Without `team` FreshBooks lists the caller's own hours alone."""
    api, script = hours(entries())
    assert (await api.time_entries_page(EntryFilter(), 1)).items == []
    assert script.query == {"team": "true", "page": "1", "per_page": "100"}


async def test_an_instant_without_a_zone_is_not_sent() -> None:
    api, script = hours()
    with pytest.raises(ValueError, match="time zone"):
        await api.time_entries_page(EntryFilter(started_from=datetime(2026, 3, 1)), 1)  # noqa: DTZ001
    assert not script.sent


MARCH = EntryFilter(started_from=datetime(2026, 3, 1, tzinfo=UTC), started_to=datetime(2026, 4, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("wanted", "stray"),
    [
        (EntryFilter(billed=False), {"billed": True}),
        (EntryFilter(billable=True), {"billable": False}),
        (EntryFilter(client_id=330101), {"client_id": 330102}),
        (EntryFilter(project_id=6001), {"project_id": None}),
        (EntryFilter(identity_id=7001), {"identity_id": 7002}),
        (EntryFilter(), {"active": False}),
        (EntryFilter(), {"is_logged": False, "duration": None}),
        (MARCH, {"started_at": "2026-02-28T23:59:59Z"}),
        (MARCH, {"started_at": "2026-04-01T00:00:01Z"}),
    ],
)
async def test_what_an_ignored_filter_lets_through_is_left_out(wanted: EntryFilter, stray: dict[str, Any]) -> None:
    """FreshBooks answers a filter that it does not know with everything."""
    api, _ = hours(entries({}, {"id": 910002, **stray}, page=1, pages=2))
    page = await api.time_entries_page(wanted, 1)
    assert ([each.id for each in page.items], page.has_more) == ([910001], True)


async def test_time_that_names_only_its_project_may_be_the_clients() -> None:
    api, _ = hours(entries({"client_id": None}))
    assert len((await api.time_entries_page(EntryFilter(client_id=330101), 1)).items) == 1


async def test_a_page_of_other_peoples_hours_is_not_the_end() -> None:
    """What is left out here does not end the list; only what FreshBooks has not does."""
    api, _ = hours(entries({"billed": True}, page=1, pages=2))
    page = await api.time_entries_page(UNBILLED, 1)
    assert (page.items, page.has_more) == ([], True)


async def test_a_list_that_shrinks_while_it_is_read_ends_with_its_empty_page() -> None:
    """S62: entries were billed meanwhile, so the third of three pages is past the end of two."""
    api, _ = hours(entries({}, page=2, pages=3), entries(page=3, pages=2), entries(page=1, pages=0))
    pages = [await api.time_entries_page(UNBILLED, number) for number in (2, 3, 1)]
    assert [each.has_more for each in pages] == [True, False, False]


async def test_an_empty_page_is_the_end_whatever_the_total_says() -> None:
    """S62: `total` was seen to count entries that the user may not read."""
    api, _ = hours(entries(page=1, pages=9))
    assert not (await api.time_entries_page(UNBILLED, 1)).has_more


async def test_an_entry_is_marked_as_billed_with_all_that_it_said_before() -> None:
    """F31: a PUT replaces the entry, so whoever worked, and fields that we do not know, are sent again; null is not."""
    said = {"retainer_id": 12, "rate": 110.5, "surcharge": "night", "timer": {"id": 3, "is_running": False}}
    api, script = hours(entry(**said), entry(**said, billed=True))
    read = await api.time_entry(910001)
    assert read is not None
    after = await api.mark_billed(read)
    assert (after.id, after.billed) == (910001, True)
    assert (script.sent[1].method, script.sent[1].url.path) == ("PUT", f"{ENTRIES}/910001")
    assert script.body == {
        "time_entry": {
            "identity_id": 7001,
            "is_logged": True,
            "started_at": "2026-03-02T09:00:00Z",
            "local_started_at": "2026-03-02T10:00:00",
            "local_timezone": "Europe/Stockholm",
            "duration": 5400,
            "client_id": 330101,
            "project_id": 6001,
            "service_id": 41,
            "note": "Kick-off",
            "billable": True,
            "billed": True,
            "internal": False,
            "retainer_id": 12,
            "rate": "110.5",
            "surcharge": "night",
        }
    }


async def test_a_mark_is_taken_back() -> None:
    api, script = hours(entry(billed=True), entry())
    read = await api.time_entry(910001)
    assert read is not None
    assert not (await api.mark_billed(read, billed=False)).billed
    assert script.body["time_entry"]["billed"] is False


async def test_an_entry_that_is_billed_already_is_not_written() -> None:
    api, script = hours(entry(billed=True))
    read = await api.time_entry(910001)
    assert read is not None
    assert (await api.mark_billed(read)) == read.entry
    assert len(script.sent) == 1


async def test_a_mark_that_freshbooks_takes_and_forgets_is_told_to_a_person() -> None:
    """F31: HTTP 200, and nothing has changed."""
    api, _ = hours(entry())
    with pytest.raises(Refused, match="time entry 910001 and does not show it as billed: mark it there by hand"):
        await api.mark_billed(as_read())


async def test_a_lost_answer_to_a_mark_may_be_asked_for_again() -> None:
    """Marking twice says the same, so it is no unknown outcome."""
    api, _ = hours(httpx.ReadTimeout("slow"))
    with pytest.raises(Unavailable, match="mark time entry 910001 as billed"):
        await api.mark_billed(as_read())


NOT_AUTHENTICATED = {
    "error": "unauthenticated",
    "error_description": "This action requires authentication to continue.",
}


@pytest.mark.parametrize(
    ("answer", "error", "problems"),
    [
        (no(404, MISSING), NotFound, [(None, None)]),
        (no(401, NOT_AUTHENTICATED), Unauthorized, None),
        (no(401, {"message": "The server could not verify that you are authorized"}), Unauthorized, None),
        (no(403, NOT_AUTHENTICATED), Unauthorized, None),
        (no(403, {"message": "Permission denied for Nora"}), Forbidden, [(None, None)]),
        (
            no(422, {"errno": 2001, "error": {"started_at": "field required", "__root__": "must have a duration"}}),
            Refused,
            [("started_at", "2001"), ("__root__", "2001")],
        ),
        (no(200, {"errno": 2001, "error": {"duration": "field required"}}), Refused, [("duration", "2001")]),
        (no(500, {"error": "An internal error has occurred."}), Unavailable, None),
        (httpx.Response(200, content=b'{"time_entry": {"id": 910001, "note": "For Nor'), Unavailable, None),
        (httpx.Response(200, json={"time_entry": {**ENTRY, "duration": "Nora"}}), Unavailable, None),
        (httpx.Response(200, json={"time_entries": []}), Unavailable, None),
    ],
)
async def test_what_freshbooks_refuses_is_named_by_what_helps_and_quotes_nobody(
    answer: httpx.Response, error: type[ConnectorError], problems: list[tuple[str | None, str | None]] | None
) -> None:
    """S17."""
    api, _ = hours(answer)
    with pytest.raises(error) as caught:
        await api.mark_billed(as_read())
    assert caught.type is error
    assert "time entry 910001" in str(caught.value)
    assert "Nor" not in str(caught.value)
    if problems is not None:
        assert isinstance(caught.value, Refused)
        assert [(each.field, each.code) for each in caught.value.problems] == problems


async def test_after_too_many_requests_nothing_is_sent_for_as_long_as_freshbooks_says() -> None:
    """S61: the whole account waits, not this list alone."""
    api, script = hours(no(429, {"message": "Too many requests"}, **{"Retry-After": "57"}))
    with pytest.raises(RateLimited) as caught:
        await api.time_entries_page(UNBILLED, 1)
    assert caught.value.retry_after == timedelta(seconds=57)
    with pytest.raises(RateLimited):
        await api.projects()
    assert len(script.sent) == 1


async def test_a_list_that_ends_in_the_middle_is_no_short_list() -> None:
    whole = entries({}, {"id": 910002}).content
    api, _ = hours(httpx.Response(200, content=whole[: len(whole) // 2]))
    with pytest.raises(Unavailable, match="list time entries, page 1"):
        await api.time_entries_page(UNBILLED, 1)


async def test_a_list_that_does_not_say_how_long_it_is_is_not_believed() -> None:
    api, _ = hours(httpx.Response(200, json={"time_entries": [ENTRY]}))
    with pytest.raises(Unavailable):
        await api.time_entries_page(UNBILLED, 1)


@pytest.mark.parametrize("noun", HOURS_EVENTS)
@pytest.mark.parametrize("verb", ["create", "update", "delete"])
def test_a_delivery_about_hours_says_what_to_fetch(noun: str, verb: str) -> None:
    body = f"name={noun}.{verb}&object_id=910001&account_id=aB3xYz&business_id=880001&identity_id=7001&user_id=1"
    delivery = parse_delivery(parse_fields(body.encode()))
    assert (delivery.noun, delivery.verb, delivery.object_id) == (noun, verb, 910001)


def test_every_event_of_hours_has_the_right_that_it_needs() -> None:
    rights = {"time_entry": "time_entries", "project": "projects", "service": "billable_items"}
    assert {f"user:{rights[noun]}:read" for noun in HOURS_EVENTS} <= {each.name for each in HOURS_SCOPES}
    assert {"user:projects:read", "user:projects:write"} == {each.name for each in PROJECT_SCOPES}
