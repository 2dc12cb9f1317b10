"""`segment_lists`: per segment and surface, the list for who has none of their own."""

from collections.abc import Sequence
from datetime import date

from contracts import columns as c
from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import CONTENT, SEGMENT_LIST, USER_FEATURE, VIEW_VALUE
from jobs.commands.readings import as_known, of_days, window_views, write
from jobs.needs import Latest, OfDay, Window
from jobs.tables import Tables
from jobs.transformations.popular_items import item_popularity, not_public
from jobs.transformations.segment_lists import segment_lists, with_segments


def needs(settings: Settings) -> tuple[Window, OfDay, Latest]:
    """What a day reads."""
    window = Window(VIEW_VALUE, required=True, window_days=settings.popularity.window_days)
    return window, OfDay(USER_FEATURE, required=True), Latest(CONTENT)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the segments' lists of each day."""
    window, of_day, contents = needs(settings)
    users = of_days(tables, of_day, days)
    views = with_segments(window_views(tables, window, days), users)
    hidden = not_public(as_known(tables, contents, days))
    popularity = item_popularity(views, hidden, settings.popularity, groups=[c.SEGMENT])
    return write(tables, SEGMENT_LIST, days, segment_lists(popularity, settings.candidates.surfaces), settings)
