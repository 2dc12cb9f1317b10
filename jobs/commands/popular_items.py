"""`popular_items`: recent popularity of contents and streamers."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import CONTENT, POPULAR_ITEM, VIEW_VALUE
from jobs.commands.readings import as_known, window_views, write
from jobs.needs import Latest, Window
from jobs.tables import Tables
from jobs.transformations.popular_items import not_public, popular_items


def needs(settings: Settings) -> tuple[Window, Latest]:
    """What a day reads."""
    return Window(VIEW_VALUE, required=True, window_days=settings.popularity.window_days), Latest(CONTENT)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the popular items of each day."""
    window, contents = needs(settings)
    views, hidden = window_views(tables, window, days), not_public(as_known(tables, contents, days))
    items = popular_items(views, hidden, settings.popularity)
    return write(tables, POPULAR_ITEM, days, items, settings)
