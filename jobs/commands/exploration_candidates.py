"""`exploration_candidates`: streamers that each user does not watch (any more), by kind of exploration."""

from collections.abc import Sequence
from datetime import date

from contracts.names import ExplorationKind
from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import EXPLORATION_CANDIDATE, RELATED_STREAMER, STREAMER, VIEW_VALUE
from jobs.commands.readings import as_known, of_days, preferred_need, preferred_of_days, window_views, write
from jobs.needs import Latest, OfDay, Period, Window
from jobs.tables import Tables
from jobs.transformations.exploration.candidates import exploration_candidates
from jobs.transformations.exploration.category_rising import category_rising
from jobs.transformations.exploration.co_watched import co_watched
from jobs.transformations.exploration.lapsed import lapsed
from jobs.transformations.exploration.newcomer import newcomer
from jobs.transformations.exploration.trends import streamer_trends, tastes
from jobs.transformations.streamer_orientation import visits


def needs(settings: Settings) -> tuple[Window, Latest, Period, OfDay]:
    """What a day reads."""
    return (
        Window(VIEW_VALUE, required=True, window_days=settings.exploration.window_days),
        Latest(STREAMER),
        preferred_need(settings.preferences),
        OfDay(RELATED_STREAMER, required=True),
    )


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the streamers for exploration of each day."""
    exploration = settings.exploration
    window, latest, period, of_day = needs(settings)
    views, streamers = window_views(tables, window, days), as_known(tables, latest, days)
    preferred = preferred_of_days(tables, period, days, settings.preferences)
    related = of_days(tables, of_day, days)
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
