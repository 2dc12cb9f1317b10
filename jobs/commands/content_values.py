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


def needs(settings: Settings) -> tuple[Window]:
    """What a day reads."""
    return (Window(VIEW_VALUE, required=True, window_days=settings.valuation.window_days),)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the contents' values of each day."""
    (window,) = needs(settings)
    views = window_views(tables, window, days)
    return write(tables, CONTENT_VALUE, days, content_values(views, settings.valuation), settings)
