"""Visits to live streams, from a warehouse's watch events and broadcasts.

A visit is a user's watch of a broadcast, whatever the rows it is cut into; it begins with the first. Letters: V visits,
L broadcasts, S streamers, H history length.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts import columns as c
from contracts.errors import NoExamplesError
from contracts.names import ContentKind
from contracts.snapshots import Warehouse
from contracts.tables import BROADCAST, WATCH_EVENT
from models.linear.interactions import Ids
from models.two_tower.catalogue import broadcast_of, microseconds
from models.two_tower.data import platform_days
from models.two_tower.features import NO_TIME

VISIT_COLUMNS: Final = [c.USER_ID, c.CONTENT_ID, c.CONTENT_KIND, c.EVENT_TIME, c.WATCHED_SECONDS]
BROADCAST_COLUMNS: Final = [c.BROADCAST_ID, c.STREAMER_ID, c.STARTED_AT, c.ENDED_AT]
_MICROSECONDS: Final = 1_000_000
_NOTHING: Final = f"no live watch of a known broadcast in {WATCH_EVENT.name} and {BROADCAST.name}"


@dataclass(frozen=True)
class LiveLog:
    """Visits by user and then time, and who was live when.

    Args:
        users, streamers: How many there are.
        user, streamer, broadcast, second, day: Of each visit: indices, seconds and days since 1970, [V].
        owner, begin, end: Of each broadcast: streamer, seconds since 1970, the end not included, [L].
    """

    users: int
    streamers: int
    user: Ids
    streamer: Ids
    broadcast: Ids
    second: Ids
    day: Ids
    owner: Ids
    begin: Ids
    end: Ids

    def __len__(self) -> int:
        return len(self.user)

    @property
    def earlier(self) -> Ids:
        """How many visits of the same user each one has before it, [V]."""
        counts = np.bincount(self.user, minlength=self.users)
        return np.arange(len(self)) - np.repeat(counts.cumsum() - counts, counts)

    def before(self, visits: Ids) -> tuple[Ids, Ids]:
        """All earlier visits of some visits: the row of each among them, and the earlier visit."""
        counts = self.earlier[visits]
        row = np.repeat(np.arange(len(visits)), counts)
        back = np.arange(len(row)) - np.repeat(counts.cumsum() - counts, counts)
        return row, visits[row] - 1 - back

    def histories(self, length: int) -> Ids:
        """Streamers of the visits before each one, newest first, counted from 1, 0 where there are none, [V, H]."""
        back = np.arange(1, length + 1)
        place = np.arange(len(self))[:, None] - back
        return np.where(self.earlier[:, None] >= back, 1 + self.streamer[place], 0)

    def is_return(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which visits are to a streamer that the user has visited before, [V]."""
        pair = self.user * self.streamers + self.streamer
        first = np.unique(pair, return_index=True)[1]  # visits of a user stand in the order of time
        found = np.ones(len(self), dtype=np.bool_)
        found[first] = False
        return found

    def live_at(self, seconds: Ids) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
        """Who was live at some moments, ascending, [moments, S]."""
        first, last = (np.searchsorted(seconds, times) for times in (self.begin, self.end))
        found = np.zeros((len(seconds), self.streamers), dtype=np.bool_)
        for broadcast in np.flatnonzero(first < last):
            found[first[broadcast] : last[broadcast], self.owner[broadcast]] = True
        return found


def read_live_log(warehouse: Warehouse, days: Sequence[date], time_zone: str) -> LiveLog:
    """The log of some days of a warehouse.

    Raises:
        NoExamplesError: nobody watched a broadcast that the tables know.
    """
    events = [warehouse.read(WATCH_EVENT, day, VISIT_COLUMNS) for day in days]
    known = [warehouse.read(BROADCAST, day, BROADCAST_COLUMNS) for day in days if warehouse.current(BROADCAST, day)]
    return live_log(
        pa.concat_tables(events) if events else WATCH_EVENT.schema.empty_table().select(VISIT_COLUMNS),
        pa.concat_tables(known) if known else BROADCAST.schema.empty_table().select(BROADCAST_COLUMNS),
        time_zone,
    )


def live_log(events: pa.Table, broadcasts: pa.Table, time_zone: str) -> LiveLog:
    """Visits within their broadcast's time; a broadcast without an end was on to the last second of the log.

    Args:
        events: `VISIT_COLUMNS` of watch events.
        broadcasts: `BROADCAST_COLUMNS`; of rows of the same broadcast the last one counts.
        time_zone: Of the platform's days.

    Raises:
        NoExamplesError: nobody watched one of the broadcasts.
    """
    is_live = pc.equal(events[c.CONTENT_KIND], ContentKind.LIVE)
    rows = events.filter(pc.and_(is_live, pc.greater(events[c.WATCHED_SECONDS], 0)))
    if len(rows) == 0 or len(broadcasts) == 0:
        raise NoExamplesError(_NOTHING)
    ids = broadcasts[c.BROADCAST_ID].to_numpy()[::-1]
    ids, newest = np.unique(ids, return_index=True)
    broadcasts = broadcasts.take(pa.array(len(broadcasts) - 1 - newest))
    second = microseconds(rows[c.EVENT_TIME]) // _MICROSECONDS
    begin, end = (microseconds(broadcasts[name]) for name in (c.STARTED_AT, c.ENDED_AT))
    end = np.where(end == NO_TIME, second.max(initial=0) + 1, end // _MICROSECONDS)
    begin = begin // _MICROSECONDS
    broadcast = broadcast_of(rows[c.CONTENT_ID].to_numpy(), second, ids, begin, end)
    is_within = broadcast >= 0
    user, broadcast, second = rows[c.USER_ID].to_numpy()[is_within], broadcast[is_within], second[is_within]
    order = np.lexsort((second, broadcast, user))
    user, broadcast, second = user[order], broadcast[order], second[order]
    is_first = np.ones(len(user), dtype=np.bool_)
    is_first[1:] = (user[1:] != user[:-1]) | (broadcast[1:] != broadcast[:-1])
    user, broadcast, second = user[is_first], broadcast[is_first], second[is_first]
    if len(user) == 0:
        raise NoExamplesError(_NOTHING)
    order = np.lexsort((broadcast, second, user))
    user_ids, of_user = np.unique(user[order], return_inverse=True)
    streamer_ids, owner = np.unique(broadcasts[c.STREAMER_ID].to_numpy(), return_inverse=True)
    return LiveLog(
        users=len(user_ids),
        streamers=len(streamer_ids),
        user=of_user,
        streamer=owner[broadcast[order]],
        broadcast=broadcast[order],
        second=second[order],
        day=platform_days(second[order] * _MICROSECONDS, time_zone),
        owner=owner,
        begin=begin,
        end=end,
    )
