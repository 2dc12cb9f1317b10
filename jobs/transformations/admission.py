"""What may enter the log: rows in, the same rows out with the reason why they may not, null for those that may."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import Action, ContentKind, ItemKind, QuarantineReason, Visibility
from contracts.schema import Table
from contracts.settings import Settings
from jobs.transformations.cells import Cell, any_of, constant

REPLACEMENT: Final = "\ufffd"
"""What Spark's CSV reader puts for bytes that are no UTF-8."""
_DAY_FORMAT: Final = "yyyy-MM-dd"
_VOCABULARY: Final = {
    c.CONTENT_KIND: ContentKind,
    c.TARGET_KIND: ItemKind,
    c.ACTION: Action,
    c.VISIBILITY: Visibility,
}
_ERASED: Final = "_erased"
_SECONDS: Final = (c.WATCHED_SECONDS, c.DURATION_SECONDS, c.OFFSET_SECONDS)


def draft(
    frame: DataFrame, table: Table, cells: Mapping[str, Cell], corrupt: str, extras: Sequence[Column] = ()
) -> DataFrame:
    """The table's columns out of a source frame, with where each row stood and why it cannot be read, if so.

    The row as read stays a struct until `judge`: as JSON it would cost as much as all the rest.

    Args:
        frame: Source columns, `source_file`, `dt` (null where unknown) and the `corrupt` column.
        cells: By column of the table; one that is not there is null in every row.
        extras: Further columns that an importer derives other tables from.
    """
    origin = (c.SOURCE_FILE, c.DT)
    sources = [name for name in frame.columns if name not in origin]
    whole = [cells.get(column.name, constant(None, column.type)) for column in table.columns]
    texts = [
        f.col(f"`{field.name}`")
        for field in frame.schema
        if field.dataType.simpleString() == "string" and field.name in sources
    ]
    reason = (
        f.when(any_of([text.contains(REPLACEMENT) for text in texts]), QuarantineReason.NOT_UTF8)
        .when(f.col(corrupt).isNotNull(), QuarantineReason.WRONG_TYPE)
        .when(any_of([cell.malformed for cell in whole]), QuarantineReason.WRONG_TYPE)
    )
    return frame.select(
        *(cell.value.alias(column.name) for cell, column in zip(whole, table.columns, strict=True)),
        *extras,
        *origin,
        f.struct(*(f.col(f"`{name}`") for name in sources)).alias(c.RAW),
        reason.alias(c.REASON),
    )


def place(rows: DataFrame, time_zone: str, latest: Column) -> DataFrame:
    """Give rows without an ingest day the platform's day of their event; one after `latest` is in the future."""
    time = f.col(c.EVENT_TIME)
    unplaced = f.col(c.DT).isNull()
    future = unplaced & (time > latest)
    day = f.when(time <= latest, f.date_format(f.from_utc_timestamp(time, time_zone), _DAY_FORMAT))
    return rows.withColumns(
        {
            c.REASON: f.coalesce(c.REASON, f.when(future, QuarantineReason.FUTURE.value)),
            c.DT: f.coalesce(f.col(c.DT), day),
        }
    )


def judge(rows: DataFrame, table: Table, settings: Settings) -> DataFrame:
    """Add the reason why a row may not enter its table, and then the row as JSON; a reason it has already stays."""
    broken = [f.when(rule, reason.value) for rule, reason in _rules(table, settings)]
    judged = rows.withColumn(c.REASON, f.coalesce(c.REASON, *broken))
    return judged.withColumn(c.RAW, f.when(f.col(c.REASON).isNotNull(), f.to_json(c.RAW)))


def require_day(rows: DataFrame) -> DataFrame:
    """A row of which nothing tells the day has no time."""
    unplaced = f.when(f.col(c.DT).isNull(), QuarantineReason.MISSING_TIME.value)
    return rows.withColumn(c.REASON, f.coalesce(c.REASON, unplaced))


def mark_erased(rows: DataFrame, table: Table, erased: DataFrame) -> DataFrame:
    """Give the rows of erased users that reason, whatever else is the matter with them; their clips are nobody's.

    Args:
        erased: `user_id` of each.
    """
    if c.USER_ID in table.column_names:
        theirs = erased.select(f.col(c.USER_ID).alias(_ERASED))
        rows = rows.join(f.broadcast(theirs), on=f.col(c.USER_ID) == f.col(_ERASED), how="left")
        reason = f.when(f.col(_ERASED).isNotNull(), QuarantineReason.ERASED.value).otherwise(f.col(c.REASON))
        rows = rows.withColumn(c.REASON, reason).drop(_ERASED)
    if c.CREATOR_ID in table.column_names:
        theirs = erased.select(f.col(c.USER_ID).alias(_ERASED))
        rows = rows.join(f.broadcast(theirs), on=f.col(c.CREATOR_ID) == f.col(_ERASED), how="left")
        is_fans = f.col(_ERASED).isNotNull() & (f.col(c.CREATOR_ID) != f.col(c.STREAMER_ID))
        rows = rows.withColumn(c.CREATOR_ID, f.when(~is_fans, f.col(c.CREATOR_ID))).drop(_ERASED)
    return rows


def mark_duplicates(rows: DataFrame, table: Table) -> DataFrame:
    """Of the admissible rows with one key, all but one are duplicates: the first day's longest watch stays.

    Ties go by the remaining columns, so that the same rows in any order give the same log. Rows without a time of
    their own, those of catalogues, may come again every day.
    """
    rest = [name for name in rows.columns if name not in (*table.key, c.DT, c.RAW, c.REASON, c.WATCHED_SECONDS)]
    of_day = [] if c.EVENT_TIME in table.key else [c.DT]
    first = [c.WATCHED_SECONDS] if c.WATCHED_SECONDS in table.column_names else []
    admissible = f.col(c.REASON).isNull()
    window = Window.partitionBy(*of_day, *table.key, admissible).orderBy(
        c.DT, *(f.col(name).desc_nulls_last() for name in (*first, *rest))
    )
    repeated = admissible & (f.row_number().over(window) > 1)
    return rows.withColumn(c.REASON, f.coalesce(c.REASON, f.when(repeated, QuarantineReason.DUPLICATE.value)))


def quarantined(rows: DataFrame, table: Table, first_day: date) -> DataFrame:
    """The rows that do not enter, as rows of the quarantine; those without a day stand under `first_day`.

    Of erased users nothing is kept, here neither.
    """
    typed = f.to_json(f.struct(*table.column_names))
    return rows.where(f.col(c.REASON) != QuarantineReason.ERASED.value).select(
        f.lit(table.name).alias(c.SOURCE_TABLE),
        c.SOURCE_FILE,
        c.REASON,
        f.coalesce(c.RAW, typed).alias(c.RAW),  # of a duplicate, whose twin is in the log, the typed row is enough
        f.coalesce(f.col(c.DT), f.lit(first_day.isoformat())).alias(c.DT),
    )


def _rules(table: Table, settings: Settings) -> list[tuple[Column, QuarantineReason]]:
    required = [column for column in table.columns if not column.nullable]
    ids = [column.name for column in required if pa.types.is_integer(column.type) and column.name != c.POSITION]
    times = [column.name for column in required if pa.types.is_timestamp(column.type)]
    words = [name for name in table.column_names if name in _VOCABULARY]
    others = [column.name for column in required if column.name not in (*ids, *times, *words)]
    seconds = [f.col(name) for name in table.column_names if name in _SECONDS]
    watched = [f.col(name) for name in table.column_names if name == c.WATCHED_SECONDS]
    longest = f.lit(settings.ingest.max_watched_seconds)
    return [
        (any_of([f.col(name).isNull() for name in ids]), QuarantineReason.MISSING_ID),
        (any_of([f.col(name).isNull() for name in times]), QuarantineReason.MISSING_TIME),
        (any_of([_unknown(name) for name in words]), QuarantineReason.UNKNOWN_KIND),
        (any_of([f.col(name).isNull() | _is_nan(name, table) for name in others]), QuarantineReason.WRONG_TYPE),
        (any_of([column < 0 for column in seconds]), QuarantineReason.NEGATIVE_SECONDS),
        (any_of([column > longest for column in watched]), QuarantineReason.ABSURD_SECONDS),
        *(_time_rules(settings) if c.EVENT_TIME in table.column_names else []),
    ]


def _time_rules(settings: Settings) -> list[tuple[Column, QuarantineReason]]:
    """Against the ingest day, never the clock: a day imported again next year admits the same rows."""
    ingest_day = f.col(c.DT).try_cast("date")  # `to_date` with a format makes a parser's objects for every row
    zone = settings.platform.time_zone
    start = f.to_utc_timestamp(f.date_sub(ingest_day, settings.platform.late_days).cast("timestamp"), zone)
    end = f.to_utc_timestamp(f.date_add(ingest_day, 1).cast("timestamp"), zone)
    skew = f.expr(f"INTERVAL {int(settings.ingest.max_future_minutes * 60)} SECONDS")
    return [
        (f.col(c.EVENT_TIME) >= end + skew, QuarantineReason.FUTURE),
        (f.col(c.EVENT_TIME) < start, QuarantineReason.TOO_LATE),
    ]


def _unknown(name: str) -> Column:
    column = f.col(name)
    return column.isNull() | ~column.isin([word.value for word in _VOCABULARY[name]])


def _is_nan(name: str, table: Table) -> Column:
    kind = table.schema.field(name).type
    return f.isnan(name) if pa.types.is_floating(kind) else f.lit(False)
