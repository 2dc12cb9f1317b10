"""What several commands read and write in the same way, for one day or for a range of days."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.clock import available_at, day_bounds
from contracts.errors import PartialDayError
from contracts.schema import Table
from contracts.settings import PreferenceSettings, Settings
from contracts.snapshots import Snapshot
from contracts.tables import PREFERRED_STREAMER
from jobs.needs import Latest, Need, OfDay, Period, Window
from jobs.tables import Tables
from jobs.transformations.as_of import AS_OF, moment_of, spread
from jobs.transformations.preferred_streamers import lists_on_each_day, preferred_on
from jobs.transformations.views import latest_views


def read(tables: Tables, need: Need, days: Sequence[date]) -> DataFrame:
    """Every partition that one of the days needs, once, with `dt`.

    Raises:
        MissingPartitionError: one that is required is not there; the message says which job to run.
    """
    return tables.read_for(need.table, partitions(tables, need, days))


def partitions(tables: Tables, need: Need, days: Sequence[date]) -> dict[date, list[date]]:
    """By day, the partitions that it needs.

    Raises:
        MissingPartitionError: one that is required is not there; the message says which job to run.
        PartialDayError: one that is required is of another part of its day.
    """
    existing, is_hourly = tables.warehouse.dates(need.table), tables.until is not None
    wanted = Latest(need.table) if is_hourly and isinstance(need, OfDay) else need
    found = {day: wanted.partitions(existing, day) for day in days}
    for day in days if need.required else ():
        if wanted is need or not found[day]:
            _require(tables, need.table, day)
    return found


def _require(tables: Tables, table: Table, day: date) -> None:
    until = tables.warehouse.require(table, day).until
    if until is not None and until != tables.until:
        raise PartialDayError(
            f"table {table.name} dt={day} holds what began before {until}; run first, of the same hour or of the whole "
            f"day: {table.owner} --date {day}"
        )


def window_views(tables: Tables, need: Window, days: Sequence[date]) -> DataFrame:
    """Latest views of the windows that end with the days, with `as_of`.

    Raises:
        MissingPartitionError: the views of one of the days itself have not been valued.
    """
    return latest_views(read(tables, need, days), days, need.window_days)


def of_days(tables: Tables, need: OfDay, days: Sequence[date]) -> DataFrame:
    """The days' own partitions, with `as_of`.

    Raises:
        MissingPartitionError: one that is required is not there; the message says which job to run.
    """
    needed = partitions(tables, need, days)
    return spread(tables.read_for(need.table, needed), used_by(needed))


def preferred_of_days(tables: Tables, need: Period, days: Sequence[date], preferences: PreferenceSettings) -> DataFrame:
    """user, streamer, rank, score, last view day and `as_of`: the newest list of each user, decayed to each day.

    Raises:
        MissingPartitionError: the lists of one of the days have not been made.
    """
    return preferred_on(lists_on_each_day(read(tables, need, days), days, preferences), preferences)


def preferred_need(preferences: PreferenceSettings) -> Period:
    """What `preferred_of_days` reads."""
    return Period(PREFERRED_STREAMER, required=True, period_days=preferences.full_every_days)


def as_known(tables: Tables, need: Latest, days: Sequence[date]) -> DataFrame:
    """Rows as known on each day, with `as_of`: VODs and clips, for one."""
    needed = partitions(tables, need, days)
    return spread(tables.read_for(need.table, needed), used_by(needed))


def read_small(tables: Tables, need: Need, day: date, columns: Sequence[str]) -> pa.Table:
    """The partitions that a day needs, without Spark: some rows per streamer or content are not worth a query.

    Raises:
        MissingPartitionError: one that is required is not there; the message says which job to run.
    """
    found = [tables.warehouse.require(need.table, dt) for dt in partitions(tables, need, [day])[day]]
    tables.inputs.update({snapshot.reference[0]: snapshot for snapshot in found})
    parts = [tables.warehouse.read_snapshot(need.table, snapshot, columns) for snapshot in found]
    nothing = need.table.schema.empty_table().select(list(columns))
    return pa.concat_tables([nothing, *parts], promote_options="default")  # Spark's columns are all nullable


def used_by(needed: Mapping[date, Sequence[date]]) -> dict[date, list[date]]:
    """By partition, the days that read it."""
    read_by: dict[date, list[date]] = {}
    for day, partitions_of_day in needed.items():
        for dt in partitions_of_day:
            read_by.setdefault(dt, []).append(day)
    return read_by


def write(tables: Tables, table: Table, days: Sequence[date], rows: DataFrame, settings: Settings) -> list[Snapshot]:
    """Write derived partitions from rows with `as_of`; a row becomes available when its day's batch is published."""
    available = moment_of({day: publish_time(tables, day, settings) for day in days})
    return write_rows(tables, table, days, rows.withColumn(c.AVAILABLE_AT, available))


def write_rows(
    tables: Tables, table: Table, days: Sequence[date], rows: DataFrame, cumulative: bool = False
) -> list[Snapshot]:
    """Write partitions from rows with `as_of`.

    Args:
        cumulative: A day's rows build on those of the days before it.
    """
    if len(days) == 1:
        return [tables.write(table, days[0], rows.drop(AS_OF))]
    with_dt = rows.withColumn(c.DT, f.col(AS_OF).cast("string")).drop(AS_OF)
    return tables.write_days(table, days, with_dt, cumulative)


def end_of(tables: Tables, day: date, settings: Settings) -> datetime:
    """When what counts for the day ends."""
    return tables.until or day_bounds(day, settings.platform.time_zone)[1]


def publish_time(tables: Tables, day: date, settings: Settings) -> datetime:
    """When what is derived from `day`, or from its hours so far, may be used."""
    platform = settings.platform
    if tables.until is not None:
        return tables.until + timedelta(minutes=platform.hourly_delay_minutes)
    return available_at(day, platform.time_zone, platform.publish_delay_minutes)
