"""On which day, and in which period of billing, work falls: by the clock on the business's wall."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from mapping.periods import (
    Calendar,
    ClosingDays,
    EveryWeeks,
    Monthly,
    NotUtc,
    Period,
    latest_ended,
    local_day,
    midnight,
    period_of,
)

BERLIN, NEW_YORK, SYDNEY = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Sydney")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("began", "zone", "day"),
    [
        ("2026-03-31T21:59", BERLIN, "2026-03-31"),
        ("2026-03-31T22:00", BERLIN, "2026-04-01"),  # midnight in summer
        ("2026-12-31T22:59", BERLIN, "2026-12-31"),
        ("2026-12-31T23:00", BERLIN, "2027-01-01"),  # midnight in winter
        ("2026-11-01T03:59", NEW_YORK, "2026-10-31"),
        ("2026-12-01T04:59", NEW_YORK, "2026-11-30"),
        ("2026-12-01T05:00", NEW_YORK, "2026-12-01"),
        ("2026-06-30T13:59", SYDNEY, "2026-06-30"),
        ("2026-06-30T14:00", SYDNEY, "2026-07-01"),
        ("2026-12-31T13:00", SYDNEY, "2027-01-01"),
    ],
)
def test_work_at_the_end_of_a_month_falls_on_the_day_of_the_business(began: str, zone: ZoneInfo, day: str) -> None:
    """F32"""
    assert local_day(utc(began), zone) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-03-29", BERLIN, 23),
        ("2026-10-25", BERLIN, 25),
        ("2026-03-08", NEW_YORK, 23),
        ("2026-11-01", NEW_YORK, 25),
        ("2026-10-04", SYDNEY, 23),
        ("2026-04-05", SYDNEY, 25),
        ("2026-06-15", BERLIN, 24),
    ],
)
def test_the_nights_on_which_clocks_change_make_short_and_long_days(day: str, zone: ZoneInfo, hours: int) -> None:
    """F32"""
    one_day = Period(date.fromisoformat(day), date.fromisoformat(day))
    starts, ends = one_day.starts_at(zone), one_day.ends_at(zone)
    assert starts is not None
    assert ends is not None
    assert ends - starts == timedelta(hours=hours)


def test_both_of_the_hours_that_come_twice_are_of_the_same_day() -> None:
    """F32: in Berlin 02:30 comes at 00:30 and again at 01:30 UTC."""
    assert {local_day(utc(f"2026-10-25T0{hour}:30"), BERLIN) for hour in (0, 1)} == {date(2026, 10, 25)}


def test_a_day_that_has_no_midnight_begins_when_the_clocks_have_gone_forward() -> None:
    """F32: on 4 November 2018 in Sao Paulo, 23:59 was followed by 01:00."""
    zone = ZoneInfo("America/Sao_Paulo")
    begins = midnight(date(2018, 11, 4), zone)
    assert begins == utc("2018-11-04T03:00")
    assert local_day(begins, zone) == date(2018, 11, 4)
    assert local_day(begins - timedelta(seconds=1), zone) == date(2018, 11, 3)


@pytest.mark.parametrize(
    "began", [utc("2026-03-31T22:00").replace(tzinfo=None), datetime(2026, 4, 1, tzinfo=timezone(timedelta(hours=2)))]
)
def test_an_instant_that_is_not_in_utc_is_refused(began: datetime) -> None:
    """F32: FreshBooks also sends local times, which would move work by hours if they were taken for UTC."""
    with pytest.raises(NotUtc, match="convert it where it is read"):
        local_day(began, BERLIN)


def test_a_month_has_all_its_days() -> None:
    assert str(Monthly().period_of(date(2028, 2, 29))) == "2028-02-01..2028-02-29"
    assert str(Monthly().period_of(date(2026, 12, 31))) == "2026-12-01..2026-12-31"
    assert str(Monthly().period_of(date(2027, 1, 1))) == "2027-01-01..2027-01-31"


def test_a_week_begins_on_monday_unless_it_is_said_otherwise() -> None:
    """1 April 2026 is a Wednesday."""
    assert str(EveryWeeks().period_of(date(2026, 4, 1))) == "2026-03-30..2026-04-05"
    sundays = EveryWeeks(anchor=date(2026, 1, 4))
    assert str(sundays.period_of(date(2026, 4, 1))) == "2026-03-29..2026-04-04"


def test_every_other_week_is_counted_from_the_anchor_in_both_directions() -> None:
    fortnights = EveryWeeks(2, date(2026, 1, 5))
    asked = [date(2026, 1, 4), date(2026, 1, 5), date(2026, 1, 18), date(2026, 1, 19)]
    assert [str(fortnights.period_of(day)) for day in asked] == [
        "2025-12-22..2026-01-04",
        "2026-01-05..2026-01-18",
        "2026-01-05..2026-01-18",
        "2026-01-19..2026-02-01",
    ]


def test_closing_days_end_periods_and_may_be_given_in_any_order() -> None:
    quarters = ClosingDays((date(2026, 6, 25), date(2026, 3, 25)))
    asked = [date(2026, 3, 25), date(2026, 3, 26), date(2026, 6, 25)]
    assert [str(quarters.period_of(day)) for day in asked] == [
        "..2026-03-25",
        "2026-03-26..2026-06-25",
        "2026-03-26..2026-06-25",
    ]


def test_after_the_last_closing_day_nothing_ends_until_another_is_given() -> None:
    calendar = ClosingDays((date(2026, 3, 25),))
    open_end = calendar.period_of(date(2026, 3, 26))
    assert str(open_end) == "2026-03-26.."
    assert open_end.ends_at(BERLIN) is None
    assert not open_end.has_ended(utc("2099-01-01T00:00"), BERLIN)
    assert latest_ended(calendar, utc("2099-01-01T00:00"), BERLIN) == Period(None, date(2026, 3, 25))


@pytest.mark.parametrize(
    ("now", "zone", "latest"),
    [
        ("2026-03-31T21:59", BERLIN, "2026-02-01..2026-02-28"),
        ("2026-03-31T22:00", BERLIN, "2026-03-01..2026-03-31"),
        ("2026-04-01T03:59", NEW_YORK, "2026-02-01..2026-02-28"),
        ("2026-04-01T04:00", NEW_YORK, "2026-03-01..2026-03-31"),
    ],
)
def test_a_month_is_billed_once_it_is_over_where_the_business_is(now: str, zone: ZoneInfo, latest: str) -> None:
    """F32, Z96: not a minute too early, and at once."""
    found = latest_ended(Monthly(), utc(now), zone)
    assert str(found) == latest
    assert found is not None
    assert found.has_ended(utc(now), zone)
    assert not period_of(utc(now), Monthly(), zone).has_ended(utc(now), zone)


def test_before_the_first_closing_day_nothing_has_ended() -> None:
    assert latest_ended(ClosingDays((date(2026, 3, 25),)), utc("2026-03-25T12:00"), BERLIN) is None


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: EveryWeeks(0),
        lambda: ClosingDays(()),
        lambda: ClosingDays((date(2026, 3, 25), date(2026, 3, 25))),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(wrong: Callable[[], Calendar]) -> None:
    with pytest.raises(ValueError, match="at least"):
        wrong()
