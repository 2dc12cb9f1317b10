"""`streamer_orientation`: who follows streamers rather than categories."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import STREAMER, STREAMER_ORIENTATION, VIEW_VALUE
from jobs.commands.readings import as_known, window_views, write
from jobs.needs import Latest, Window
from jobs.tables import Tables
from jobs.transformations.streamer_orientation import streamer_orientation, visits


def needs(settings: Settings) -> tuple[Window, Latest]:
    """What a day reads."""
    return Window(VIEW_VALUE, required=True, window_days=settings.neighbors.visit_window_days), Latest(STREAMER)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the users' orientation of each day."""
    window, streamers = needs(settings)
    watched = visits(window_views(tables, window, days))
    orientation = streamer_orientation(watched, as_known(tables, streamers, days), settings.neighbors)
    return write(tables, STREAMER_ORIENTATION, days, orientation, settings)
