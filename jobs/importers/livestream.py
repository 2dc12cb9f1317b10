"""Watches of live broadcasts in the layout of Twitch's "100k.csv" (Rappaz et al., RecSys 2021).

A row is user, stream, streamer, start step, stop step, without a header. The file counts steps of ten minutes and
knows no dates: the first day is a setting. Names become stable positive ids; a streamer's stays in `streamer_v1`.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.clock import day_bounds
from contracts.errors import LogFormatError
from contracts.names import ContentKind
from contracts.tables import BROADCAST, CONTENT, STREAMER, USER, WATCH_EVENT
from jobs.importers import derived, reading
from jobs.importers.files import find_files, inspect
from jobs.importers.raw_log import Derived, RawLog, Source, span_of
from jobs.transformations import cells
from jobs.transformations.admission import draft

_USER: Final = "user"
_STREAM: Final = "stream"
_STREAMER: Final = "streamer"
_START: Final = "start"
_STOP: Final = "stop"
_LAYOUT: Final = (_USER, _STREAM, _STREAMER, _START, _STOP)


def read_livestream(source: Source) -> RawLog:
    """A file, or all CSV files of a directory.

    Raises:
        LogFormatError: there is no CSV file.
    """
    files = inspect(_paths(source.request.log), WATCH_EVENT, source.scratch, header=_LAYOUT)
    frames = reading.read_files(source.spark, files.files, header=False)
    if not frames:
        raise LogFormatError(f"{source.request.log} has no readable CSV file with rows {', '.join(_LAYOUT)}")
    watches = source.judge(_watches(source, frames[0]), WATCH_EVENT)
    readable = watches.rows.where(f.col(c.REASON).isNull())
    return RawLog(
        watches=watches,
        derive=lambda admitted, days: _derive(source, readable, admitted, days),
        faults=files.faults,
        span=span_of(readable),
    )


def _paths(log: Path) -> list[Path]:
    if log.is_file():
        return [log]
    return [path for path in find_files(log) if path.suffix != ".parquet"]


def _watches(source: Source, frame: DataFrame) -> DataFrame:
    ingest = source.settings.ingest
    start, stop = (cells.parse(f.col(name), pa.int64()) for name in (_START, _STOP))
    step_seconds = ingest.livestream_step_minutes * 60
    first = day_bounds(ingest.livestream_first_day, source.settings.platform.time_zone)[0].timestamp()
    # A step before the first or a stop that is not after the start has no length: it fails the rule for seconds.
    is_span = (start.value >= 0) & (stop.value > start.value)
    seconds = f.when(is_span, (stop.value - start.value) * f.lit(step_seconds)).otherwise(f.lit(-1.0))
    since = f.greatest(start.value, f.lit(0))  # keeps a broken step within the log's days, for its quarantine
    begin = f.timestamp_micros(((since * step_seconds + first) * 1_000_000).cast("bigint"))
    values = {
        c.USER_ID: _id(_USER),
        c.CONTENT_ID: _id(_STREAM),
        c.CONTENT_KIND: cells.constant(ContentKind.LIVE, pa.string()),
        c.STREAMER_ID: cells.hashed(f.col(_STREAMER)),
        c.EVENT_TIME: cells.Cell(begin, start.malformed),
        c.WATCHED_SECONDS: cells.Cell(
            f.when(start.value.isNotNull() & stop.value.isNotNull(), seconds), stop.malformed
        ),
    }
    return draft(frame, WATCH_EVENT, values, reading.CORRUPT, [f.trim(_STREAMER).alias(c.NAME)])


def _id(name: str) -> cells.Cell:
    """A whole number as it is, a name by its hash."""
    whole = cells.parse(f.col(name), pa.int64()).value
    return cells.Cell(f.coalesce(whole, cells.hashed(f.col(name)).value), f.lit(False))


def _derive(source: Source, log: DataFrame, admitted: DataFrame, days: Sequence[date]) -> Derived:
    """Streamers keep their names; a broadcast lasts from its first to its last step in the whole log."""
    tables = derived.catalogue(admitted, days, (USER, CONTENT, STREAMER))
    names = admitted.groupBy(c.STREAMER_ID).agg(f.min(c.NAME).alias(c.NAME))
    streamers = tables[STREAMER].drop(c.NAME).join(names, on=c.STREAMER_ID, how="left")
    return {**tables, STREAMER: streamers, BROADCAST: _broadcasts(log, days, source.settings.platform.time_zone)}


def _broadcasts(log: DataFrame, days: Sequence[date], time_zone: str) -> DataFrame:
    """A row for every day that a broadcast was on; its end is null on days that it outlasts."""
    end = f.col(c.EVENT_TIME) + f.make_dt_interval(secs=f.col(c.WATCHED_SECONDS).cast("decimal(18,6)"))
    runs = log.groupBy(f.col(c.CONTENT_ID).alias(c.BROADCAST_ID)).agg(
        f.min(c.STREAMER_ID).alias(c.STREAMER_ID), f.min(c.EVENT_TIME).alias(c.STARTED_AT), f.max(end).alias(c.ENDED_AT)
    )
    every_day = f.array(*(f.lit(day.isoformat()) for day in days))
    last_moment = f.col(c.ENDED_AT) - f.make_dt_interval(secs=f.lit(1))
    on_that_day = f.col(c.DT).between(_day_of(f.col(c.STARTED_AT), time_zone), _day_of(last_moment, time_zone))
    on = runs.withColumn(c.DT, f.explode(every_day)).where(on_that_day)
    is_over = f.col(c.DT) == _day_of(last_moment, time_zone)
    text = f.lit(None).cast("string")
    return on.select(
        c.BROADCAST_ID,
        c.STREAMER_ID,
        c.STARTED_AT,
        f.when(is_over, f.col(c.ENDED_AT)).alias(c.ENDED_AT),
        text.alias(c.TITLE),
        text.alias(c.CATEGORY),
        c.DT,
    )


def _day_of(time: Column, time_zone: str) -> Column:
    return f.date_format(f.from_utc_timestamp(time, time_zone), "yyyy-MM-dd")
