"""`preferred_streamers`: whom each user prefers."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import PREFERRED_STREAMER
from jobs.commands.readings import window_views, write
from jobs.tables import Tables
from jobs.transformations.preferred_streamers import preferred_streamers


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the preferred streamers of each day."""
    views = window_views(tables, days, settings.preferences.window_days)
    return write(tables, PREFERRED_STREAMER, days, preferred_streamers(views, settings.preferences), settings)
