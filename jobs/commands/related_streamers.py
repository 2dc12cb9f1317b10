"""`related_streamers`: whom the people who prefer a streamer prefer, too."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import RELATED_STREAMER
from jobs.commands.readings import preferred_need, preferred_of_days, write
from jobs.needs import Period
from jobs.tables import Tables
from jobs.transformations.related_streamers import related_streamers


def needs(settings: Settings) -> tuple[Period]:
    """What a day reads."""
    return (preferred_need(settings.preferences),)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the related streamers of each day."""
    (need,) = needs(settings)
    preferred = preferred_of_days(tables, need, days, settings.preferences)
    related = related_streamers(preferred, settings.neighbors)
    return write(tables, RELATED_STREAMER, days, related, settings)
