"""FreshBooks writes US Eastern wall time: both nights on which that is not a plain subtraction."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.freshbooks.models import EASTERN, eastern_day, from_eastern


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-02 09:00:05", "2026-03-02 14:00:05"),  # winter: five hours behind
        ("2026-07-01 09:00:05", "2026-07-01 13:00:05"),  # summer: four
        ("2026-03-08 01:59:59", "2026-03-08 06:59:59"),  # the last second of winter
        ("2026-03-08 03:00:00", "2026-03-08 07:00:00"),  # and the first of summer, one second later
        ("2026-03-08 02:30:00", "2026-03-08 07:30:00"),  # a time that no clock showed
        ("2026-11-01 00:59:59", "2026-11-01 04:59:59"),
        ("2026-11-01 01:30:00", "2026-11-01 05:30:00"),  # shown twice: the earlier one
        ("2026-11-01 02:00:00", "2026-11-01 07:00:00"),
        ("2026-12-31 23:30:00", "2027-01-01 04:30:00"),
        ("2026-03-02 09:00:05.250000", "2026-03-02 14:00:05.250000"),
        ("2026-03-02T14:00:05Z", "2026-03-02 14:00:05"),
    ],
)
def test_a_timestamp_of_the_books_becomes_the_instant_it_meant(written: str, meant: str) -> None:
    """S43, F32."""
    assert from_eastern(written) == datetime.fromisoformat(meant).replace(tzinfo=UTC)


@pytest.mark.parametrize("written", ["", "soon", "2026-13-01 00:00:00", "02/03/2026"])
def test_a_timestamp_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_eastern(written)


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2040, 1, 1)))  # noqa: DTZ001
def test_no_change_ever_looks_newer_than_it_is_nor_more_than_an_hour_older(instant: datetime) -> None:
    """S43: merging by the newest edit must not prefer a stale one because of the clocks."""
    meant = instant.replace(tzinfo=UTC, microsecond=0)
    read = from_eastern(meant.astimezone(EASTERN).strftime("%Y-%m-%d %H:%M:%S"))
    assert read in (meant, meant - timedelta(hours=1))


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 3, 2, 4, 59, 59, tzinfo=UTC), date(2026, 3, 1)),
        (datetime(2026, 3, 2, 5, 0, tzinfo=UTC), date(2026, 3, 2)),
        (datetime(2026, 7, 1, 3, 59, 59, tzinfo=UTC), date(2026, 6, 30)),
        (datetime(2026, 7, 1, 4, 0, tzinfo=UTC), date(2026, 7, 1)),
    ],
)
def test_a_sweep_starts_on_the_day_that_it_is_in_new_york(instant: datetime, day: date) -> None:
    """F32."""
    assert eastern_day(instant) == day
