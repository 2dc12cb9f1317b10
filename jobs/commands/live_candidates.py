"""`live_candidates`: streamers for streamer-oriented users, by return and discovery quota."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import LIVE_CANDIDATE, RELATED_STREAMER, STREAMER_ORIENTATION, VIEW_VALUE
from jobs.commands.readings import of_days, preferred_need, preferred_of_days, window_views, write
from jobs.needs import OfDay, Period, Window
from jobs.tables import Tables
from jobs.transformations.live_candidates import live_candidates
from jobs.transformations.streamer_orientation import visits


def needs(settings: Settings) -> tuple[Window, Period, OfDay, OfDay]:
    """What a day reads."""
    return (
        Window(VIEW_VALUE, required=True, window_days=settings.neighbors.visit_window_days),
        preferred_need(settings.preferences),
        OfDay(RELATED_STREAMER, required=True),
        OfDay(STREAMER_ORIENTATION, required=True),
    )


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the live candidates of each day."""
    window, period, *of_day = needs(settings)
    watched = visits(window_views(tables, window, days))
    preferred = preferred_of_days(tables, period, days, settings.preferences)
    related, orientation = (of_days(tables, need, days) for need in of_day)
    found = live_candidates(preferred, related, orientation, watched, settings.neighbors)
    return write(tables, LIVE_CANDIDATE, days, found, settings)
