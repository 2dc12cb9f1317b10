"""`representative_vods`: each streamer's best VODs and clips."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import CONTENT, CONTENT_VALUE, REPRESENTATIVE_VOD
from jobs.commands.readings import as_known, end_of, of_days, write
from jobs.needs import Latest, OfDay
from jobs.tables import Tables
from jobs.transformations.representative_vods import representative_vods


def needs(settings: Settings) -> tuple[OfDay, Latest]:  # noqa: ARG001  every job is asked alike
    """What a day reads."""
    return OfDay(CONTENT_VALUE, required=True), Latest(CONTENT)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the representative VODs of each day."""
    of_day, contents = needs(settings)
    values = of_days(tables, of_day, days)
    day_ends = {day: end_of(tables, day, settings) for day in days}
    best = representative_vods(values, as_known(tables, contents, days), day_ends, settings.representative)
    return write(tables, REPRESENTATIVE_VOD, days, best, settings)
