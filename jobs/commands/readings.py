"""What several commands read in the same way."""

from datetime import date, datetime

from pyspark.sql import DataFrame

from contracts.clock import available_at, trailing_days
from contracts.schema import Table
from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import CONTENT, VIEW_VALUE
from jobs.tables import Tables
from jobs.transformations.arithmetic import with_available_at
from jobs.transformations.views import in_window, latest_views


def window_views(tables: Tables, day: date, window_days: int) -> DataFrame:
    """Latest views of the window that ends with `day`; what of it lies before the log begins is not there.

    Raises:
        MissingPartitionError: the views of `day` itself have not been valued.
    """
    tables.warehouse.require(VIEW_VALUE, day)
    found = tables.read_existing(VIEW_VALUE, trailing_days(day, window_days))
    return latest_views(in_window(found, day, window_days))


def catalogue(tables: Tables, day: date) -> DataFrame:
    """VODs and clips as known on `day`; a log need not have a catalogue."""
    return tables.read_latest_existing(CONTENT, day)


def write(tables: Tables, table: Table, day: date, rows: DataFrame, settings: Settings) -> Snapshot:
    """Write a derived partition whose rows become available when the day's batch is published."""
    return tables.write(table, day, with_available_at(rows, publish_time(day, settings)))


def publish_time(day: date, settings: Settings) -> datetime:
    """When what is derived from `day` may be used."""
    platform = settings.platform
    return available_at(day, platform.time_zone, platform.publish_delay_minutes)
