import math
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from contracts import columns as c
from contracts import tables as t
from contracts.names import Check, Verdict
from contracts.schema import Table
from contracts.snapshots import Snapshot, Warehouse
from jobs.checks.footers import RANGES, footer_findings
from jobs.checks.results import Finding
from jobs.tables import Tables
from tests.jobs.frames import frame, rows_of

DAY = date(2026, 1, 10)
NOW = datetime(2026, 2, 1, tzinfo=UTC)


def findings(table: Table, snapshot: Snapshot) -> dict[tuple[Check, str | None], Finding]:
    return {(found.check, found.column): found for found in footer_findings(table, snapshot)}


def written(tmp_path: Path, table: Table, *rows: dict[str, object]) -> Snapshot:
    """As a writer would that minds no contract: nulls are in required columns, too."""
    schema = pa.schema([field.with_nullable(True) for field in table.schema])
    staged = Warehouse(tmp_path).stage(table, DAY, NOW)
    staged.mkdir()
    filled = rows_of(table, *rows)
    for part in range(len(filled)):
        pq.write_table(pa.Table.from_pylist(filled[part : part + 1], schema), staged / f"part-{part}.parquet")
    return Warehouse(tmp_path).commit(table, DAY, staged, len(filled), [])


def test_a_null_in_a_required_column_is_found_by_its_share(tmp_path: Path) -> None:
    snapshot = written(tmp_path, t.VIEW_VALUE, {c.STREAMER_ID: None}, {c.STREAMER_ID: 5}, {c.STREAMER_ID: 6}, {})
    found = findings(t.VIEW_VALUE, snapshot)
    assert found[Check.NULLS, c.STREAMER_ID] == Finding(Check.NULLS, 0.25, c.STREAMER_ID, upper=0.0)
    assert found[Check.NULLS, c.STREAMER_ID].verdict is Verdict.FAILED
    assert found[Check.NULLS, c.USER_ID].verdict is Verdict.PASSED
    assert (Check.NULLS, c.WEIGHT_REASON) not in found  # may be null


@pytest.mark.parametrize(
    ("column", "values", "extreme", "verdict"),
    [
        (c.VALUE, (0.2, 0.9), 0.9, Verdict.PASSED),
        (c.VALUE, (0.2, 1.5), 1.5, Verdict.FAILED),
        (c.VALUE, (-0.1, 0.9), -0.1, Verdict.FAILED),
        (c.WATCHED_SECONDS, (3.0, 1e9), 3.0, Verdict.PASSED),
        (c.WATCHED_SECONDS, (-3.0, 8.0), -3.0, Verdict.FAILED),
        (c.COMPLETION, (None, 0.5), 0.5, Verdict.PASSED),
    ],
)
def test_the_extreme_value_is_judged_by_the_columns_range(
    tmp_path: Path, column: str, values: tuple[float, float], extreme: float, verdict: Verdict
) -> None:
    snapshot = written(tmp_path, t.VIEW_VALUE, *({column: value} for value in values))
    found = findings(t.VIEW_VALUE, snapshot)[Check.RANGE, column]
    assert (found.value, found.verdict) == (extreme, verdict)


def test_a_nan_that_a_job_writes_is_out_of_every_range(spark: SparkSession, tmp_path: Path) -> None:
    rows = frame(spark, t.VIEW_VALUE, {c.VALUE: 0.5}, {c.USER_ID: 2, c.VALUE: math.nan}).drop(c.DT).coalesce(1)
    snapshot = Tables(spark, Warehouse(tmp_path), NOW).write(t.VIEW_VALUE, DAY, rows)
    found = findings(t.VIEW_VALUE, snapshot)[Check.RANGE, c.VALUE]
    assert math.isnan(found.value)
    assert found.verdict is Verdict.FAILED


def test_a_partition_without_rows_has_no_findings(tmp_path: Path) -> None:
    empty = Warehouse(tmp_path).write(t.VIEW_VALUE, DAY, t.VIEW_VALUE.schema.empty_table(), [], NOW)
    assert findings(t.VIEW_VALUE, empty) == {}


def test_every_column_with_a_range_is_a_number_of_some_table() -> None:
    numbers = {
        column.name
        for table in t.ALL_TABLES.values()
        for column in table.columns
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    }
    assert set(RANGES) <= numbers
