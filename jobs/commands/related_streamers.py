"""`related_streamers`: whom the people who prefer a streamer prefer, too."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import PREFERRED_STREAMER, RELATED_STREAMER
from jobs.commands.readings import of_days, write
from jobs.needs import OfDay
from jobs.tables import Tables
from jobs.transformations.related_streamers import related_streamers


def needs(settings: Settings) -> tuple[OfDay]:  # noqa: ARG001  every job is asked alike
    """What a day reads."""
    return (OfDay(PREFERRED_STREAMER, required=True),)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the related streamers of each day."""
    (preferred,) = needs(settings)
    related = related_streamers(of_days(tables, preferred, days), settings.neighbors)
    return write(tables, RELATED_STREAMER, days, related, settings)
