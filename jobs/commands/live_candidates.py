"""`live_candidates`: streamers for streamer-oriented users, by return and discovery quota."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import LIVE_CANDIDATE, RELATED_STREAMER, STREAMER_ORIENTATION, VIEW_VALUE
from jobs.block_writes import blocks_of_users, write_blocks
from jobs.commands.readings import of_days, preferred_need, preferred_of_days, publish_time, read, window_views
from jobs.needs import OfDay, Period, Window
from jobs.tables import Tables
from jobs.transformations.live_candidates import LiveCandidates, oriented_users
from jobs.transformations.scored_pairs import Links
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
    return [_run_day(tables.afresh(), day, settings) for day in days]


def _run_day(tables: Tables, day: date, settings: Settings) -> Snapshot:
    window, period, of_related, of_users = needs(settings)
    preferred = preferred_of_days(tables, period, [day], settings.preferences)
    orientation, watched = of_days(tables, of_users, [day]), visits(window_views(tables, window, [day]))
    related = Links.of_related(read(tables, of_related, [day]).toArrow())
    candidates = LiveCandidates(related, settings.neighbors, publish_time(tables, day, settings))
    rows = blocks_of_users(tables, day, oriented_users(preferred, orientation, watched))
    return write_blocks(tables, LIVE_CANDIDATE, day, rows, candidates)
