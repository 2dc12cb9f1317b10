"""`exploration_candidates`: streamers that each user does not watch (any more), by kind of exploration."""

from collections.abc import Sequence
from datetime import date

from contracts.names import ExplorationKind
from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import EXPLORATION_CANDIDATE, PREFERRED_STREAMER, RELATED_STREAMER, STREAMER
from jobs.commands.readings import latest_of_days, of_days, window_views, write
from jobs.tables import Tables
from jobs.transformations.exploration.candidates import exploration_candidates
from jobs.transformations.exploration.category_rising import category_rising
from jobs.transformations.exploration.co_watched import co_watched
from jobs.transformations.exploration.lapsed import lapsed
from jobs.transformations.exploration.newcomer import newcomer
from jobs.transformations.exploration.trends import streamer_trends, tastes
from jobs.transformations.streamer_orientation import visits


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the streamers for exploration of each day."""
    exploration = settings.exploration
    views = window_views(tables, days, exploration.window_days)
    streamers = latest_of_days(tables, STREAMER, days)
    preferred, related = (of_days(tables, table, days) for table in (PREFERRED_STREAMER, RELATED_STREAMER))
    watched = visits(views)
    of_users, trends = tastes(watched, streamers, exploration), streamer_trends(views, streamers, exploration)
    found = {
        ExplorationKind.CO_WATCHED: co_watched(preferred, related),
        ExplorationKind.CATEGORY_RISING: category_rising(of_users, trends, exploration),
        ExplorationKind.NEWCOMER: newcomer(of_users, trends, exploration),
        ExplorationKind.LAPSED: lapsed(preferred, exploration.lapsed_days, settings.preferences.half_life_days),
    }
    return write(
        tables, EXPLORATION_CANDIDATE, days, exploration_candidates(found, watched, exploration.length), settings
    )
