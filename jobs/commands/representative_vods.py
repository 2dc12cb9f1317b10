"""`representative_vods`: each streamer's best VODs and clips."""

from datetime import date

from contracts.clock import day_bounds
from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import CONTENT_VALUE, REPRESENTATIVE_VOD
from jobs.commands.readings import catalogue, write
from jobs.tables import Tables
from jobs.transformations.representative_vods import representative_vods


def run(tables: Tables, day: date, settings: Settings) -> Snapshot:
    """Write the representative VODs of `day`."""
    values = tables.read(CONTENT_VALUE, [day])
    day_end = day_bounds(day, settings.platform.time_zone)[1]
    best = representative_vods(values, catalogue(tables, day), day_end, settings.representative)
    return write(tables, REPRESENTATIVE_VOD, day, best, settings)
