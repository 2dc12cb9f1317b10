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
from contracts import redis_keys
from contracts.clock import day_bounds, trailing_days
from contracts.erasure import Erased
from contracts.names import Action, ContentKind, ItemKind
from contracts.payload import Ids
from contracts.schema import Table
from contracts.settings import CandidateSettings, Settings
from contracts.snapshots import Warehouse
from contracts.tables import USER_ACTION, VIEW_VALUE
from serving.runs import run_edges
from serving.stores.protocol import UserStore

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
    batch: dict[int, dict[int, float]] = {}
    seen_users = 0
    for start, stop in pairwise(run_edges(users)):
        batch[int(users[start])] = dict(zip(contents[start:stop].tolist(), times[start:stop].tolist(), strict=True))
        seen_users += 1
        if len(batch) == _USERS_AT_ONCE:
            store.add_seen(batch, oldest, ttl_seconds)
            batch = {}
    store.add_seen(batch, oldest, ttl_seconds)
    hidden = hidden_members(warehouse, day)
    store.add_hidden(hidden, ttl_seconds)
    return SyncReport(seen_users, len(users), len(hidden), sum(map(len, hidden.values())))


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


def hidden_members(warehouse: Warehouse, day: date) -> dict[int, list[str]]:
    """`streamer:ID` and `content:ID` per user, of every hide and block until `day`."""
    wanted = [c.USER_ID, c.ACTION, c.TARGET_KIND, c.TARGET_ID]
    days = [dt for dt in warehouse.dates(USER_ACTION) if dt <= day]
    rows = _concat(warehouse, USER_ACTION, days, wanted)
    refused = pc.is_in(rows.column(c.ACTION), pa.array([str(Action.HIDE), str(Action.BLOCK)]))
    members: dict[int, list[str]] = {}
    for row in rows.filter(refused).to_pylist():
        is_streamer = row[c.TARGET_KIND] == ItemKind.STREAMER
        prefix = redis_keys.HIDDEN_STREAMER if is_streamer else redis_keys.HIDDEN_CONTENT
        members.setdefault(row[c.USER_ID], []).append(f"{prefix}{row[c.TARGET_ID]}")
    return members


def _concat(warehouse: Warehouse, table: Table, days: Sequence[date], columns: list[str]) -> pa.Table:
    """All rows of these days, but those of erased users."""
    parts = [warehouse.read(table, dt, columns) for dt in days]
    rows = pa.concat_tables(parts) if parts else table.schema.empty_table().select(columns)
    return Erased.of(warehouse).left_out_of(table, rows)
