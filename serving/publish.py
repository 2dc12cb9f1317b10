"""Publish: the day's lists go to Redis as one generation beside the old one, then one pointer flips."""

import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa

from contracts import columns as c
from contracts.settings import ServingSettings
from contracts.snapshots import Warehouse
from serving import generation_hashes as hashes
from serving import list_rows
from serving.day_tables import Batches, DayTables
from serving.erase import enforce
from serving.fresh.published import (
    vector_batches,
    vector_model,
)
from serving.list_rows import ListRows
from serving.newest import newest_of, packed_parts
from serving.stores.protocol import GenerationStore, PublishStore
from serving.writer import GenerationWriter, Written, ttl_of

_MEMORY_SAMPLES: Final = 200


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
        lists = writer.write(by_user, partial(hashes.user_lists, generation))
        segment_lists = writer.write([list(tables.segment_lists)], partial(hashes.segment_lists, generation))
        targets = Written()
        for batches, owner, to_rows in _of_targets(tables):
            to_hashes = partial(hashes.target_lists, generation, to_rows)
            targets += writer.write(list_rows.whole_owners(batches, owner), to_hashes)
        users = writer.write(tables.users, partial(hashes.users, generation))
        writer.write(enumerate(packed_parts(newest_of(tables.newest))), partial(hashes.newest, generation))
        writer.write(vector_batches(tables.vectors), partial(hashes.vectors, generation))
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
