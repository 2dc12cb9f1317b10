"""`view_valuation`: the value of every view that has a row in each day's partition."""

from collections.abc import Sequence
from datetime import date

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
from jobs.transformations.view_valuation import content_lengths, group_means, view_values, watched_on_each_day
from jobs.transformations.views import views


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
    # Read for four kinds of sums and once more, as are the lengths.
    lengths = content_lengths(as_known(tables, contents_known, days), valuation).persist()
    versions = views(events, platform.time_zone, window.window_days).persist()
    try:
        usual = watched_on_each_day(versions, lengths, days)
        # Computed now: the plan of the values holds them three times. They fill the cache of the versions, too, without
        # which that plan does not know that these are partitioned by user, and shuffles every view twice.
        groups = group_means(usual, valuation).localCheckpoint()
        totals = day_totals(versions, days, platform.late_days, valuation)
        fresh = versions.where(f.col(c.DT).between(f.lit(days[0]), f.lit(days[-1]))).withColumn(AS_OF, f.col(c.DT))
        weighted = with_weights(fresh, totals, valuation)
        values = view_values(weighted, usual, groups, lengths, valuation)
        return write(tables, VIEW_VALUE, days, values, settings)
    finally:
        lengths.unpersist()
        versions.unpersist()
