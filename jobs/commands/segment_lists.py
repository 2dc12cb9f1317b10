"""`segment_lists`: per segment and surface, the list for who has none of their own."""

from collections.abc import Sequence
from datetime import date

from contracts import columns as c
from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import SEGMENT_LIST, USER_FEATURE
from jobs.commands.readings import catalogue, of_days, window_views, write
from jobs.tables import Tables
from jobs.transformations.popular_items import item_popularity, not_public
from jobs.transformations.segment_lists import segment_lists, with_segments


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the segments' lists of each day."""
    users = of_days(tables, USER_FEATURE, days)
    views = with_segments(window_views(tables, days, settings.popularity.window_days), users)
    popularity = item_popularity(views, not_public(catalogue(tables, days)), settings.popularity, groups=[c.SEGMENT])
    return write(tables, SEGMENT_LIST, days, segment_lists(popularity, settings.candidates.surfaces), settings)
