"""What holds of every calendar, zone and instant: periods leave no gap and do not overlap."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from mapping.periods import Calendar, ClosingDays, EveryWeeks, Monthly, Period, latest_ended, local_day, period_of
from tests.mapping.parties import patient

ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Sydney"]).map(ZoneInfo)
DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
CALENDARS: st.SearchStrategy[Calendar] = (
    st.just(Monthly())
    | st.builds(EveryWeeks, st.integers(1, 8), DAYS)
    | st.lists(DAYS, min_size=1, max_size=6, unique=True).map(lambda days: ClosingDays(tuple(days)))
)
# Within a day of the nights on which clocks change, and of the ends of months, as often as anywhere else.
_EDGES = [
    datetime(2026, month, day, tzinfo=UTC)
    for month, day in [(3, 8), (3, 29), (4, 5), (10, 4), (10, 25), (11, 1), (1, 1), (2, 28), (3, 1), (12, 31)]
]
_NEAR = st.builds(
    lambda edge, seconds: edge + timedelta(seconds=seconds),
    st.sampled_from(_EDGES),
    st.integers(-90_000, 90_000),
)
_ANYWHERE = st.builds(
    lambda day, seconds: datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=seconds),
    DAYS,
    st.integers(0, 86_399),
)
INSTANTS = _NEAR | _ANYWHERE


@patient
@given(CALENDARS, DAYS)
def test_every_day_is_in_its_period_and_the_neighbours_begin_where_it_ends(calendar: Calendar, day: date) -> None:
    """F32"""
    period = calendar.period_of(day)
    assert day in period
    for edge, step in ((period.first, -1), (period.last, 1)):
        if edge is None:
            continue
        assert calendar.period_of(edge) == period
        neighbour = calendar.period_of(edge + timedelta(days=step))
        assert edge not in neighbour
        assert edge + timedelta(days=step) not in period


@patient
@given(CALENDARS, st.lists(INSTANTS, min_size=1, max_size=20), ZONES)
def test_every_instant_belongs_to_exactly_one_of_all_periods(
    calendar: Calendar, instants: list[datetime], zone: ZoneInfo
) -> None:
    """F32"""
    periods = {period_of(instant, calendar, zone) for instant in instants}
    for instant in instants:
        assert [local_day(instant, zone) in each for each in periods].count(True) == 1


@patient
@given(CALENDARS, INSTANTS, ZONES)
@example(Monthly(), datetime(2026, 3, 31, 22, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
@example(EveryWeeks(1, date(2026, 3, 29)), datetime(2026, 3, 29, 1, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
def test_an_instant_lies_between_the_beginning_and_the_end_of_its_period(
    calendar: Calendar, instant: datetime, zone: ZoneInfo
) -> None:
    """F32: what is asked of FreshBooks with `started_from` and `started_to` is what belongs to the period."""
    period = period_of(instant, calendar, zone)
    starts, ends = period.starts_at(zone), period.ends_at(zone)
    assert starts is None or starts <= instant
    assert ends is None or instant < ends
    if starts is not None:
        before = calendar.period_of(local_day(starts - timedelta(seconds=1), zone))
        assert before.ends_at(zone) == starts


@patient
@given(CALENDARS, INSTANTS, ZONES)
def test_the_period_to_bill_is_the_one_before_the_running_one(
    calendar: Calendar, now: datetime, zone: ZoneInfo
) -> None:
    latest, running = latest_ended(calendar, now, zone), period_of(now, calendar, zone)
    assert not running.has_ended(now, zone)
    if latest is None:
        assert running.first is None
    else:
        assert latest.has_ended(now, zone)
        assert latest.ends_at(zone) == running.starts_at(zone)


@patient
@given(CALENDARS, DAYS, st.integers(0, 400))
def test_later_days_never_fall_into_earlier_periods(calendar: Calendar, day: date, later: int) -> None:
    def begins(period: Period) -> date:
        return period.first or date.min

    assert begins(calendar.period_of(day)) <= begins(calendar.period_of(day + timedelta(days=later)))
