"""Which partitions a day reads."""

from datetime import date

from contracts.clock import days_between, period_start
from contracts.tables import PREFERENCE_STATE, VIEW_VALUE
from jobs.needs import Before, Period, Window

START = period_start(date(2026, 1, 10), 5)
EXISTING = list(days_between(START, date.fromordinal(START.toordinal() + 11)))
"""Two periods of five days and two days."""


def test_a_window_has_a_partition_more_for_fast_clocks() -> None:
    assert Window(VIEW_VALUE, window_days=2).partitions(EXISTING, EXISTING[4]) == EXISTING[2:5]


def test_a_period_begins_with_the_partition_that_holds_everybody() -> None:
    need = Period(PREFERENCE_STATE, period_days=5)
    assert need.partitions(EXISTING, EXISTING[7]) == EXISTING[5:8]
    assert need.partitions(EXISTING, EXISTING[5]) == EXISTING[5:6]


def test_what_is_known_before_a_day_is_of_the_newest_period_there_is() -> None:
    need = Before(PREFERENCE_STATE, period_days=5)
    assert need.partitions(EXISTING, EXISTING[7]) == EXISTING[5:7]
    assert need.partitions(EXISTING, EXISTING[5]) == EXISTING[:5]
    assert need.partitions(EXISTING[:3], EXISTING[11]) == EXISTING[:3]
    assert need.partitions(EXISTING, EXISTING[0]) == []
