"""Catalogue tables out of watch rows, for logs that bring none."""

from collections.abc import Sequence
from datetime import date
from functools import partial

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import ContentKind, Visibility
from contracts.schema import Table
from contracts.tables import BROADCAST, CONTENT, STREAMER, USER
from jobs.importers.raw_log import Derive, derive_nothing
from jobs.transformations.cells import SQL_TYPES


def deriver(wanted: Sequence[Table]) -> Derive:
    """What makes the catalogue tables that a log lacks."""
    return partial(catalogue, wanted=wanted) if wanted else derive_nothing


def catalogue(admitted: DataFrame, days: Sequence[date], wanted: Sequence[Table]) -> dict[Table, DataFrame]:
    """The wanted ones of user, content, streamer and broadcast, as the watch rows of `days` show them.

    A user, content or streamer is known from the first day it was seen on; a broadcast is on from the first to the
    last moment that anyone watched it that day.
    """
    return {table: _MAKERS[table](admitted, days) for table in wanted}


def _users(admitted: DataFrame, days: Sequence[date]) -> DataFrame:
    return _known_since(admitted, USER, {}, days)


def _streamers(admitted: DataFrame, days: Sequence[date]) -> DataFrame:
    return _known_since(admitted, STREAMER, {}, days)


def _contents(admitted: DataFrame, days: Sequence[date]) -> DataFrame:
    recorded = admitted.where(f.col(c.CONTENT_KIND) != ContentKind.LIVE)
    known = {
        c.CONTENT_KIND: f.min(c.CONTENT_KIND),
        c.STREAMER_ID: f.min(c.STREAMER_ID),
        c.VISIBILITY: f.lit(Visibility.PUBLIC.value),
    }
    return _known_since(recorded, CONTENT, known, days)


def _broadcasts(admitted: DataFrame, days: Sequence[date]) -> DataFrame:  # noqa: ARG001  one of `_MAKERS`
    live = admitted.where(f.col(c.CONTENT_KIND) == ContentKind.LIVE)
    end = f.col(c.EVENT_TIME) + f.make_dt_interval(secs=f.col(c.WATCHED_SECONDS).cast("decimal(18,6)"))
    known = {c.STREAMER_ID: f.min(c.STREAMER_ID), c.STARTED_AT: f.min(c.EVENT_TIME), c.ENDED_AT: f.max(end)}
    named = live.withColumnRenamed(c.CONTENT_ID, c.BROADCAST_ID)
    grouped = named.groupBy(c.BROADCAST_ID, c.DT).agg(*(value.alias(name) for name, value in known.items()))
    return grouped.select(*_columns(BROADCAST, {c.BROADCAST_ID, *known}), c.DT)


def _known_since(rows: DataFrame, table: Table, known: dict[str, Column], days: Sequence[date]) -> DataFrame:
    """One row per key and day, from the first day with a row on."""
    (key,) = table.key
    first = f.min(c.DT).alias(c.VIEW_DAY)
    once = rows.groupBy(key).agg(first, *(value.alias(name) for name, value in known.items()))
    every_day = f.array(*(f.lit(day.isoformat()) for day in days))
    since = once.withColumn(c.DT, f.explode(every_day)).where(f.col(c.DT) >= f.col(c.VIEW_DAY))
    return since.select(*_columns(table, {key, *known}), c.DT)


def _columns(table: Table, known: set[str]) -> list[Column]:
    """The table's columns; what watch rows cannot tell is null."""
    unknown = {x.name: f.lit(None).cast(SQL_TYPES[x.type]).alias(x.name) for x in table.columns if x.name not in known}
    return [unknown.get(name, f.col(name)) for name in table.column_names]


_MAKERS = {USER: _users, STREAMER: _streamers, CONTENT: _contents, BROADCAST: _broadcasts}
