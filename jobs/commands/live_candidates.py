"""`live_candidates`: streamers for streamer-oriented users, by return and discovery quota."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import LIVE_CANDIDATE, RELATED_STREAMER, STREAMER_ORIENTATION
from jobs.commands.readings import of_days, preferred_of_days, window_views, write
from jobs.tables import Tables
from jobs.transformations.live_candidates import live_candidates
from jobs.transformations.streamer_orientation import visits


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the live candidates of each day."""
    watched = visits(window_views(tables, days, settings.neighbors.visit_window_days))
    preferred = preferred_of_days(tables, days, settings)
    related, orientation = (of_days(tables, table, days) for table in (RELATED_STREAMER, STREAMER_ORIENTATION))
    found = live_candidates(preferred, related, orientation, watched, settings.neighbors)
    return write(tables, LIVE_CANDIDATE, days, found, settings)
