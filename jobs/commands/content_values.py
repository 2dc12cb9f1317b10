"""`content_values`: what the views of the window say of each content."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import CONTENT_VALUE, VIEW_VALUE
from jobs.commands.readings import window_views, write
from jobs.needs import Window
from jobs.tables import Tables
from jobs.transformations.content_values import content_values
from jobs.transformations.voices import cohorts, voices, without_crowds


def needs(settings: Settings) -> tuple[Window]:
    """What a day reads."""
    return (Window(VIEW_VALUE, required=True, window_days=settings.valuation.window_days),)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the contents' values of each day."""
    (window,), valuation = needs(settings), settings.valuation
    met = cohorts(voices(window_views(tables, window, days), valuation)).persist()
    try:
        values = content_values(without_crowds(met, valuation), valuation)
        return write(tables, CONTENT_VALUE, days, values, settings)
    finally:
        met.unpersist()
