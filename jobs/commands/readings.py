"""What several commands read and write in the same way, for one day or for a range of days."""

from collections.abc import Sequence
from datetime import date, datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.clock import available_at, days_between, trailing_days
from contracts.schema import Table
from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import CONTENT, PREFERRED_STREAMER, VIEW_VALUE
from jobs.tables import Tables
from jobs.transformations.as_of import AS_OF, moment_of, of_own_day, spread
from jobs.transformations.preference_state import period_start
from jobs.transformations.preferred_streamers import lists_on_each_day, preferred_on
from jobs.transformations.views import latest_views


def window_views(tables: Tables, days: Sequence[date], window_days: int) -> DataFrame:
    """Latest views of the windows that end with the days, with `as_of`; what lies before the log begins is not there.

    Raises:
        MissingPartitionError: the views of one of the days itself have not been valued.
    """
    for day in days:
        tables.warehouse.require(VIEW_VALUE, day)
    return latest_views(tables.read_for(VIEW_VALUE, windows(days, window_days)), days, window_days)


def windows(days: Sequence[date], window_days: int) -> dict[date, list[date]]:
    """By day, the partitions that hold its window: one more than days, for a clock that is fast dates a view ahead."""
    return {day: trailing_days(day, window_days + 1) for day in days}


def of_days(tables: Tables, table: Table, days: Sequence[date]) -> DataFrame:
    """The days' own partitions, with `as_of`.

    Raises:
        MissingPartitionError: one is not there; the message says which job to run.
    """
    for day in days:
        tables.warehouse.require(table, day)
    return of_own_day(tables.read_for(table, {day: [day] for day in days}))


def latest_partitions(tables: Tables, table: Table, days: Sequence[date]) -> dict[date, date]:
    """By day, the newest partition that is not after it; a day before the first partition is left out."""
    dates = tables.warehouse.dates(table)
    newest = {day: max((dt for dt in dates if dt <= day), default=None) for day in days}
    return {day: dt for day, dt in newest.items() if dt is not None}


def used_by(latest: dict[date, date]) -> dict[date, list[date]]:
    """By partition, the days that read it."""
    return {dt: [day for day, newest in latest.items() if newest == dt] for dt in sorted(set(latest.values()))}


def latest_of_days(tables: Tables, table: Table, days: Sequence[date]) -> DataFrame:
    """What the newest partition says on each day, with `as_of`; no rows before the first."""
    latest = latest_partitions(tables, table, days)
    return spread(tables.read_for(table, {day: [dt] for day, dt in latest.items()}), used_by(latest))


def preferred_of_days(tables: Tables, days: Sequence[date], settings: Settings) -> DataFrame:
    """user, streamer, rank, score, last view day and `as_of`: the newest list of each user, decayed to each day.

    Raises:
        MissingPartitionError: the lists of one of the days have not been made.
    """
    preferences = settings.preferences
    for day in days:
        tables.warehouse.require(PREFERRED_STREAMER, day)
    needed = {day: list(days_between(period_start(day, preferences), day)) for day in days}
    lists = tables.read_for(PREFERRED_STREAMER, needed)
    return preferred_on(lists_on_each_day(lists, days, preferences), preferences)


def catalogue(tables: Tables, days: Sequence[date]) -> DataFrame:
    """VODs and clips as known on each day, with `as_of`; a log need not have a catalogue."""
    return latest_of_days(tables, CONTENT, days)


def write(tables: Tables, table: Table, days: Sequence[date], rows: DataFrame, settings: Settings) -> list[Snapshot]:
    """Write derived partitions from rows with `as_of`; a row becomes available when its day's batch is published."""
    available = moment_of({day: publish_time(day, settings) for day in days})
    return write_rows(tables, table, days, rows.withColumn(c.AVAILABLE_AT, available))


def write_rows(tables: Tables, table: Table, days: Sequence[date], rows: DataFrame) -> list[Snapshot]:
    """Write partitions from rows with `as_of`."""
    if len(days) == 1:
        return [tables.write(table, days[0], rows.drop(AS_OF))]
    return tables.write_days(table, days, rows.withColumn(c.DT, f.col(AS_OF).cast("string")).drop(AS_OF))


def publish_time(day: date, settings: Settings) -> datetime:
    """When what is derived from `day` may be used."""
    platform = settings.platform
    return available_at(day, platform.time_zone, platform.publish_delay_minutes)
