"""`user_features`: what the views of the window say of each user."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame

from contracts.settings import FeatureSettings, Settings
from contracts.snapshots import Snapshot
from contracts.tables import EARLIER_VIEW, PREFERRED_STREAMER, USER_FEATURE, VIEW_VALUE
from jobs.commands.readings import of_days, partitions, used_by, window_views, write
from jobs.needs import Latest, OfDay, Window
from jobs.tables import Tables
from jobs.transformations.as_of import spread
from jobs.transformations.user_features import earlier_contents, user_features


def needs(settings: Settings) -> tuple[Window, OfDay, Latest]:
    """What a day reads."""
    window = Window(VIEW_VALUE, required=True, window_days=settings.features.window_days)
    return window, OfDay(PREFERRED_STREAMER, required=True), Latest(EARLIER_VIEW)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the user features of each day."""
    window, of_day, untimed = needs(settings)
    views, preferred = window_views(tables, window, days), of_days(tables, of_day, days)
    earlier = _earlier(tables, untimed, days, settings.features)
    return write(tables, USER_FEATURE, days, user_features(views, preferred, earlier, settings.features), settings)


def _earlier(tables: Tables, need: Latest, days: Sequence[date], features: FeatureSettings) -> DataFrame:
    """What came before the log, the same for many days: put together once, then spread over them."""
    needed = partitions(tables, need, days)
    rows = tables.read_for(need.table, needed)
    return spread(earlier_contents(rows, features), used_by(needed))
