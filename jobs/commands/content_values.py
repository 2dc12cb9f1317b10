"""`content_values`: what the views of the window say of each content."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import CONTENT_VALUE
from jobs.commands.readings import window_views, write
from jobs.tables import Tables
from jobs.transformations.content_values import content_values
from jobs.transformations.voices import voices, without_crowds


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the contents' values of each day."""
    valuation = settings.valuation
    heard = voices(window_views(tables, days, valuation.window_days), valuation).persist()
    try:
        values = content_values(without_crowds(heard, valuation), valuation)
        return write(tables, CONTENT_VALUE, days, values, settings)
    finally:
        heard.unpersist()
