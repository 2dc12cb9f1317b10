"""A user whom every store holds is erased: then no store holds them, and nothing brings them back."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redis

from contracts import columns as c
from contracts import redis_keys
from contracts import tables as t
from contracts.erasure import Erased, tables_with_users
from contracts.names import STREAM_FEEDBACK, STREAM_IMPRESSIONS, USER_STREAMS, dead_letters
from contracts.schema import Table
from contracts.settings import RedisSettings, TwoTowerSettings
from feature_repo.store import apply_definitions, materialize
from jobs.commands.forget import forget as forget_in_tables
from models.two_tower.forget import forget as forget_in_models
from models.two_tower.register import open_client, register, started_run
from models.two_tower.storage import StoredModel
from models.two_tower.train import fresh_model
from models.two_tower.vocabulary import Vocabularies, Vocabulary
from serving.drain import drain_impressions
from serving.stores.redis_store import RedisStore
from tests.jobs.frames import rows_of
from tests.serving.builders import DAY, NOW
from tests.serving.erase_platform import GONE, Platform

ERASED_AT = datetime.now(UTC)
ONLY_THE_MARK = {f"warehouse/{t.ERASED_USER.name}"}
ONLY_THE_TOMBSTONE = {redis_keys.erased(GONE)}


@pytest.fixture
def platform(redis_url: str, tmp_path: Path) -> Platform:
    """The user is in every table, twice published, seen and hidden, served, in Feast, in a model, on a channel page."""
    platform = Platform(RedisStore.open(redis_url, 10_000), tmp_path)
    platform.settings = platform.settings.model_copy(
        update={"redis": RedisSettings(url=redis_url), "two_tower": TwoTowerSettings(dim=4)}
    )
    named = {c.USER_ID: GONE, c.CREATOR_ID: GONE, c.RAW: f'{{"who": {GONE}}}', c.VECTOR: [1.0, 0.0]}
    for table in t.ALL_TABLES.values():
        if table != t.ERASED_USER and not platform.warehouse.dates(table):
            write(platform, table, named)
    write(platform, t.CONTENT, {c.CONTENT_ID: 100, c.STREAMER_ID: 10, c.CREATOR_ID: GONE})
    write(platform, t.REPRESENTATIVE_VOD, {c.CONTENT_ID: 100, c.STREAMER_ID: 10, c.CREATOR_ID: GONE})
    platform.channels.replace(DAY, platform.warehouse.read(t.REPRESENTATIVE_VOD, DAY))
    apply_definitions(platform.settings)
    train(platform)
    for _ in range(2):
        bring_in(platform)
    platform.serve("r1", GONE)
    platform.store.append(STREAM_FEEDBACK, f'{{"user_id": {GONE}}}'.encode(), 100)
    return platform


def write(platform: Platform, table: Table, row: dict[str, object]) -> None:
    rows = pa.Table.from_pylist(rows_of(table, row), table.schema)
    platform.warehouse.write(table, DAY, rows, [], NOW)


def train(platform: Platform) -> None:
    """What training leaves, without the training."""
    some = Vocabulary.of(np.array([1, 2]))
    vocabularies = Vocabularies(Vocabulary.of(np.array([1, GONE])), some, some, Vocabulary.of(np.array(["chess"])))
    model = fresh_model(platform.settings.two_tower, vocabularies.sizes)
    with started_run(open_client(platform.settings), platform.settings, "day") as log:
        register(log, StoredModel(model, vocabularies, 10), {})


def bring_in(platform: Platform) -> None:
    """What the daily batch does with the tables."""
    platform.publish()
    platform.sync_seen()
    materialize(platform.settings, DAY)
    platform.channels.replace(
        DAY,
        Erased.of(platform.warehouse).left_out_of(
            t.REPRESENTATIVE_VOD, platform.warehouse.read(t.REPRESENTATIVE_VOD, DAY)
        ),
    )
    drain_impressions(platform.warehouse, platform.store, platform.settings, DAY, NOW)


def forget(platform: Platform) -> None:
    list(forget_in_tables(platform.warehouse, Erased.of(platform.warehouse), lambda *_: None, NOW))
    forget_in_models(platform.settings)


def holders(platform: Platform) -> set[str]:
    """Every file below `home` that holds the user, by its two topmost folders."""
    home = platform.settings.home
    files = (path for path in home.rglob("*") if path.is_file() and not path.is_symlink())
    return {"/".join(path.relative_to(home).parts[:2]) for path in files if _file_holds(path)}


def _file_holds(path: Path) -> bool:
    if path.suffix == ".parquet":
        return any(_text_holds(column) for column in pq.ParquetFile(path).read().columns)
    if path.suffix == ".db" and path.read_bytes().startswith(b"SQLite"):
        return any(_bytes_hold(value) for value in _sqlite_values(path))
    return _bytes_hold(path.read_bytes())


def _text_holds(column: pa.ChunkedArray) -> bool:
    return any(str(GONE) in str(value) for value in column.to_pylist())


def _sqlite_values(path: Path) -> Iterator[bytes]:
    database = sqlite3.connect(path)
    for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for row in database.execute(f"SELECT * FROM {table}"):  # noqa: S608  names that the database itself has given
            yield from (str(value).encode() for value in row)
    database.close()


def _bytes_hold(found: bytes) -> bool:
    return str(GONE).encode() in found or GONE.to_bytes(8, "little") in found


def keys(platform: Platform) -> set[str]:
    """Every key of Redis that holds the user, in its name or in its value."""
    with redis.Redis.from_url(platform.settings.redis.url) as client:
        found = client.scan_iter()
        held = {key for key in found if _bytes_hold(key) or any(map(_bytes_hold, _values(client, key)))}
    return {key.decode("utf-8", "replace") for key in held}


def _values(client: redis.Redis, key: bytes) -> Iterator[bytes]:
    """All that a key of any type holds, as bytes."""
    kind = client.type(key)
    if kind == b"string":
        yield client.get(key)  # type: ignore[misc]
    elif kind == b"hash":
        yield from (part for pair in client.hgetall(key).items() for part in pair)  # type: ignore[union-attr]
    elif kind == b"stream":
        yield from (value for _, fields in client.xrange(key) for value in fields.values())  # type: ignore[union-attr]
    elif kind == b"zset":
        yield from client.zrange(key, 0, -1)  # type: ignore[misc]
    elif kind == b"set":
        yield from client.smembers(key)  # type: ignore[misc]
    elif kind == b"list":
        yield from client.lrange(key, 0, -1)  # type: ignore[misc]
    else:
        raise AssertionError(f"teach this test to read a {kind!r}")


def test_no_store_holds_an_erased_user_and_nothing_brings_them_back(platform: Platform) -> None:
    tables = {f"warehouse/{table.name}" for table in tables_with_users()}
    assert holders(platform) == {*tables, "mlflow/artifacts", "channels.db"}
    held = keys(platform)
    assert {STREAM_IMPRESSIONS, STREAM_FEEDBACK, redis_keys.seen(GONE), redis_keys.hidden_contents(GONE)} <= held
    assert len([key for key in held if key.startswith("sr:l:")]) == 4
    assert len([key for key in held if key.startswith("sr:u:")]) == 2
    assert len([key for key in held if key.endswith("streamrec")]) == 1

    receipt = platform.erase(now=ERASED_AT)

    assert keys(platform) == ONLY_THE_TOMBSTONE
    assert {f"warehouse/{name}" for name in receipt.still_in} == tables
    assert holders(platform) == {*tables, "mlflow/artifacts", *ONLY_THE_MARK}
    assert {store for store, count in receipt.deleted.items() if not count} == set(map(dead_letters, USER_STREAMS))

    forget(platform)

    assert holders(platform) == ONLY_THE_MARK
    assert platform.erase().still_in == {}
    platform.store.rollback()
    bring_in(platform)
    assert (keys(platform), holders(platform)) == (ONLY_THE_TOMBSTONE, ONLY_THE_MARK)


def test_a_batch_between_the_erasure_and_the_forgetting_brings_nobody_back(platform: Platform) -> None:
    platform.erase(now=ERASED_AT)
    bring_in(platform)
    assert keys(platform) == ONLY_THE_TOMBSTONE
    assert "channels.db" not in holders(platform)
