"""`exploration_report`: what the impressions of a day led to, by kind of exploration.

Read from the snapshots with pyarrow, a bounded number of users at a time, because the rule of attribution is the one
that the bandit learns by (`evaluation.attribution`), and that is not Spark's. What is held of all users is a row of
counts per surface and kind.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contracts import columns as c
from contracts.clock import day_bounds
from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import EXPLORATION_REPORT, IMPRESSION, VIEW_VALUE
from evaluation.attribution import with_closed_window
from jobs.commands.judged_rows import DaySnapshots
from jobs.needs import OfDay
from jobs.tables import Tables
from jobs.transformations.exploration.report import exploration_report, outcomes_by_user

_USERS_AT_ONCE: Final = 20_000
"""With a hundred impressions each 2 million rows. Every such group reads the files again, its users as the filter."""
_SHOWN: Final = [c.USER_ID, c.ITEM_ID, c.SERVED_AT, c.SURFACE, c.EXPLORATION_KIND]
_VIEWED: Final = [
    c.USER_ID,
    c.CONTENT_ID,
    c.STREAMER_ID,
    c.VIEW_DAY,
    c.FIRST_EVENT_TIME,
    c.LAST_EVENT_TIME,
    c.WATCHED_SECONDS,
    c.IS_VALUED,
    c.IS_CLICK,
]


def needs(settings: Settings) -> tuple[OfDay, OfDay]:  # noqa: ARG001  every job is asked alike
    """What a day reads: a window that is open at midnight would need the day after, and is left out."""
    return OfDay(IMPRESSION, required=True), OfDay(VIEW_VALUE, required=True)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the report of each day.

    Raises:
        MissingPartitionError: the day's impressions have not been drained, or its views not been valued.
    """
    return [_run_day(tables.afresh(), day, settings) for day in days]


def _run_day(tables: Tables, day: date, settings: Settings) -> Snapshot:
    rows = exploration_report(_outcomes(DaySnapshots(tables, day), settings))
    snapshot = tables.warehouse.write(EXPLORATION_REPORT, day, rows, tables.inputs_for(day), tables.now)
    tables.sync(EXPLORATION_REPORT, [snapshot])
    return snapshot


def _outcomes(snapshots: DaySnapshots, settings: Settings) -> pd.DataFrame:
    window, is_known = timedelta(minutes=settings.bandit.attribution_minutes), pc.field(c.USER_ID).is_valid()
    end = day_bounds(snapshots.day, settings.platform.time_zone)[1]
    everyone = np.unique(snapshots.read_day(IMPRESSION, [c.USER_ID], is_known).column(c.USER_ID).to_numpy())
    parts = []
    for start in range(0, max(len(everyone), 1), _USERS_AT_ONCE):
        of_users = pc.field(c.USER_ID).isin(pa.array(everyone[start : start + _USERS_AT_ONCE]))
        shown = with_closed_window(snapshots.read_day(IMPRESSION, _SHOWN, of_users), end, window)
        views = snapshots.read_day(VIEW_VALUE, _VIEWED, of_users & (pc.field(c.VIEW_DAY) == snapshots.day))
        parts.append(outcomes_by_user(shown, views, window))
    return pd.concat(parts, ignore_index=True)
