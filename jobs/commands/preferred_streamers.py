"""`preferred_streamers`: whom each user prefers."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import PREFERRED_STREAMER, VIEW_VALUE
from jobs.commands.readings import window_views, write
from jobs.needs import Window
from jobs.tables import Tables
from jobs.transformations.preferred_streamers import preferred_streamers


def needs(settings: Settings) -> tuple[Window]:
    """What a day reads."""
    return (Window(VIEW_VALUE, required=True, window_days=settings.preferences.window_days),)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the preferred streamers of each day."""
    (window,) = needs(settings)
    views = window_views(tables, window, days)
    return write(tables, PREFERRED_STREAMER, days, preferred_streamers(views, settings.preferences), settings)
