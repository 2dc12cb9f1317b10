"""Which places of which lists the next day's valued watches hit.

Mode `new` leaves out what the user was exposed to before the day, from lists and from relevant items alike, so that the
places below move up; mode `all` leaves nothing out.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c

IS_EXPOSED: Final = "is_exposed"
IS_RETURN: Final = "is_return"
LIST_NAME: Final = "list_name"
RANK_ALL: Final = "rank_all"
RANK_NEW: Final = "rank_new"
USERS: Final = "users"
USERS_OF_LAST_DAY: Final = "users_of_last_day"
_IS_LAST_DAY: Final = "is_last_day"

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Pairs:
    """A set of (user, other id) that rows are looked up in."""

    users: pa.Array
    others: pa.Array
    keys: pa.Array

    @classmethod
    def of(cls, users: pa.ChunkedArray, others: pa.ChunkedArray) -> "Pairs":
        known = (users.unique(), others.unique())
        return cls(*known, _keys(users, others, *known))

    def places(self, users: pa.ChunkedArray, others: pa.ChunkedArray) -> pa.ChunkedArray:
        """Where the set was first given each row's pair; null where it is not in it."""
        return pc.index_in(_keys(users, others, self.users, self.others), self.keys, skip_nulls=True)

    def contains(self, users: pa.ChunkedArray, others: pa.ChunkedArray) -> pa.ChunkedArray:
        return pc.is_valid(self.places(users, others))


def relevant_items(watched: pa.Table, exposed: Pairs, known_streamers: Pairs) -> pa.Table:
    """Distinct (user, item) of valued watches, marked as exposed before and as a return to a known streamer.

    Args:
        watched: (user_id, item_id, streamer_id) of the judging day's valued watches.
        exposed: (user, item) met before the day.
        known_streamers: (user, streamer) watched before the day.
    """
    names = [c.USER_ID, c.ITEM_ID, c.STREAMER_ID]
    rows = watched.select(names).group_by(names).aggregate([])
    users, items, streamers = (rows.column(name) for name in names)
    marks = {IS_EXPOSED: exposed.contains(users, items), IS_RETURN: known_streamers.contains(users, streamers)}
    return pa.table({c.USER_ID: users, c.ITEM_ID: items, **marks})


def ranked_places(ranked: pa.Table, exposed: Pairs) -> pa.Table:
    """One list's places in both modes.

    Args:
        ranked: (user_id, item_id, rank): the smallest rank is the top; equal ones go to the smaller id.

    Returns:
        (user_id, item_id, rank_all, rank_new); rank_new is null where the item was met before.
    """
    users, items, ranks = (ranked.column(name).to_numpy() for name in (c.USER_ID, c.ITEM_ID, c.RANK))
    order = np.lexsort((items, ranks, users))
    rows = pa.table({c.USER_ID: users[order], c.ITEM_ID: items[order]})
    is_new = ~exposed.contains(rows.column(c.USER_ID), rows.column(c.ITEM_ID)).to_numpy()
    rank_new = _count_within(users[order], is_new)
    rows = rows.append_column(RANK_ALL, pa.array(_count_within(users[order], np.ones_like(is_new))))
    return rows.append_column(RANK_NEW, pa.array(rank_new, mask=~is_new))


def hit_places(places: pa.Table, relevant: pa.Table, k: int) -> pa.Table:
    """The places within `k`, in either mode, that hold a relevant item, with that item's marks."""
    in_new = pc.fill_null(pc.less_equal(places.column(RANK_NEW), k), fill_value=False)
    top = places.filter(pc.or_(pc.less_equal(places.column(RANK_ALL), k), in_new))
    wanted = Pairs.of(relevant.column(c.USER_ID), relevant.column(c.ITEM_ID))
    found = wanted.places(top.column(c.USER_ID), top.column(c.ITEM_ID))
    is_hit = pc.is_valid(found)
    marks = relevant.select([IS_EXPOSED, IS_RETURN]).take(found.filter(is_hit))
    hits = top.filter(is_hit).select([c.USER_ID, RANK_ALL, RANK_NEW])
    return pa.table({**_columns(hits), **_columns(marks)})


def shown_items(places: pa.Table, k: int) -> Ints:
    """The items of all users' first `k` places in mode `new`, as often as they stand there."""
    shown = places.filter(pc.less_equal(places.column(RANK_NEW), k))
    return np.asarray(shown.column(c.ITEM_ID).to_numpy())


def popularity(views: DataFrame, group: Column, item: Column, is_last_day: Column) -> DataFrame:
    """How many users valued an item, in all and on the last day: (surface, item_id, users, users_of_last_day).

    Args:
        group: the surface that a view's item belongs to; null for none.
    """
    valued = views.where(f.col(c.IS_VALUED) & group.isNotNull())
    by_user = valued.groupBy(group.alias(c.SURFACE), item.alias(c.ITEM_ID), c.USER_ID).agg(
        f.max(is_last_day.cast("int")).alias(_IS_LAST_DAY)
    )
    counts = (f.count(f.lit(1)).alias(USERS), f.sum(_IS_LAST_DAY).alias(USERS_OF_LAST_DAY))
    return by_user.groupBy(c.SURFACE, c.ITEM_ID).agg(*counts)


def best_items(items: pa.Table, score: str, length: int) -> Ints:
    """The ids of the `length` best items with a score above zero; ties go to the smaller id."""
    scored = items.filter(pc.greater(items.column(score), 0))
    best = scored.sort_by([(score, "descending"), (c.ITEM_ID, "ascending")]).slice(0, length)
    return np.asarray(best.column(c.ITEM_ID).to_numpy())


def for_everyone(items: Ints, users: Ints) -> pa.Table:
    """(user_id, item_id, rank): one list given to every user."""
    ranks = np.tile(np.arange(1.0, len(items) + 1), len(users))
    return pa.table({c.USER_ID: np.repeat(users, len(items)), c.ITEM_ID: np.tile(items, len(users)), c.RANK: ranks})


def _count_within(users: Ints, counted: Bools) -> Ints:
    """How many rows of the same user, up to each row, are counted; rows are sorted by user."""
    running = counted.cumsum()
    starts = np.flatnonzero(np.r_[True, users[1:] != users[:-1]]) if len(users) else np.zeros(0, dtype=np.int64)
    before = (running - counted)[starts]
    return np.asarray(running - np.repeat(before, np.diff(np.r_[starts, len(users)])))


def _keys(
    users: pa.ChunkedArray, others: pa.ChunkedArray, known_users: pa.Array, known_others: pa.Array
) -> pa.ChunkedArray:
    """One number per pair; null where the user or the other is not known."""
    row = pc.index_in(users, known_users).cast(pa.int64())
    return pc.add(pc.multiply(row, max(len(known_others), 1)), pc.index_in(others, known_others).cast(pa.int64()))


def _columns(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    return dict(zip(table.column_names, table.columns, strict=True))
