"""`streamer_features`: what the views of the window say of each streamer."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import STREAMER_FEATURE, VIEW_VALUE
from jobs.commands.readings import window_views, write
from jobs.needs import Window
from jobs.tables import Tables
from jobs.transformations.streamer_features import streamer_features


def needs(settings: Settings) -> tuple[Window]:
    """What a day reads."""
    return (Window(VIEW_VALUE, required=True, window_days=settings.features.window_days),)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the streamer features of each day."""
    (window,) = needs(settings)
    views = window_views(tables, window, days)
    return write(tables, STREAMER_FEATURE, days, streamer_features(views), settings)
