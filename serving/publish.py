"""Publish: the day's lists go to Redis as one generation beside the old one, then one pointer flips."""

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from contracts import columns as c
from contracts import redis_keys
from contracts.erasure import Erased
from contracts.names import ItemKind, Source, Surface
from contracts.packed_user import pack_user
from contracts.payload import KINDS, SOURCES, CandidateColumns, Ids, encode, pack_lists
from contracts.schema import Table
from contracts.settings import ServingSettings
from contracts.snapshots import Warehouse
from contracts.tables import (
    CANDIDATE_LIST,
    NEXT_CONTENT,
    RELATED_STREAMER,
    REPRESENTATIVE_VOD,
    SEGMENT_LIST,
    USER_FEATURE,
    USER_VECTOR,
)
from serving.erase import enforce
from serving.fresh.published import contents_known, read_user_vectors, user_vectors, vector_model
from serving.newest import write_newest
from serving.runs import Codes, run_edges
from serving.stores.protocol import GenerationStore, PublishStore

_PACKED_AT_ONCE: Final = 2_000
_OF_USERS: Final = [c.USER_ID, c.SEGMENT, c.PREFERRED_STREAMER_IDS, c.RECENT_STREAMER_IDS]
Entry = tuple[str, bytes, bytes]
"""Key of a hash, its field, the field's value."""


@dataclass(frozen=True)
class PublishReport:
    """What one publish wrote."""

    generation: str
    day: str
    model_version: str
    lists: int
    list_bytes: int
    segment_lists: int
    target_lists: int
    users: int
    seconds: float
    swept: tuple[str, ...]

    @property
    def lists_per_second(self) -> float:
        return self.lists / max(self.seconds, 1e-9)


def publish(
    warehouse: Warehouse, store: PublishStore, settings: ServingSettings, day: date, now: datetime
) -> PublishReport:
    """Write the lists of `day` as a new generation, serve it, and sweep what is neither it nor the one before.

    Raises:
        MissingPartitionError: a job of that day has not run.
        StoreUnavailableError, PublishOvertakenError
    """
    started = time.perf_counter()
    erased = Erased.of(warehouse)
    lists = erased.left_out_of(CANDIDATE_LIST, warehouse.read(CANDIDATE_LIST, day))
    fallbacks = warehouse.read(SEGMENT_LIST, day)
    channels, related = warehouse.read(REPRESENTATIVE_VOD, day), warehouse.read(RELATED_STREAMER, day)
    followers = _read_newest(warehouse, NEXT_CONTENT, day)
    profiles = _read_newest(warehouse, USER_FEATURE, day, _OF_USERS)
    users = erased.left_out_of(USER_FEATURE, profiles)
    generation = f"{day:%Y%m%d}-{secrets.token_hex(4)}"
    writer = _Writer(store, settings, generation)
    writer.begin()
    list_count, list_bytes = writer.write(_user_lists(lists, generation))
    segment_count, _ = writer.write(_segment_lists(fallbacks, generation))
    of_streamers = chain(_channel_vods(channels, generation), _related_streamers(related, generation))
    target_count, _ = writer.write(chain(of_streamers, _next_contents(followers, generation)))
    user_count, _ = writer.write(_segments(users, generation))
    vectors = erased.left_out_of(USER_VECTOR, read_user_vectors(warehouse, day))
    writer.write(user_vectors(vectors, generation))
    write_newest(warehouse, store, generation, day, writer.ttl_seconds)
    version = _model_version(lists)
    info = GenerationInfo(
        day.isoformat(),
        now.isoformat(),
        version,
        str(list_count),
        str(list_bytes),
        *contents_known(warehouse, day),
        *vector_model(vectors),
    )
    enforce(warehouse, store, settings, now)  # of users who were erased meanwhile, too
    store.flip(generation, asdict(info), writer.ttl_seconds)
    swept = tuple(store.sweep())
    seconds = time.perf_counter() - started
    return PublishReport(
        generation, info.day, version, list_count, list_bytes, segment_count, target_count, user_count, seconds, swept
    )


def _read_newest(warehouse: Warehouse, table: Table, day: date, columns: Sequence[str] | None = None) -> pa.Table:
    """The day's partition, or the one before it: a running day has none of the slower tables yet."""
    return warehouse.read_snapshot(table, warehouse.latest(table, day) or warehouse.require(table, day), columns)


@dataclass(frozen=True)
class GenerationInfo:
    """What a generation says of itself, as the fields of its info hash.

    Args:
        contents_day: The batch knows the contents until the end of that day; empty where it knows none.
        contents_until: Of an hourly run: the lists hold nothing that came later.
        vector_model_version: Of the model that made the users' vectors; empty where there are none.
        vector_dim: Their length.
    """

    day: str
    published_at: str
    model_version: str
    lists: str
    list_bytes: str
    contents_day: str
    contents_until: str
    vector_model_version: str
    vector_dim: str


@dataclass(frozen=True)
class _Writer:
    """Entries in, pipelines of a bounded size out."""

    store: GenerationStore
    settings: ServingSettings
    generation: str

    @property
    def ttl_seconds(self) -> int:
        return max(1, round(self.settings.list_ttl_hours * 3600))

    def begin(self) -> None:
        self.store.begin(self.generation, self.settings.publish_heartbeat_seconds)

    def write(self, entries: Iterator[Entry]) -> tuple[int, int]:
        """Write all entries; returns how many there were and the bytes of their values."""
        hashes: dict[str, dict[bytes, bytes]] = {}
        count = size = 0
        for key, name, value in entries:
            hashes.setdefault(key, {})[name] = value
            count, size = count + 1, size + len(value)
            if count % self.settings.publish_chunk_lists == 0:
                self._flush(hashes)
                hashes = {}
        self._flush(hashes)
        return count, size

    def _flush(self, hashes: dict[str, dict[bytes, bytes]]) -> None:
        self.store.write_hashes(self.generation, hashes, self.ttl_seconds)
        self.store.beat(self.generation, self.settings.publish_heartbeat_seconds)


def _user_lists(rows: pa.Table, generation: str) -> Iterator[Entry]:
    users = rows.column(c.USER_ID).to_numpy()
    surfaces, codes = _dictionary(rows.column(c.SURFACE))
    order = np.lexsort((rows.column(c.RANK).to_numpy(), users, codes))
    users, codes, candidates = users[order], codes[order], candidate_columns(rows).take(order)
    edges = run_edges(users, codes)
    owners = zip(users[edges[:-1]].tolist(), codes[edges[:-1]].tolist(), strict=True)
    for (user, code), packed in zip(owners, _packed(candidates, edges), strict=True):
        yield redis_keys.lists(generation, surfaces[code], redis_keys.bucket_of(user)), str(user).encode(), packed


def _segment_lists(rows: pa.Table, generation: str) -> Iterator[Entry]:
    surfaces, codes = _dictionary(rows.column(c.SURFACE))
    segments, segment_codes = _dictionary(rows.column(c.SEGMENT))
    order = np.lexsort((rows.column(c.RANK).to_numpy(), segment_codes, codes))
    codes, segment_codes, candidates = codes[order], segment_codes[order], candidate_columns(rows).take(order)
    edges = run_edges(codes, segment_codes)
    for start, packed in zip(edges, _packed(candidates, edges), strict=False):
        key = redis_keys.segment_lists(generation, surfaces[codes[start]])
        yield key, segments[segment_codes[start]].encode(), packed


def _channel_vods(rows: pa.Table, generation: str) -> Iterator[Entry]:
    streamers = rows.column(c.STREAMER_ID).to_numpy()
    contents = rows.column(c.CONTENT_ID).to_numpy()
    candidates = _of_one_source(
        contents, _codes(rows.column(c.CONTENT_KIND), KINDS), streamers, Source.REPRESENTATIVE, rows
    )
    return _target_lists(Surface.CHANNEL_VODS, streamers, candidates, rows, generation)


def _next_contents(rows: pa.Table, generation: str) -> Iterator[Entry]:
    candidates = _candidates(rows, rows.column(c.CONTENT_ID), rows.column(c.CONTENT_KIND))
    return _target_lists(Surface.WATCH_NEXT, rows.column(c.TARGET_ID).to_numpy(), candidates, rows, generation)


def _related_streamers(rows: pa.Table, generation: str) -> Iterator[Entry]:
    related = rows.column(c.RELATED_STREAMER_ID).to_numpy()
    kinds = np.full(len(related), KINDS.index(ItemKind.STREAMER), np.uint8)
    candidates = _of_one_source(related, kinds, related, Source.RELATED_STREAMERS, rows)
    targets = rows.column(c.STREAMER_ID).to_numpy()
    return _target_lists(Surface.RELATED_STREAMERS, targets, candidates, rows, generation)


def _of_one_source(
    items: Ids, kinds: npt.NDArray[np.uint8], streamers: Ids, source: Source, rows: pa.Table
) -> CandidateColumns:
    sources = np.full(len(items), SOURCES.index(source), np.uint8)
    return CandidateColumns(items, kinds, streamers, sources, rows.column(c.SCORE).to_numpy().astype(np.float32))


def _target_lists(
    surface: Surface, targets: Ids, candidates: CandidateColumns, rows: pa.Table, generation: str
) -> Iterator[Entry]:
    order = np.lexsort((rows.column(c.RANK).to_numpy(), targets))
    targets = targets[order]
    edges = run_edges(targets)
    owners = targets[edges[:-1]].tolist()
    for target, packed in zip(owners, _packed(candidates.take(order), edges), strict=True):
        key = redis_keys.target_lists(generation, surface, redis_keys.bucket_of(target))
        yield key, str(target).encode(), packed


def _packed(candidates: CandidateColumns, edges: list[int]) -> Iterator[bytes]:
    """The lists between the edges, packed some thousand at a time: enough to share the work, small in memory."""
    for first in range(0, len(edges) - 1, _PACKED_AT_ONCE):
        cut = edges[first : first + _PACKED_AT_ONCE + 1]
        yield from pack_lists(candidates.take(slice(cut[0], cut[-1])), [edge - cut[0] for edge in cut])


def _segments(rows: pa.Table, generation: str) -> Iterator[Entry]:
    rows = rows.sort_by(c.USER_ID)
    known = (rows.column(name).to_pylist() for name in (c.PREFERRED_STREAMER_IDS, c.RECENT_STREAMER_IDS))
    users, segments = rows.column(c.USER_ID).to_pylist(), rows.column(c.SEGMENT).to_pylist()
    for user, segment, preferred, recent in zip(users, segments, *known, strict=True):
        packed = pack_user(segment, [*(preferred or ()), *(recent or ())])
        yield redis_keys.segments(generation, redis_keys.bucket_of(user)), str(user).encode(), packed


def candidate_columns(rows: pa.Table) -> CandidateColumns:
    """The candidates of a list table as columns, in the table's order."""
    return _candidates(rows, rows.column(c.ITEM_ID), rows.column(c.ITEM_KIND))


def _candidates(rows: pa.Table, items: pa.ChunkedArray, kinds: pa.ChunkedArray) -> CandidateColumns:
    return CandidateColumns(
        items.to_numpy(),
        _codes(kinds, KINDS),
        rows.column(c.STREAMER_ID).to_numpy(),
        _codes(rows.column(c.SOURCE), SOURCES),
        rows.column(c.SCORE).to_numpy().astype(np.float32),
    )


def _codes(column: pa.ChunkedArray, words: Sequence[str]) -> npt.NDArray[np.uint8]:
    found, codes = _dictionary(column)
    return encode(found, words)[codes]


def _dictionary(column: pa.ChunkedArray) -> tuple[list[str], Codes]:
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy(zero_copy_only=False)


def _model_version(rows: pa.Table) -> str:
    versions = rows.column(c.MODEL_VERSION).drop_null().unique().to_pylist()
    return ",".join(sorted(versions))
