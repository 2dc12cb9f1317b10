"""`content_values`: what the views of the window say of each content."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import CONTENT_VALUE
from jobs.commands.readings import window_views, write
from jobs.tables import Tables
from jobs.transformations.content_values import content_values


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the contents' values of each day."""
    views = window_views(tables, days, settings.valuation.window_days)
    return write(tables, CONTENT_VALUE, days, content_values(views, settings.valuation), settings)
