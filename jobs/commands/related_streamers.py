"""`related_streamers`: whom the people who prefer a streamer prefer, too."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import RELATED_STREAMER
from jobs.commands.readings import preferred_of_days, write
from jobs.tables import Tables
from jobs.transformations.related_streamers import related_streamers


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the related streamers of each day."""
    related = related_streamers(preferred_of_days(tables, days, settings), settings.neighbors)
    return write(tables, RELATED_STREAMER, days, related, settings)
