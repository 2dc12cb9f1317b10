from datetime import UTC, date, datetime, timedelta

from contracts.clock import available_at, day_bounds, days_between, hour_end, trailing_days


def test_a_day_in_shanghai_begins_eight_hours_before_utc_midnight() -> None:
    start, end = day_bounds(date(2022, 4, 30), "Asia/Shanghai")
    assert start == datetime(2022, 4, 29, 16, tzinfo=UTC)
    assert end == datetime(2022, 4, 30, 16, tzinfo=UTC)


def test_a_day_has_23_hours_when_the_clocks_go_forward() -> None:
    start, end = day_bounds(date(2026, 3, 29), "Europe/Berlin")
    assert end - start == timedelta(hours=23)


def test_derived_rows_are_available_after_the_end_of_their_day_plus_the_delay() -> None:
    assert available_at(date(2026, 1, 1), "UTC", 180) == datetime(2026, 1, 2, 3, tzinfo=UTC)


def test_ranges_of_days_include_both_ends() -> None:
    assert list(days_between(date(2026, 1, 30), date(2026, 2, 1)))[1:] == [date(2026, 1, 31), date(2026, 2, 1)]
    assert list(days_between(date(2026, 1, 2), date(2026, 1, 1))) == []
    assert trailing_days(date(2026, 1, 1), 2) == [date(2025, 12, 31), date(2026, 1, 1)]


def test_an_hour_of_a_day_is_counted_from_its_first_moment() -> None:
    day = date(2026, 3, 29)  # Berlin's clocks go from 2 to 3
    assert hour_end(day, 0, "Europe/Berlin") == datetime(2026, 3, 29, 0, tzinfo=UTC)
    assert hour_end(day, 2, "Europe/Berlin") == datetime(2026, 3, 29, 2, tzinfo=UTC)
    assert hour_end(day, 23, "Europe/Berlin") == day_bounds(day, "Europe/Berlin")[1]
