"""Rows of a publish as the hashes of its generation."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts import columns as c
from contracts import redis_keys
from contracts.byte_strings import ByteStrings
from contracts.packed_users import pack_users
from contracts.payload import Ids
from serving import list_rows
from serving.fresh.published import packed_vectors
from serving.list_rows import ListRows
from serving.runs import run_edges
from serving.stores.hashes import Hashes
from serving.stores.resp import decimals


def user_lists(generation: str, rows: pa.Table) -> Hashes:
    """The users' own lists."""
    return list_rows.list_hashes(list_rows.user_rows(rows), partial(redis_keys.lists, generation), decimals)


def target_lists(generation: str, to_rows: Callable[[pa.Table], ListRows], rows: pa.Table) -> Hashes:
    """The lists that go with streamers or contents."""
    return list_rows.list_hashes(to_rows(rows), partial(redis_keys.target_lists, generation), decimals)


def segment_lists(generation: str, batches: list[pa.Table]) -> Hashes:
    """A hash per surface; a handful of lists, so all are packed at once."""
    if not batches:
        return Hashes.of({})
    rows = pa.concat_tables(batches)
    segments, codes = list_rows.dictionary(rows.column(c.SEGMENT))

    def key(surface: str, _: int) -> str:
        return redis_keys.segment_lists(generation, surface)

    def names(owners: Ids) -> ByteStrings:
        return ByteStrings.of([segment.encode() for segment in segments]).take(owners)

    return list_rows.list_hashes(list_rows.segment_rows(rows, codes.astype(np.int64)), key, names, np.zeros_like)


def users(generation: str, rows: pa.Table) -> Hashes:
    """What the batch says of every user."""
    rows = rows.sort_by(c.USER_ID)
    words, codes = list_rows.dictionary(rows.column(c.SEGMENT))
    users = rows.column(c.USER_ID).to_numpy()
    values = pack_users(words, codes, *_known_streamers(rows))
    return _by_bucket(partial(redis_keys.segments, generation), users, values)


def _known_streamers(rows: pa.Table) -> tuple[Ids, Ids]:
    """Every user's preferred streamers and then those watched lately, one user after the other, and how many."""
    preferred, recent = (_flattened(rows.column(name)) for name in (c.PREFERRED_STREAMER_IDS, c.RECENT_STREAMER_IDS))
    users = np.concatenate([np.repeat(np.arange(rows.num_rows), sizes) for _, sizes in (preferred, recent)])
    order = np.argsort(users, kind="stable")
    return np.concatenate([preferred[0], recent[0]])[order], preferred[1] + recent[1]


def _flattened(lists: pa.ChunkedArray) -> tuple[Ids, Ids]:
    """The values of lists, and how many each has; null is none."""
    sizes = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    return pc.list_flatten(lists).to_numpy().astype(np.int64), sizes


def newest(generation: str, part: tuple[int, bytes]) -> Hashes:
    """A part of the newest contents, by its number."""
    number, packed = part
    return Hashes.of({redis_keys.newest_contents(generation): {b"%d" % number: packed}})


def vectors(generation: str, rows: pa.RecordBatch) -> Hashes:
    """The packed vectors of some users, in ascending order."""
    users = rows.column(c.USER_ID).to_numpy()
    return _by_bucket(partial(redis_keys.user_vectors, generation), users, packed_vectors(rows))


def _by_bucket(key: Callable[[int], str], users: Ids, values: ByteStrings) -> Hashes:
    """A hash per bucket of users, who are in ascending order."""
    buckets = redis_keys.bucket_of(users)
    edges = run_edges(buckets)
    keys = [key(bucket) for bucket in buckets[edges[:-1]].tolist()]
    return Hashes(keys, edges, decimals(users), values)
