"""`user_features`: what the views of the window say of each user."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame

from contracts.settings import FeatureSettings, Settings
from contracts.snapshots import Snapshot
from contracts.tables import EARLIER_VIEW, USER_FEATURE
from jobs.commands.readings import latest_partitions, preferred_of_days, used_by, window_views, write
from jobs.tables import Tables
from jobs.transformations.as_of import spread
from jobs.transformations.user_features import earlier_contents, user_features


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the user features of each day."""
    views = window_views(tables, days, settings.features.window_days)
    preferred = preferred_of_days(tables, days, settings)
    earlier = _earlier(tables, days, settings.features)
    return write(tables, USER_FEATURE, days, user_features(views, preferred, earlier, settings.features), settings)


def _earlier(tables: Tables, days: Sequence[date], features: FeatureSettings) -> DataFrame:
    """What came before the log, the same for many days: put together once, then spread over them."""
    latest = latest_partitions(tables, EARLIER_VIEW, days)
    rows = tables.read_for(EARLIER_VIEW, {day: [dt] for day, dt in latest.items()})
    return spread(earlier_contents(rows, features), used_by(latest))
