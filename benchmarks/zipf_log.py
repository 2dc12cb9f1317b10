"""A log whose users, streamers and contents are Zipf-distributed: valued views, watch rows and a catalogue.

Seven views in ten are of a streamer of the user's own few, the others of anybody popular. One view in 250 comes a day
late, and half of these are a longer version of a view that was there. One content in 50 has no known length.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from contracts import columns as c
from contracts.clock import trailing_days
from contracts.names import ContentKind
from contracts.schema import Table
from contracts.snapshots import Warehouse
from contracts.tables import CONTENT, VIEW_VALUE, WATCH_EVENT

_FILES: Final = 4
_OWN_STREAMERS: Final = 30
_LATE_SHARE: Final = 0.004
_UNKNOWN_LENGTH_SHARE: Final = 0.02
_LATER_SECONDS: Final = 60.0
_DAY_MICROSECONDS: Final = 86_400_000_000
_DAY_ZERO: Final = date(1970, 1, 1).toordinal()
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class LogSize:
    """How much there is of everything."""

    rows: int
    days: int
    users: int
    vods: int
    streamers: int

    def scaled(self, rows: int) -> "LogSize":
        """The same platform with fewer rows, and of the rest in proportion."""
        share = rows / self.rows
        users, vods, streamers = (max(100, round(number * share)) for number in (self.users, self.vods, self.streamers))
        return LogSize(rows, self.days, users, vods, streamers)


@dataclass(frozen=True)
class _Views:
    users: Ints
    contents: Ints
    days: Ints
    seconds: NDArray[np.float64]
    new_seconds: NDArray[np.float64]
    """Of the watch row that came last; less than `seconds` where there was one before."""

    def where(self, keep: NDArray[np.int64] | NDArray[np.bool_]) -> "_Views":
        return _Views(*(values[keep] for values in vars(self).values()))

    def followed_by(self, other: "_Views") -> "_Views":
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return _Views(*(np.concatenate(pair) for pair in pairs))


def write_zipf_log(warehouse: Warehouse, size: LogSize, last: date, raw_days: int, rng: np.random.Generator) -> None:
    """Write the valued views of the days that end with `last`, the watch rows of the last of these, and a catalogue.

    Args:
        raw_days: Days of watch rows: what the values of a day are computed from.
    """
    days = trailing_days(last, size.days)
    _write(warehouse, CONTENT, days[0], [_contents(size, rng)])
    for day, views in zip(days, _views(size, days, rng), strict=True):
        parts = [views.where(rows) for rows in np.array_split(np.arange(len(views.users)), _FILES)]
        _write(warehouse, VIEW_VALUE, day, [_valued(part, size) for part in parts])
        if day in days[-raw_days:]:
            _write(warehouse, WATCH_EVENT, day, [_watched(part, size, rng) for part in parts])


def _write(warehouse: Warehouse, table: Table, day: date, parts: list[pa.Table]) -> None:
    staged = warehouse.stage(table, day, _NOW)
    staged.mkdir()
    for number, part in enumerate(parts):
        pq.write_table(part, staged / f"part-{number:05}.parquet")
    warehouse.commit(table, day, staged, sum(part.num_rows for part in parts), [])


def _views(size: LogSize, days: list[date], rng: np.random.Generator) -> Iterator[_Views]:
    per_day, before = size.rows // size.days, None
    late = round(per_day * _LATE_SHARE / 2)
    for day in days:
        ordinal = day.toordinal()
        drawn = _drawn(size, per_day - 2 * late, rng, ordinal)
        if before is not None:
            longer = before.where(rng.choice(len(before.users), late, replace=False))
            added = np.full(late, _LATER_SECONDS)
            longer = _Views(longer.users, longer.contents, longer.days, longer.seconds + _LATER_SECONDS, added)
            unseen = _drawn(size, late, rng, ordinal - 1)
            is_new = ~np.isin(_keys(unseen, size), _keys(before, size))
            drawn = drawn.followed_by(longer).followed_by(unseen.where(is_new))
        before = drawn.where(drawn.days == ordinal)
        yield drawn.where(rng.permutation(len(drawn.users)))


def _drawn(size: LogSize, count: int, rng: np.random.Generator, ordinal: int) -> _Views:
    """About so many views of one day; two draws of one user and content are one view."""
    users = _zipf(rng.random(count), size.users, 0.7)
    own = _mixed(users * _OWN_STREAMERS + _zipf(rng.random(count), _OWN_STREAMERS, 1.0))
    streamers = _zipf(np.where(rng.random(count) < 0.7, own, rng.random(count)), size.streamers, 0.9)
    per_streamer = size.vods // size.streamers
    contents = streamers * per_streamer + _zipf(rng.random(count), per_streamer, 0.8)
    seconds = np.round(np.exp(rng.normal(5.0, 1.5, count)).clip(1.0, 20_000.0), 1)
    _, first = np.unique(users * size.vods + contents, return_index=True)
    return _Views(users[first], contents[first], np.full(len(first), ordinal), seconds[first], seconds[first])


def _keys(views: _Views, size: LogSize) -> Ints:
    return views.users * size.vods + views.contents


def _zipf(uniform: NDArray[np.float64], count: int, exponent: float) -> Ints:
    """Ranks from 0 whose frequency falls with rank^-exponent, by the inverse of their distribution."""
    cumulative = np.cumsum(np.arange(1, count + 1) ** -exponent)
    return np.searchsorted(cumulative, uniform * cumulative[-1]).astype(np.int64)


def _mixed(keys: Ints) -> NDArray[np.float64]:
    """A number in [0, 1) that depends on the key alone (the finaliser of SplitMix64)."""
    mixed = keys.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53


def _valued(views: _Views, size: LogSize) -> pa.Table:
    days = pa.array((views.days - _DAY_ZERO).astype(np.int32), pa.int32()).cast(pa.date32())
    return _filled(VIEW_VALUE, views, size, {c.VIEW_DAY: days, c.WATCHED_SECONDS: views.seconds})


def _watched(views: _Views, size: LogSize, rng: np.random.Generator) -> pa.Table:
    """Each view's last row, at any time of its day."""
    times = (views.days - _DAY_ZERO) * _DAY_MICROSECONDS + rng.integers(0, _DAY_MICROSECONDS, len(views.users))
    columns = {c.EVENT_TIME: pa.array(times, pa.timestamp("us", tz="UTC")), c.WATCHED_SECONDS: views.new_seconds}
    return _filled(WATCH_EVENT, views, size, columns)


def _contents(size: LogSize, rng: np.random.Generator) -> pa.Table:
    per_streamer = size.vods // size.streamers
    ids = np.arange(size.streamers * per_streamer)
    seconds = np.round(np.exp(rng.normal(6.0, 1.2, len(ids))).clip(10.0, 36_000.0), 1)
    unknown = rng.random(len(ids)) < _UNKNOWN_LENGTH_SHARE
    known = {
        c.CONTENT_ID: ids,
        c.STREAMER_ID: ids // per_streamer,
        c.DURATION_SECONDS: pa.array(seconds, mask=unknown),
    }
    return _with_constants(CONTENT, known, len(ids))


def _filled(table: Table, views: _Views, size: LogSize, columns: Mapping[str, object]) -> pa.Table:
    streamers = views.contents // (size.vods // size.streamers)
    ids = {c.USER_ID: views.users, c.CONTENT_ID: views.contents, c.STREAMER_ID: streamers}
    return _with_constants(table, {**ids, **columns}, len(views.users))


def _with_constants(table: Table, known: Mapping[str, object], count: int) -> pa.Table:
    """Other columns are null, or the same in every row."""
    constants = {pa.float64(): 0.5, pa.bool_(): True, pa.timestamp("us", tz="UTC"): _NOW, pa.string(): ContentKind.VOD}
    columns = [
        known[column.name]
        if column.name in known
        else pa.repeat(pa.scalar(None if column.nullable else constants[column.type], column.type), count)
        for column in table.columns
    ]
    return pa.table(columns, schema=table.schema)
