"""`view_valuation`: the value of every view that has a row in each day's partition."""

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import CONTENT, VIEW_VALUE, WATCH_EVENT
from jobs.commands.readings import as_known, read, write
from jobs.needs import Latest, Window
from jobs.tables import Tables
from jobs.transformations.abuse import day_totals, with_weights
from jobs.transformations.as_of import AS_OF
from jobs.transformations.view_valuation import (
    content_lengths,
    content_sums,
    group_means,
    user_sums,
    view_values,
    watched_on_each_day,
)
from jobs.transformations.views import settled_views, views


def needs(settings: Settings) -> tuple[Window, Latest]:
    """What a day reads."""
    window_days = max(settings.valuation.window_days, settings.platform.late_days + 1)
    return Window(WATCH_EVENT, required=True, window_days=window_days), Latest(CONTENT)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Value the views of each day against the watch log of its window: the result depends on raw tables only."""
    platform, valuation = settings.platform, settings.valuation
    window, contents_known = needs(settings)
    events = read(tables, window, days)
    if tables.until is not None:
        events = events.where(f.col(c.EVENT_TIME) < f.lit(tables.until))
    # Those of the last days can still change, and are needed with all that is known of them and with every version.
    changing = days[0] - timedelta(days=platform.late_days)
    lengths = content_lengths(as_known(tables, contents_known, days), valuation).persist()
    versions = views(events, platform.time_zone, window.window_days, changing).persist()
    settled = settled_views(events, platform.time_zone, window.window_days, changing).persist()
    usual = watched_on_each_day(versions.unionByName(settled, allowMissingColumns=True), lengths, days)
    contents = content_sums(usual).persist()
    try:
        groups = group_means(contents, valuation)
        totals = day_totals(versions, days, platform.late_days, valuation)
        fresh = versions.where(f.col(c.DT).between(f.lit(days[0]), f.lit(days[-1]))).withColumn(AS_OF, f.col(c.DT))
        weighted = with_weights(fresh, totals, valuation)
        values = view_values(weighted, contents, user_sums(usual), _brought(groups), lengths, valuation)
        return write(tables, VIEW_VALUE, days, values, settings)
    finally:
        for kept in (lengths, versions, settled, contents):
            kept.unpersist()


def _brought(groups: DataFrame) -> DataFrame:
    """A few dozen rows as rows of the plan: joined three times, they would else be computed three times."""
    return groups.sparkSession.createDataFrame(groups.toArrow())
