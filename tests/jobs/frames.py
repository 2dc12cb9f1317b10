"""Frames for tests: only the columns that matter are written, the others get a harmless value."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.schema import Table
from jobs.tables import spark_schema
from jobs.transformations.as_of import AS_OF

DAY: Final = date(2026, 1, 10)
NOON: Final = datetime(2026, 1, 10, 12, tzinfo=UTC)

_DEFAULTS: Final[Mapping[pa.DataType, Any]] = {
    pa.int64(): 1,
    pa.int32(): 1,
    pa.float64(): 1.0,
    pa.bool_(): False,
    pa.string(): "clip",
    pa.binary(): b"packed",
    pa.date32(): DAY,
    pa.timestamp("us", tz="UTC"): NOON,
}
_WORDS: Final = {c.VISIBILITY: "public", c.ACTION: "like", c.SEGMENT: "light", c.SOURCE: "popular"}


def rows_of(table: Table, *rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Whole rows of a table: nullable columns default to null."""
    return [{**_default_row(table), **row} for row in rows]


def frame(spark: SparkSession, table: Table, *rows: Mapping[str, Any]) -> DataFrame:
    """Rows of a table as a job reads them, with `dt`."""
    names = [*table.column_names, c.DT]
    filled = [{c.DT: DAY.isoformat(), **row} for row in rows_of(table, *rows)]
    schema = spark_schema(table).add(c.DT, "string")
    return spark.createDataFrame([tuple(row[name] for name in names) for row in filled], schema)


def preferred(
    spark: SparkSession, *rows: tuple[int, int, int, float], last_view_days: Sequence[date] = ()
) -> DataFrame:
    """Preferred streamers as jobs read them: user, streamer, rank, score; last viewed on DAY unless told."""
    schema = f"{c.USER_ID} long, {c.STREAMER_ID} long, {c.RANK} int, {c.SCORE} double, {c.LAST_VIEW_DAY} date"
    days = last_view_days or [DAY] * len(rows)
    return spark.createDataFrame([(*row, day) for row, day in zip(rows, days, strict=True)], schema)


def as_of_day(frame: DataFrame) -> DataFrame:
    """The rows as they hold for DAY."""
    return frame.withColumn(AS_OF, f.lit(DAY))


def collect(frame: DataFrame, *names: str) -> list[tuple[Any, ...]]:
    """Values of these columns, in order."""
    rows = (tuple(row) for row in frame.select(*names).collect())
    return sorted(rows, key=lambda row: [(value is None, value) for value in row])


def day(back: int) -> date:
    """The day that many days before DAY."""
    return DAY - timedelta(days=back)


def _default_row(table: Table) -> dict[str, Any]:
    return {
        column.name: None if column.nullable else _WORDS.get(column.name, _DEFAULTS.get(column.type, []))
        for column in table.columns
    }
