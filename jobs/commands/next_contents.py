"""`next_contents`: what is offered after each content."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import Source
from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import CONTENT, CONTENT_VALUE, NEXT_CONTENT, REPRESENTATIVE_VOD, VIEW_VALUE
from jobs.commands.readings import as_known, end_of, of_days, read_small, window_views, write
from jobs.needs import Latest, OfDay, Window
from jobs.tables import Tables
from jobs.transformations.as_of import AS_OF
from jobs.transformations.moments import listable
from jobs.transformations.newest_contents import explored_contents, newest_contents
from jobs.transformations.next_contents import co_watched, next_contents, valued_contents

_PUBLISHED: Final = (c.STREAMER_ID, c.CONTENT_ID, c.CONTENT_KIND, c.PUBLISHED_AT, c.VISIBILITY)
_BEST: Final = (c.STREAMER_ID, c.RANK, c.CONTENT_KIND, c.CONTENT_ID)


def needs(settings: Settings) -> tuple[Window, OfDay, OfDay, Latest]:
    """What a day reads: views of the window in which contents are valued."""
    return (
        Window(VIEW_VALUE, required=True, window_days=settings.valuation.window_days),
        OfDay(CONTENT_VALUE, required=True),
        OfDay(REPRESENTATIVE_VOD, required=True),
        Latest(CONTENT),
    )


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write what is offered after each content, of each day."""
    return [snapshot for day in days for snapshot in _run_day(tables.afresh(), day, settings)]


def _run_day(tables: Tables, day: date, settings: Settings) -> list[Snapshot]:
    window, values, _, latest = needs(settings)
    catalogue = as_known(tables, latest, [day])
    listed = listable(of_days(tables, values, [day]), catalogue, {day: end_of(tables, day, settings)}).persist()
    try:
        related = co_watched(valued_contents(window_views(tables, window, [day]), listed, settings), settings)
        offered = next_contents(related, listed, _channels(tables, day, settings), catalogue, settings)
        return write(tables, NEXT_CONTENT, [day], offered, settings)
    finally:
        listed.unpersist()


def _channels(tables: Tables, day: date, settings: Settings) -> DataFrame:
    """Each streamer's best-valued and newest contents, in turns, with what they are."""
    _, _, representative, latest = needs(settings)
    exploration, end = settings.exploration, end_of(tables, day, settings)
    best = read_small(tables, representative, day, _BEST)
    since = end - timedelta(days=exploration.newest_days)
    published = read_small(tables, latest, day, _PUBLISHED)
    shown = explored_contents(best, newest_contents(published, since, end, exploration.newest_per_streamer))
    is_best = pc.is_in(shown.column(c.CONTENT_ID), best.column(c.CONTENT_ID).combine_chunks())
    sources = pc.if_else(is_best, pa.scalar(Source.REPRESENTATIVE.value), pa.scalar(Source.FRESH.value))
    return tables.spark.createDataFrame(shown.append_column(c.SOURCE, sources)).withColumn(AS_OF, f.lit(day))
