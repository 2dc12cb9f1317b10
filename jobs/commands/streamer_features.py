"""`streamer_features`: what the views of the window say of each streamer."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import STREAMER_FEATURE
from jobs.commands.readings import window_views, write
from jobs.tables import Tables
from jobs.transformations.streamer_features import streamer_features


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the streamer features of each day."""
    views = window_views(tables, days, settings.features.window_days)
    return write(tables, STREAMER_FEATURE, days, streamer_features(views), settings)
