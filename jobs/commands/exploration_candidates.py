"""`exploration_candidates`: streamers that each user does not watch (any more), by kind of exploration."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import EXPLORATION_CANDIDATE, RELATED_STREAMER, STREAMER, VIEW_VALUE
from jobs.block_writes import blocks_of_users, write_blocks
from jobs.commands.readings import as_known, preferred_need, preferred_of_days, publish_time, read, window_views
from jobs.needs import Latest, OfDay, Period, Window
from jobs.tables import Tables
from jobs.transformations.exploration.candidates import ExplorationCandidates
from jobs.transformations.exploration.category_rising import rising
from jobs.transformations.exploration.newcomer import newcomers
from jobs.transformations.exploration.trends import Trends, heard_of, voices
from jobs.transformations.scored_pairs import Links
from jobs.transformations.user_streamers import user_streamers


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
    return [_run_day(tables.afresh(), day, settings) for day in days]


def _run_day(tables: Tables, day: date, settings: Settings) -> Snapshot:
    exploration = settings.exploration
    window, latest, period, of_related = needs(settings)
    heard = voices(window_views(tables, window, [day]), exploration).persist()
    try:
        streamers = as_known(tables, latest, [day])
        trends = Trends.of(heard_of(heard, streamers).toArrow(), day, exploration)
        candidates = ExplorationCandidates(
            related=Links.of_related(read(tables, of_related, [day]).toArrow()),
            categories=trends.links,
            rising=rising(trends, exploration),
            newcomers=newcomers(trends, exploration),
            exploration=exploration,
            half_life_days=settings.preferences.half_life_days,
            available_at=publish_time(tables, day, settings),
        )
        preferred = preferred_of_days(tables, period, [day], settings.preferences)
        rows = blocks_of_users(tables, day, user_streamers(preferred, heard))
        return write_blocks(tables, EXPLORATION_CANDIDATE, day, rows, candidates)
    finally:
        heard.unpersist()
