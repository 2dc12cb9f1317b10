"""`popular_items`: recent popularity of contents and streamers."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import POPULAR_ITEM
from jobs.commands.readings import catalogue, window_views, write
from jobs.tables import Tables
from jobs.transformations.popular_items import not_public, popular_items


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the popular items of each day."""
    views = window_views(tables, days, settings.popularity.window_days)
    items = popular_items(views, not_public(catalogue(tables, days)), settings.popularity)
    return write(tables, POPULAR_ITEM, days, items, settings)
