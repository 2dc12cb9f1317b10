"""`popular_items`: recent popularity of contents and streamers."""

from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import POPULAR_ITEM
from jobs.commands.readings import catalogue, window_views, write
from jobs.tables import Tables
from jobs.transformations.candidate_lists import not_public
from jobs.transformations.popular_items import popular_items


def run(tables: Tables, day: date, settings: Settings) -> Snapshot:
    """Write the popular items of `day`."""
    views = window_views(tables, day, settings.popularity.window_days)
    items = popular_items(views, not_public(catalogue(tables, day)), day, settings.popularity)
    return write(tables, POPULAR_ITEM, day, items, settings)
