"""New contents: which are fresh, and which are shown, in turns with the best, of a streamer who is new to a user.

In Arrow: a few rows per streamer, and no more contents than some days bring.
"""

from datetime import datetime, timedelta
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts import columns as c
from contracts.names import ContentKind, Visibility

_DAY_MICROSECONDS: Final = 86_400e6
_SCHEMA: Final = pa.schema(
    {c.STREAMER_ID: pa.int64(), c.RANK: pa.int64(), c.CONTENT_KIND: pa.string(), c.CONTENT_ID: pa.int64()}
)


def explored_contents(representative: pa.Table, newest: pa.Table) -> pa.Table:
    """`streamer_id`, `rank`, `content_kind`, `content_id`: each streamer's best, with the newest of the others between.

    Args:
        representative: Best-valued contents, `rank` from 1 per streamer.
        newest: The same of the newest contents.
    """
    best = representative.select(_SCHEMA.names).cast(_SCHEMA)
    others = newest.filter(pc.invert(pc.is_in(newest.column(c.CONTENT_ID), best.column(c.CONTENT_ID))))
    turns = [
        rows.set_column(1, c.RANK, pc.add(pc.multiply(rows.column(c.RANK), 2), is_second))
        for is_second, rows in enumerate((best, others))
    ]
    columns = pa.concat_tables(turns).sort_by([(c.STREAMER_ID, "ascending"), (c.RANK, "ascending")])
    return columns.set_column(1, c.RANK, pa.array(_places(columns.column(c.STREAMER_ID))))


def newest_contents(contents: pa.Table, since: datetime, until: datetime, per_streamer: int) -> pa.Table:
    """Each streamer's newest public VODs and clips of a span, `rank` from 1: `streamer_id`, `rank`, kind and id.

    Args:
        contents: Rows of `content_v1`.
    """
    published = contents.column(c.PUBLISHED_AT)
    wanted = pc.and_(pc.greater_equal(published, since), pc.less(published, until))
    wanted = pc.and_(wanted, pc.equal(contents.column(c.VISIBILITY), Visibility.PUBLIC.value))
    wanted = pc.and_(wanted, pc.not_equal(contents.column(c.CONTENT_KIND), ContentKind.LIVE.value))
    order = [(c.STREAMER_ID, "ascending"), (c.PUBLISHED_AT, "descending"), (c.CONTENT_ID, "ascending")]
    rows = contents.filter(wanted).sort_by(order)
    ranked = rows.append_column(c.RANK, pa.array(_places(rows.column(c.STREAMER_ID))))
    return ranked.filter(pc.less_equal(ranked.column(c.RANK), per_streamer)).select(_SCHEMA.names).cast(_SCHEMA)


def fresh_contents(contents: pa.Table, until: datetime, half_life_days: float) -> pa.Table:
    """`content_id`, ascending, and `recency` = 2^(-age / half-life) of what is younger than four half-lives.

    Args:
        contents: Rows of `content_v1`; those of unknown age are not fresh.
        until: From when ages count back; what comes later is not out.
    """
    published = contents.column(c.PUBLISHED_AT)
    since = until - timedelta(days=4 * half_life_days)
    wanted = pc.and_(pc.greater_equal(published, since), pc.less(published, until))
    young = contents.filter(wanted).sort_by(c.CONTENT_ID)
    ages = (np.datetime64(until.replace(tzinfo=None), "us") - young.column(c.PUBLISHED_AT).to_numpy()).astype(float)
    recency = np.exp2(-ages / (half_life_days * _DAY_MICROSECONDS))
    return pa.table({c.CONTENT_ID: young.column(c.CONTENT_ID), c.RECENCY: recency})


def _places(sorted_keys: pa.ChunkedArray) -> np.ndarray:
    """1, 2, ... within each run of equal keys."""
    keys = sorted_keys.to_numpy()
    is_first = np.ones(len(keys), bool)
    is_first[1:] = keys[1:] != keys[:-1]
    starts = np.flatnonzero(is_first)
    return np.arange(len(keys)) - np.repeat(starts, np.diff([*starts, len(keys)])) + 1
