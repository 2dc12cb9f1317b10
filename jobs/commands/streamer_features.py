"""`streamer_features`: what the views of the window say of each streamer."""

from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import STREAMER_FEATURE
from jobs.commands.readings import window_views, write
from jobs.tables import Tables
from jobs.transformations.streamer_features import streamer_features


def run(tables: Tables, day: date, settings: Settings) -> Snapshot:
    """Write the streamer features of `day`."""
    views = window_views(tables, day, settings.features.window_days)
    return write(tables, STREAMER_FEATURE, day, streamer_features(views), settings)
