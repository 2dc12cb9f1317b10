import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from contracts import columns as c
from contracts.names import Verdict
from contracts.settings import ChecksSettings
from contracts.snapshots import Snapshot, Warehouse
from contracts.tables import WATCH_EVENT
from jobs.checks.history import History, drifts, row_count, stability_index
from tests.jobs.commands.three_days import watch, write

DAY = date(2026, 1, 10)
SETTINGS = ChecksSettings(min_rows=4, min_drift_rows=20)


def snapshot(rows: int, back: int = 0) -> Snapshot:
    dt = DAY - timedelta(days=back)
    return Snapshot("watch_event_v1", dt.isoformat(), "id", Path("nowhere"), rows)


def history(*rows: int) -> History:
    return History([snapshot(count, back) for back, count in enumerate(reversed(rows), start=1)], SETTINGS)


@pytest.mark.parametrize(
    ("rows", "before", "verdict"),
    [
        (10, (9, 10, 200), Verdict.PASSED),  # one odd day moves no median
        (4, (9, 10, 11), Verdict.FAILED),
        (31, (9, 10, 11), Verdict.FAILED),
        (0, (9, 10, 11), Verdict.FAILED),
        (100, (10, 10), Verdict.NO_HISTORY),
        (100, (), Verdict.NO_HISTORY),
        (100, (3, 3, 3), Verdict.NO_HISTORY),
    ],
)
def test_rows_are_judged_by_the_median_day(rows: int, before: tuple[int, ...], verdict: Verdict) -> None:
    found = row_count(snapshot(rows), history(*before))
    assert (found.value, found.verdict) == (rows, verdict)


def test_history_is_the_days_just_before(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    for back in (0, 1, 3, 7, 8):
        write(warehouse, WATCH_EVENT, DAY - timedelta(days=back), {c.USER_ID: back})
    found = History.of(warehouse, WATCH_EVENT, DAY, SETTINGS)
    assert [each.dt for each in found.snapshots] == ["2026-01-03", "2026-01-07", "2026-01-09"]


def test_the_index_is_zero_for_equal_shares_and_known_for_others() -> None:
    assert stability_index({"a": 50, "b": 50}, {"a": 500, "b": 500}) == pytest.approx(0.0)
    found = stability_index({"a": 900_000, "b": 100_000}, {"a": 500_000, "b": 500_000})
    assert found == pytest.approx(0.4 * math.log(0.9 / 0.5) - 0.4 * math.log(0.1 / 0.5), rel=1e-4)
    assert math.isfinite(stability_index({"a": 10}, {"b": 10}))


def days(tmp_path: Path, today: Sequence[dict[str, object]]) -> dict[str, tuple[float, Verdict]]:
    """Three days of 40 short clips at noon, then this one."""
    warehouse = Warehouse(tmp_path)
    for back in (3, 2, 1):
        write(warehouse, WATCH_EVENT, DAY - timedelta(days=back), *clips(back))
    written = write(warehouse, WATCH_EVENT, DAY, *today)
    before = History.of(warehouse, WATCH_EVENT, DAY, SETTINGS)
    found = drifts(WATCH_EVENT, written, before, "UTC")
    return {str(each.column): (each.value, each.verdict) for each in found}


def clips(back: int = 0, seconds: float = 20.0, hour: int = 12) -> list[dict[str, object]]:
    start = datetime(2026, 1, 10, hour, tzinfo=UTC) - timedelta(days=back)
    return [watch(user, 20, 5, seconds, start) for user in range(40)]


def test_a_day_like_the_others_has_not_drifted(tmp_path: Path) -> None:
    assert {verdict for _, verdict in days(tmp_path, clips()).values()} == {Verdict.PASSED}


def test_what_has_drifted_is_told_by_its_column(tmp_path: Path) -> None:
    found = days(tmp_path, clips(hour=20))
    assert found[c.EVENT_TIME][1] is Verdict.FAILED
    assert found[c.WATCHED_SECONDS][1] is Verdict.PASSED
    assert days(tmp_path, clips(seconds=2_000.0))[c.WATCHED_SECONDS][1] is Verdict.FAILED


def test_few_rows_do_not_drift(tmp_path: Path) -> None:
    found = days(tmp_path, clips(hour=20)[:10])
    assert {verdict for _, verdict in found.values()} == {Verdict.NO_HISTORY}
