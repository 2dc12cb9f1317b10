"""A day's partitions are checked before anything is made of them."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from contracts import columns as c
from contracts import tables as t
from contracts.errors import ChecksFailedError, MissingPartitionError
from contracts.snapshots import Warehouse
from jobs.__main__ import app
from tests.jobs.commands.three_days import LAST, write

DAYS = [LAST - timedelta(days=back) for back in (3, 2, 1, 0)]
USUAL = 120


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """Four usual days of views."""
    monkeypatch.setenv("STREAMREC_HOME", str(tmp_path))
    warehouse = Warehouse(tmp_path / "warehouse")
    for day in DAYS:
        views(warehouse, day, USUAL)
    return warehouse


def views(warehouse: Warehouse, day: date, rows: int, **columns: object) -> None:
    write(warehouse, t.VIEW_VALUE, day, *({c.USER_ID: user, **columns} for user in range(rows)))


def run(day: date) -> Result:
    return CliRunner().invoke(app, ["check", "--date", day.isoformat()])


def results(warehouse: Warehouse, day: date) -> dict[tuple[str, str | None], str]:
    rows = warehouse.read(t.CHECK_RESULT, day).to_pylist()
    return {(row[c.CHECK_NAME], row[c.COLUMN_NAME]): row[c.VERDICT] for row in rows}


def test_a_usual_day_passes_and_its_results_stand_in_the_table(warehouse: Warehouse) -> None:
    ran = run(LAST)
    assert ran.exit_code == 0
    assert ran.stdout.splitlines() == ["view_value_v1                    120 rows: 18 passed, 1 no_history"]
    found = results(warehouse, LAST)
    assert found["row_count", None] == "passed"
    assert found["drift", c.VALUE] == "no_history"
    (row,) = (row for row in warehouse.read(t.CHECK_RESULT, LAST).to_pylist() if row[c.CHECK_NAME] == "row_count")
    assert (row[c.VALUE], row[c.LOWER_BOUND], row[c.UPPER_BOUND]) == (120.0, 60.0, 360.0)
    assert row[c.SNAPSHOT_ID] == warehouse.require(t.VIEW_VALUE, LAST).snapshot_id


def test_the_first_day_passes_without_history(warehouse: Warehouse) -> None:
    assert run(DAYS[0]).exit_code == 0
    assert results(warehouse, DAYS[0])["row_count", None] == "no_history"


@pytest.mark.parametrize(
    ("rows", "columns", "said"),
    [
        (50, {}, "view_value_v1 row_count is 50, may be at least 60 and at most 360"),
        (1_200, {}, "view_value_v1 row_count is 1200, may be at least 60 and at most 360"),
        (USUAL, {c.VALUE: 1.5}, "view_value_v1.value range is 1.5, may be at least 0 and at most 1"),
    ],
)
def test_a_failed_check_stops_the_day_and_says_which(
    warehouse: Warehouse, rows: int, columns: dict[str, object], said: str
) -> None:
    views(warehouse, LAST, rows, **columns)
    ran = run(LAST)
    assert isinstance(ran.exception, ChecksFailedError)
    assert ran.exception.failed == (said,)
    assert f"fail: {said}" in ran.stdout
    assert "failed" in results(warehouse, LAST).values()


def test_a_check_that_only_warns_stops_nothing(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMREC_CHECKS__ONLY_WARN", '["row_count"]')
    views(warehouse, LAST, 50)
    ran = run(LAST)
    assert ran.exit_code == 0
    assert ran.stdout.splitlines()[-1].startswith("warn: view_value_v1 row_count is 50")


def test_a_stale_partition_is_not_checked(warehouse: Warehouse) -> None:
    """It will be written anew: what is wrong with it must not stop the import that mends it."""
    read = [warehouse.require(t.VIEW_VALUE, day) for day in DAYS]
    write(warehouse, t.CONTENT_VALUE, LAST, {c.MEAN_VALUE: 7.0}, inputs=read)
    assert isinstance(run(LAST).exception, ChecksFailedError)
    views(warehouse, LAST, USUAL)
    assert run(LAST).exit_code == 0
    assert {row[c.TABLE_NAME] for row in warehouse.read(t.CHECK_RESULT, LAST).to_pylist()} == {t.VIEW_VALUE.name}


def test_how_much_was_quarantined_or_shown_is_not_checked(warehouse: Warehouse) -> None:
    for day, rows in zip(DAYS, (200, 200, 200, 1), strict=True):
        write(warehouse, t.QUARANTINE, day, *[{}] * rows)
        write(warehouse, t.IMPRESSION, day, *[{}] * rows)
        write(warehouse, t.EXPLORATION_REPORT, day, *[{}] * rows)
    views(warehouse, LAST, USUAL)
    assert run(LAST).exit_code == 0
    assert {row[c.TABLE_NAME] for row in warehouse.read(t.CHECK_RESULT, LAST).to_pylist()} == {t.VIEW_VALUE.name}


def test_a_day_without_tables_cannot_be_checked(warehouse: Warehouse) -> None:
    ran = run(LAST + timedelta(days=1))
    assert isinstance(ran.exception, MissingPartitionError)
    assert "import_log --date 2026-01-11" in str(ran.exception)
    assert warehouse.dates(t.CHECK_RESULT) == []
