"""`user_features`: what the views of the window say of each user."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame

from contracts.settings import FeatureSettings, Settings
from contracts.snapshots import Snapshot
from contracts.tables import EARLIER_VIEW, USER_FEATURE, VIEW_VALUE
from jobs.commands.readings import partitions, preferred_need, preferred_of_days, used_by, window_views, write
from jobs.needs import Latest, Period, Window
from jobs.tables import Tables
from jobs.transformations.as_of import spread
from jobs.transformations.user_features import earlier_contents, user_features


def needs(settings: Settings) -> tuple[Window, Period, Latest]:
    """What a day reads."""
    window = Window(VIEW_VALUE, required=True, window_days=settings.features.window_days)
    return window, preferred_need(settings.preferences), Latest(EARLIER_VIEW)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the user features of each day."""
    window, period, untimed = needs(settings)
    views = window_views(tables, window, days)
    preferred = preferred_of_days(tables, period, days, settings.preferences)
    earlier = _earlier(tables, untimed, days, settings.features)
    return write(tables, USER_FEATURE, days, user_features(views, preferred, earlier, settings.features), settings)


def _earlier(tables: Tables, need: Latest, days: Sequence[date], features: FeatureSettings) -> DataFrame:
    """What came before the log, the same for many days: put together once, then spread over them."""
    needed = partitions(tables, need, days)
    rows = tables.read_for(need.table, needed)
    return spread(earlier_contents(rows, features), used_by(needed))
