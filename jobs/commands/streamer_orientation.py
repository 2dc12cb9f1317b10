"""`streamer_orientation`: who follows streamers rather than categories."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import STREAMER, STREAMER_ORIENTATION
from jobs.commands.readings import latest_of_days, window_views, write
from jobs.tables import Tables
from jobs.transformations.streamer_orientation import streamer_orientation, visits


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the users' orientation of each day."""
    watched = visits(window_views(tables, days, settings.neighbors.visit_window_days))
    orientation = streamer_orientation(watched, latest_of_days(tables, STREAMER, days), settings.neighbors)
    return write(tables, STREAMER_ORIENTATION, days, orientation, settings)
