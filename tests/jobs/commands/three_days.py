"""A log of three days, small enough to be read at a glance, and the runs of jobs that several tests look at."""

import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyspark.sql import SparkSession

from contracts import columns as c
from contracts import tables as t
from contracts.schema import Table
from contracts.settings import NeighborSettings, Settings
from contracts.snapshots import Snapshot, Warehouse
from jobs.commands.backfill import Backfill
from jobs.commands.registry import JOBS
from tests.jobs.frames import rows_of

DAYS: Final = [date(2026, 1, 8), date(2026, 1, 9), date(2026, 1, 10)]
LAST: Final = DAYS[-1]
NOW: Final = datetime(2026, 2, 1, tzinfo=UTC)
HISTORY: Final = [job for job in JOBS if job.in_backfill]


def settings_of(home: Path) -> Settings:
    """Every user has neighbours."""
    return Settings(home=home, neighbors=NeighborSettings(min_orientation=0.0))


def compute(spark: SparkSession, settings: Settings) -> None:
    """What days before the last are needed for, and every job of the last."""
    backfill = Backfill(spark, settings, NOW, lambda _: None)
    backfill.run(HISTORY, DAYS[0], DAYS[1])
    backfill.run(JOBS, LAST, LAST)


def copied(settings: Settings, home: Path) -> Settings:
    """The settings of a copy of the warehouse, which may be written to."""
    copy = settings.model_copy(update={"home": home})
    shutil.copytree(settings.warehouse_path, copy.warehouse_path, symlinks=True)
    return copy


def write_log(warehouse: Warehouse) -> None:
    """Users 1 to 4 watch streamers 5 and 6; user 1 comes every day; a row of the 8th comes on the 10th.

    What user 1 watches first every day had been shown a minute before. Nobody has watched clip 23 yet.
    """
    for day in DAYS:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        watches = [
            watch(1, 20, 5, 40.0, noon),
            watch(1, 50 + day.day, 6, 1800.0, noon + timedelta(hours=1), kind="live"),
            watch(2, 20, 5, 12.0, noon),
            watch(3, 21, 6, 0.0, noon, clicked=False),
        ]
        late = [watch(1, 20, 5, 7.0, noon - timedelta(days=2)), watch(4, 22, 6, 90.0, noon)] if day == LAST else []
        write(warehouse, t.WATCH_EVENT, day, *watches, *late)
        shown = {c.USER_ID: 1, c.ITEM_ID: 20, c.EXPLORATION_KIND: "newcomer", c.SERVED_AT: noon - timedelta(minutes=1)}
        write(warehouse, t.IMPRESSION, day, shown)
    contents = [{c.CONTENT_ID: 20, c.STREAMER_ID: 5}, {c.CONTENT_ID: 21, c.STREAMER_ID: 6, c.VISIBILITY: "private"}]
    contents += [{c.CONTENT_ID: 22, c.STREAMER_ID: 6, c.DURATION_SECONDS: 900.0}]
    contents += [{c.CONTENT_ID: 23, c.STREAMER_ID: 6, c.PUBLISHED_AT: datetime(2026, 1, 8, 9, tzinfo=UTC)}]
    write(warehouse, t.CONTENT, DAYS[0], *contents)
    hide = {c.USER_ID: 2, c.ACTION: "hide", c.TARGET_KIND: "clip", c.TARGET_ID: 22}
    write(warehouse, t.USER_ACTION, LAST, hide, {c.USER_ID: 1, c.TARGET_KIND: "clip", c.TARGET_ID: 20})
    write(warehouse, t.EARLIER_VIEW, DAYS[0] - timedelta(days=1), {c.USER_ID: 9, c.CONTENT_ID: 22, c.POSITION: 0})
    retrieved = [(1, 22, 6), (2, 22, 6), (2, 20, 5), (9, 20, 5)]
    found = [{c.USER_ID: user, c.ITEM_ID: item, c.STREAMER_ID: owner} for user, item, owner in retrieved]
    write(
        warehouse, t.RETRIEVED_CANDIDATE, LAST, *({c.ITEM_KIND: "clip", c.MODEL_VERSION: "3", **row} for row in found)
    )


def watch(
    user: int, content: int, streamer: int, seconds: float, start: datetime, *, kind: str = "clip", clicked: bool = True
) -> dict[str, object]:
    """A row of the watch log."""
    ids = {c.USER_ID: user, c.CONTENT_ID: content, c.STREAMER_ID: streamer, c.CONTENT_KIND: kind}
    return {**ids, c.EVENT_TIME: start, c.WATCHED_SECONDS: seconds, c.IS_CLICK: clicked}


def write(
    warehouse: Warehouse, table: Table, day: date, *rows: dict[str, object], inputs: Sequence[Snapshot] = ()
) -> Snapshot:
    """A partition of these rows; columns that are left out get a harmless value."""
    return warehouse.write(table, day, pa.Table.from_pylist(rows_of(table, *rows), table.schema), inputs, NOW)
