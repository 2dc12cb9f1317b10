"""What users have seen and hidden goes from the tables to the online store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from contracts import columns as c
from contracts.clock import day_bounds, trailing_days
from contracts.erasure import Erased
from contracts.names import Action, ContentKind, ItemKind
from contracts.payload import Ids
from contracts.schema import Table
from contracts.settings import CandidateSettings, Settings
from contracts.snapshots import Warehouse
from contracts.tables import USER_ACTION, VIEW_VALUE
from serving.runs import run_edges
from serving.stores.protocol import MarkKey, UserStore

_USERS_AT_ONCE = 5_000


@dataclass(frozen=True)
class SyncReport:
    """How much was loaded."""

    users_with_seen: int
    seen: int
    users_with_hidden: int
    hidden: int


def sync_seen(warehouse: Warehouse, store: UserStore, settings: Settings, day: date) -> SyncReport:
    """Load the seen contents of the window that ends with `day`, and everything hidden or blocked until then.

    Loading twice changes nothing.
    """
    ttl_seconds = max(1, round(settings.serving.seen_ttl_days * 86_400))
    oldest = day_bounds(day, settings.platform.time_zone)[1].timestamp() - ttl_seconds
    users, contents, times = seen_contents(warehouse, settings.candidates, day)
    most = settings.serving.max_seen_marks
    batch: dict[int, dict[int, float]] = {}
    seen_users = 0
    for start, stop in pairwise(run_edges(users).tolist()):
        batch[int(users[start])] = dict(zip(contents[start:stop].tolist(), times[start:stop].tolist(), strict=True))
        seen_users += 1
        if len(batch) == _USERS_AT_ONCE:
            store.add_marks(MarkKey.SEEN, batch, oldest, most, ttl_seconds)
            batch = {}
    store.add_marks(MarkKey.SEEN, batch, oldest, most, ttl_seconds)
    hidden = hidden_marks(warehouse, day)
    for key, marks in hidden.items():
        # What a user refused is refused for good: no mark is too old.
        store.add_marks(key, marks, 0.0, settings.serving.max_hidden_marks, ttl_seconds)
    refusing = {user for marks in hidden.values() for user in marks}
    count = sum(len(times) for marks in hidden.values() for times in marks.values())
    return SyncReport(seen_users, len(users), len(refusing), count)


def seen_contents(
    warehouse: Warehouse, settings: CandidateSettings, day: date
) -> tuple[Ids, Ids, npt.NDArray[np.float64]]:
    """Users (N,), VODs and clips they have seen (N,) and when (N,) in unix seconds, by user."""
    days = [dt for dt in trailing_days(day, settings.seen_window_days) if warehouse.current(VIEW_VALUE, dt)]
    wanted = [c.USER_ID, c.CONTENT_ID, c.CONTENT_KIND, c.COMPLETION, c.WATCHED_SECONDS, c.LAST_EVENT_TIME]
    rows = _concat(warehouse, VIEW_VALUE, days, wanted)
    share = pc.fill_null(pc.greater_equal(rows.column(c.COMPLETION), settings.seen_share), False)
    enough = pc.or_(share, pc.greater_equal(rows.column(c.WATCHED_SECONDS), settings.seen_seconds))
    # A broadcast goes on: having watched some of it is no reason not to show it again.
    rows = rows.filter(pc.and_(enough, pc.not_equal(rows.column(c.CONTENT_KIND), str(ContentKind.LIVE))))
    latest = rows.group_by([c.USER_ID, c.CONTENT_ID]).aggregate([(c.LAST_EVENT_TIME, "max")]).sort_by(c.USER_ID)
    microseconds = latest.column(f"{c.LAST_EVENT_TIME}_max").cast(pa.int64()).to_numpy()
    return latest.column(c.USER_ID).to_numpy(), latest.column(c.CONTENT_ID).to_numpy(), microseconds / 1e6


def hidden_marks(warehouse: Warehouse, day: date) -> dict[MarkKey, dict[int, dict[int, float]]]:
    """Streamers and contents per user with the time of the last hide or block, until `day`."""
    wanted = [c.USER_ID, c.ACTION, c.TARGET_KIND, c.TARGET_ID, c.EVENT_TIME]
    days = [dt for dt in warehouse.dates(USER_ACTION) if dt <= day]
    rows = _concat(warehouse, USER_ACTION, days, wanted)
    refused = pc.is_in(rows.column(c.ACTION), pa.array([str(Action.HIDE), str(Action.BLOCK)]))
    marks: dict[MarkKey, dict[int, dict[int, float]]] = {MarkKey.HIDDEN_STREAMERS: {}, MarkKey.HIDDEN_CONTENTS: {}}
    for row in rows.filter(refused).to_pylist():
        is_streamer = row[c.TARGET_KIND] == ItemKind.STREAMER
        key = MarkKey.HIDDEN_STREAMERS if is_streamer else MarkKey.HIDDEN_CONTENTS
        times = marks[key].setdefault(row[c.USER_ID], {})
        times[row[c.TARGET_ID]] = max(row[c.EVENT_TIME].timestamp(), times.get(row[c.TARGET_ID], 0.0))
    return marks


def _concat(warehouse: Warehouse, table: Table, days: Sequence[date], columns: list[str]) -> pa.Table:
    """All rows of these days, but those of erased users."""
    parts = [warehouse.read(table, dt, columns) for dt in days]
    rows = pa.concat_tables(parts) if parts else table.schema.empty_table().select(columns)
    return Erased.of(warehouse).left_out_of(table, rows)
