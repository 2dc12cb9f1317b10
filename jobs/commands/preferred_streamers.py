"""`preferred_streamers`: whom each user prefers."""

from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import PREFERRED_STREAMER
from jobs.commands.readings import window_views, write
from jobs.tables import Tables
from jobs.transformations.preferred_streamers import preferred_streamers


def run(tables: Tables, day: date, settings: Settings) -> Snapshot:
    """Write the preferred streamers of `day`."""
    views = window_views(tables, day, settings.preferences.window_days)
    return write(tables, PREFERRED_STREAMER, day, preferred_streamers(views, day, settings.preferences), settings)
