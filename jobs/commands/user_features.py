"""`user_features`: what the views of the window say of each user."""

from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import EARLIER_VIEW, PREFERRED_STREAMER, USER_FEATURE
from jobs.commands.readings import window_views, write
from jobs.tables import Tables
from jobs.transformations.user_features import user_features


def run(tables: Tables, day: date, settings: Settings) -> Snapshot:
    """Write the user features of `day`."""
    views = window_views(tables, day, settings.features.window_days)
    preferred = tables.read(PREFERRED_STREAMER, [day])
    earlier = tables.read_latest_existing(EARLIER_VIEW, day)
    return write(tables, USER_FEATURE, day, user_features(views, preferred, earlier, settings.features), settings)
