"""`segment_lists`: per segment and surface, the list for who has none of their own."""

from datetime import date

from contracts import columns as c
from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import SEGMENT_LIST, USER_FEATURE
from jobs.commands.readings import catalogue, window_views, write
from jobs.tables import Tables
from jobs.transformations.candidate_lists import not_public
from jobs.transformations.popular_items import item_popularity
from jobs.transformations.segment_lists import segment_lists, with_segments


def run(tables: Tables, day: date, settings: Settings) -> Snapshot:
    """Write the segments' lists of `day`."""
    users = tables.read(USER_FEATURE, [day])
    views = with_segments(window_views(tables, day, settings.popularity.window_days), users)
    hidden = not_public(catalogue(tables, day))
    popularity = item_popularity(views, hidden, day, settings.popularity, groups=[c.SEGMENT])
    return write(tables, SEGMENT_LIST, day, segment_lists(popularity, settings.candidates.surfaces), settings)
