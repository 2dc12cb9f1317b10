"""Publish: the day's lists go to Redis as one generation beside the old one, then one pointer flips."""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts import columns as c
from contracts import redis_keys
from contracts.erasure import Erased
from contracts.packed_user import pack_users
from contracts.payload import Ids
from contracts.schema import Table
from contracts.settings import ServingSettings
from contracts.snapshots import Snapshot, Warehouse
from contracts.tables import (
    CANDIDATE_LIST,
    NEXT_CONTENT,
    RELATED_STREAMER,
    REPRESENTATIVE_VOD,
    SEGMENT_LIST,
    USER_FEATURE,
    USER_VECTOR,
)
from serving import list_rows
from serving.erase import enforce
from serving.fresh.published import (
    contents_known,
    packed_vectors,
    read_user_vectors,
    vector_batches,
    vector_model,
)
from serving.list_rows import Hash, ListRows
from serving.newest import NEWEST_COLUMNS, newest_of, packed_parts
from serving.runs import run_edges
from serving.stores.protocol import GenerationStore, PublishStore
from serving.writer import GenerationWriter, Written, ttl_of

_CANDIDATE: Final = [c.RANK, c.ITEM_KIND, c.ITEM_ID, c.STREAMER_ID, c.SOURCE, c.SCORE]
_OF_USERS: Final = [c.USER_ID, c.SEGMENT, c.PREFERRED_STREAMER_IDS, c.RECENT_STREAMER_IDS]
_MEMORY_SAMPLES: Final = 200
Batches = Iterable[pa.Table]


@dataclass(frozen=True)
class PublishReport:
    """What one publish wrote.

    Args:
        redis_bytes: What the generation takes in Redis: `MEMORY USAGE` of some of its keys, for other traffic changes
            what the server uses as a whole.
        reader_sha: By which other languages call the script that reads lists (`serving/lua/read_list.lua`).
    """

    generation: str
    day: str
    model_version: str
    lists: int
    list_bytes: int
    segment_lists: int
    target_lists: int
    users: int
    redis_bytes: int
    reader_sha: str
    seconds: float
    swept: tuple[str, ...]

    @property
    def lists_per_second(self) -> float:
        return self.lists / max(self.seconds, 1e-9)

    @property
    def redis_bytes_per_user(self) -> float:
        """All of the generation, also what is the same for everybody, over the users it knows."""
        return self.redis_bytes / max(self.users, 1)


@dataclass(frozen=True)
class GenerationInfo:
    """What a generation says of itself, as the fields of its info hash."""

    day: str
    published_at: str
    model_version: str
    lists: str
    list_bytes: str
    users: str
    redis_bytes: str
    contents_day: str
    contents_until: str
    vector_model_version: str
    vector_dim: str


@dataclass(frozen=True)
class DayTables:
    """The tables of a publish without erased users, in batches that fit in memory.

    Args:
        newest: Of the representative contents, what the newest ones are found by.
        vectors: The users' vectors.
        contents: The day of the contents behind the lists, and until when, where that was before the day's end.
    """

    lists: Batches
    segment_lists: Batches
    channels: Batches
    related: Batches
    followers: Batches
    users: Batches
    newest: pa.Table
    vectors: pa.Table
    contents: tuple[str, str]

    @classmethod
    def of(cls, warehouse: Warehouse, day: date, rows: int) -> "DayTables":
        """Of a day; nothing is read yet.

        Raises:
            MissingPartitionError: a job of that day has not run.
        """

        erased = Erased.of(warehouse)

        def batches(table: Table, snapshot: Snapshot, columns: list[str]) -> Batches:
            kept = (erased.left_out_of(table, part) for part in warehouse.batches(table, snapshot, columns, rows))
            return filter(len, kept)

        def newest(table: Table) -> Snapshot:
            """The day's partition, or one before it: a running day has none of the slower tables yet."""
            return warehouse.latest(table, day) or warehouse.require(table, day)

        lists, segments, channels, related = (
            warehouse.require(table, day)
            for table in (CANDIDATE_LIST, SEGMENT_LIST, REPRESENTATIVE_VOD, RELATED_STREAMER)
        )
        return cls(
            batches(CANDIDATE_LIST, lists, [c.USER_ID, c.SURFACE, c.MODEL_VERSION, *_CANDIDATE]),
            batches(SEGMENT_LIST, segments, [c.SEGMENT, c.SURFACE, *_CANDIDATE]),
            batches(REPRESENTATIVE_VOD, channels, [c.STREAMER_ID, c.RANK, c.CONTENT_ID, c.CONTENT_KIND, c.SCORE]),
            batches(RELATED_STREAMER, related, [c.STREAMER_ID, c.RANK, c.RELATED_STREAMER_ID, c.SCORE]),
            batches(
                NEXT_CONTENT,
                newest(NEXT_CONTENT),
                [c.TARGET_ID, c.RANK, c.CONTENT_ID, c.CONTENT_KIND, c.STREAMER_ID, c.SOURCE, c.SCORE],
            ),
            batches(USER_FEATURE, newest(USER_FEATURE), _OF_USERS),
            warehouse.read_snapshot(REPRESENTATIVE_VOD, channels, NEWEST_COLUMNS),
            erased.left_out_of(USER_VECTOR, read_user_vectors(warehouse, day)),
            contents_known(warehouse, day),
        )


def publish(
    warehouse: Warehouse, store: PublishStore, settings: ServingSettings, day: date, now: datetime
) -> PublishReport:
    """Write the lists of `day` as a new generation, serve it, and sweep what is neither it nor the one before.

    Raises:
        MissingPartitionError: a job of that day has not run.
        ScatteredListsError, StoreUnavailableError, PublishOvertakenError
    """
    started = time.perf_counter()
    tables = DayTables.of(warehouse, day, settings.publish_batch_rows)
    written = write_tables(tables, store, settings, day)
    enforce(warehouse, store, settings, now)  # of users who were erased meanwhile, too
    return flip(written, store, settings, now, started)


@dataclass(frozen=True)
class WrittenTables:
    """A generation that is written and not yet served."""

    generation: str
    day: date
    model_version: str
    lists: Written
    segment_lists: Written
    targets: Written
    users: Written
    contents: tuple[str, str]
    vectors: tuple[str, str]


def write_tables(tables: DayTables, store: GenerationStore, settings: ServingSettings, day: date) -> WrittenTables:
    """Write tables that are in hand as a generation that nobody is served yet."""
    generation = f"{day:%Y%m%d}-{secrets.token_hex(4)}"
    versions: set[str] = set()
    with GenerationWriter(store, settings, generation) as writer:
        by_user = list_rows.whole_owners(_noting_versions(tables.lists, versions), c.USER_ID)
        lists = writer.write(by_user, partial(_user_lists, generation))
        segment_lists = writer.write([list(tables.segment_lists)], partial(_segment_lists, generation))
        targets = Written()
        for batches, owner, to_rows in _of_targets(tables):
            hashes = partial(_target_lists, generation, to_rows)
            targets += writer.write(list_rows.whole_owners(batches, owner), hashes)
        users = writer.write(tables.users, partial(_users, generation))
        writer.write(enumerate(packed_parts(newest_of(tables.newest))), partial(_newest, generation))
        writer.write(vector_batches(tables.vectors), partial(_vectors, generation))
    version, vectors = ",".join(sorted(versions)), vector_model(tables.vectors)
    return WrittenTables(generation, day, version, lists, segment_lists, targets, users, tables.contents, vectors)


def flip(
    written: WrittenTables, store: GenerationStore, settings: ServingSettings, now: datetime, started: float
) -> PublishReport:
    """Serve a generation from now on, and sweep the ones before the last.

    Args:
        started: Of the publish, by `time.perf_counter`.
    """
    memory = store.memory_of(written.generation, _MEMORY_SAMPLES)
    lists, users = written.lists, written.users.count
    day = written.day.isoformat()
    info = GenerationInfo(
        day,
        now.isoformat(),
        written.model_version,
        str(lists.count),
        str(lists.size),
        str(users),
        str(memory.size_bytes),
        *written.contents,
        *written.vectors,
    )
    reader = store.install_reader()
    store.flip(written.generation, asdict(info), ttl_of(settings))
    swept = tuple(store.sweep())
    seconds = time.perf_counter() - started
    counts = (lists.count, lists.size, written.segment_lists.count, written.targets.count, users)
    return PublishReport(
        written.generation, day, written.model_version, *counts, memory.size_bytes, reader, seconds, swept
    )


def _of_targets(tables: DayTables) -> list[tuple[Batches, str, Callable[[pa.Table], ListRows]]]:
    return [
        (tables.channels, c.STREAMER_ID, list_rows.channel_rows),
        (tables.related, c.STREAMER_ID, list_rows.related_rows),
        (tables.followers, c.TARGET_ID, list_rows.next_rows),
    ]


def _noting_versions(batches: Batches, versions: set[str]) -> Batches:
    for rows in batches:
        words, codes = list_rows.dictionary(rows.column(c.MODEL_VERSION).drop_null())
        # One model made nearly every table: then there is nothing to look for.
        versions.update(words if len(words) == 1 and len(codes) else (words[code] for code in np.unique(codes)))
        yield rows


def _user_lists(generation: str, rows: pa.Table) -> Iterator[Hash]:
    return list_rows.list_hashes(list_rows.user_rows(rows), partial(redis_keys.lists, generation), _names)


def _target_lists(generation: str, to_rows: Callable[[pa.Table], ListRows], rows: pa.Table) -> Iterator[Hash]:
    return list_rows.list_hashes(to_rows(rows), partial(redis_keys.target_lists, generation), _names)


def _segment_lists(generation: str, batches: list[pa.Table]) -> Iterator[Hash]:
    """A hash per surface; a handful of lists, so all are packed at once."""
    if not batches:
        return
    rows = pa.concat_tables(batches)
    segments, codes = list_rows.dictionary(rows.column(c.SEGMENT))

    def key(surface: str, _: int) -> str:
        return redis_keys.segment_lists(generation, surface)

    def names(owners: Ids) -> list[bytes]:
        return [segments[owner].encode() for owner in owners.tolist()]

    yield from list_rows.list_hashes(list_rows.segment_rows(rows, codes.astype(np.int64)), key, names, np.zeros_like)


def _users(generation: str, rows: pa.Table) -> Iterator[Hash]:
    """What the batch says of every user."""
    rows = rows.sort_by(c.USER_ID)
    words, codes = list_rows.dictionary(rows.column(c.SEGMENT))
    users = rows.column(c.USER_ID).to_numpy()
    names, values = _names(users), pack_users(words, codes, *_known_streamers(rows))
    buckets = redis_keys.bucket_of(users)
    for start, stop in pairwise(run_edges(buckets)):
        key = redis_keys.segments(generation, int(buckets[start]))
        yield key, dict(zip(names[start:stop], values[start:stop], strict=True))


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


def _newest(generation: str, part: tuple[int, bytes]) -> Iterator[Hash]:
    number, packed = part
    yield redis_keys.newest_contents(generation), {b"%d" % number: packed}


def _vectors(generation: str, rows: pa.RecordBatch) -> Iterator[Hash]:
    """The packed vectors of some users, in ascending order."""
    users, values = rows.column(c.USER_ID).to_numpy(), packed_vectors(rows)
    names, buckets = _names(users), redis_keys.bucket_of(users)
    for start, stop in pairwise(run_edges(buckets)):
        key = redis_keys.user_vectors(generation, int(buckets[start]))
        yield key, dict(zip(names[start:stop], values[start:stop], strict=True))


def _names(owners: Ids) -> list[bytes]:
    return [b"%d" % owner for owner in owners.tolist()]
