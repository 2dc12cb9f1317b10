"""`representative_vods`: each streamer's best VODs and clips."""

from collections.abc import Sequence
from datetime import date

from contracts.clock import day_bounds
from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import CONTENT_VALUE, REPRESENTATIVE_VOD
from jobs.commands.readings import catalogue, of_days, write
from jobs.tables import Tables
from jobs.transformations.representative_vods import representative_vods


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the representative VODs of each day."""
    values = of_days(tables, CONTENT_VALUE, days)
    day_ends = {day: day_bounds(day, settings.platform.time_zone)[1] for day in days}
    best = representative_vods(values, catalogue(tables, days), day_ends, settings.representative)
    return write(tables, REPRESENTATIVE_VOD, days, best, settings)
