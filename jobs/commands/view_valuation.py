"""`view_valuation`: the value of every view that has a row in the day's partition."""

from dataclasses import replace
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.clock import trailing_days
from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import VIEW_VALUE, WATCH_EVENT
from jobs.commands.readings import catalogue, write
from jobs.tables import Tables
from jobs.transformations.view_valuation import usual_watch_times, view_values
from jobs.transformations.views import views


def run(tables: Tables, day: date, settings: Settings) -> Snapshot:
    """Value the views of `day` against the watch log of the window: the result depends on raw tables only."""
    tables.warehouse.require(WATCH_EVENT, day)
    platform, valuation = settings.platform, settings.valuation
    recent = _views(tables, day, platform.late_days + 1, platform.time_zone)
    window = _views(tables, day, max(valuation.window_days, platform.late_days + 1), platform.time_zone)
    known = catalogue(tables, day)
    usual = usual_watch_times(window, known)
    contents = usual.contents.persist()  # a row per content, read three times: without it the window is, too
    try:
        values = view_values(recent, replace(usual, contents=contents), known, day, valuation)
        return write(tables, VIEW_VALUE, day, values, settings)
    finally:
        contents.unpersist()


def _views(tables: Tables, day: date, days: int, time_zone: str) -> DataFrame:
    """Views of the days that end with `day`; a clock that is fast puts one on tomorrow, so there is no last day."""
    events = tables.read_existing(WATCH_EVENT, trailing_days(day, days))
    return views(events, time_zone).where(f.col(c.VIEW_DAY) > f.lit(day - timedelta(days=days)))
