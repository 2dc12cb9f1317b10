"""`view_valuation`: the value of every view that has a row in the day's partition."""

from datetime import date, timedelta

from pyspark.sql import functions as f

from contracts import columns as c
from contracts.clock import trailing_days
from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import VIEW_VALUE, WATCH_EVENT
from jobs.commands.readings import catalogue, write
from jobs.tables import Tables
from jobs.transformations.view_valuation import view_values
from jobs.transformations.views import views


def run(tables: Tables, day: date, settings: Settings) -> Snapshot:
    """Value the views of `day` against the watch log of the window: the result depends on raw tables only."""
    tables.warehouse.require(WATCH_EVENT, day)
    platform, valuation = settings.platform, settings.valuation
    window = max(valuation.window_days, platform.late_days + 1)
    events = tables.read_existing(WATCH_EVENT, trailing_days(day, window))
    # A clock that is fast puts a view on tomorrow: the window has a first day and no last.
    found = views(events, platform.time_zone).where(f.col(c.VIEW_DAY) > f.lit(day - timedelta(days=window)))
    values = view_values(found, catalogue(tables, day), day, platform.late_days, valuation)
    return write(tables, VIEW_VALUE, day, values, settings)
