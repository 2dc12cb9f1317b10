"""The same on SQLite and on a real PostgreSQL server."""

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from contracts import columns as c
from contracts.errors import StoreUnavailableError
from contracts.tables import REPRESENTATIVE_VOD
from serving.channels.sql import SqlChannelStore
from serving.channels.store import ChannelVod
from tests.postgresql_server import running_postgresql
from tests.serving.builders import DAY, vod_row


@pytest.fixture(scope="module")
def postgresql_url() -> Iterator[str]:
    with running_postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'channels.db'}"
        return
    url: str = request.getfixturevalue("postgresql_url")
    yield url
    engine = sa.create_engine(url)
    metadata = sa.MetaData()
    metadata.reflect(engine)
    metadata.drop_all(engine)
    engine.dispose()


@pytest.fixture
def store(url: str) -> Iterator[SqlChannelStore]:
    store = SqlChannelStore(url)
    yield store
    store.close()


def test_a_channel_shows_its_vods_best_first(store: SqlChannelStore) -> None:
    made_by_another = {c.CREATOR_ID: 9, c.BROADCAST_ID: 7}
    store.replace(DAY, _rows((2**62, 2, -5, {}), (2**62, 1, 30, made_by_another), (6, 1, 31, {})))

    assert store.vods(2**62, 10) == [
        ChannelVod(1, 30, "clip", 9, 7, 1.0, 12),
        ChannelVod(2, -5, "clip", None, None, 0.5, 12),
    ]
    assert store.vods(2**62, 1) == store.vods(2**62, 10)[:1]
    assert store.vods(404, 10) == []


def test_the_next_day_replaces_everything(store: SqlChannelStore) -> None:
    assert store.day() is None
    store.replace(DAY, _rows((5, 1, 30, {}), (6, 1, 31, {})))
    store.replace(DAY + timedelta(days=1), _rows((6, 1, 32, {})))

    assert store.day() == DAY + timedelta(days=1)
    assert store.vods(5, 10) == []
    assert [vod.content_id for vod in store.vods(6, 10)] == [32]


def test_a_replacement_that_breaks_leaves_what_there_was(store: SqlChannelStore) -> None:
    store.replace(DAY, _rows((5, 1, 30, {})))
    with pytest.raises(StoreUnavailableError, match="the channel database failed"):
        store.replace(DAY + timedelta(days=1), _rows((5, 1, 40, {}), (6, 1, 41, {}), (6, 1, 42, {})))

    assert store.day() == DAY
    assert [vod.content_id for vod in store.vods(5, 10)] == [30]


def test_readers_and_two_writers_at_once_see_one_whole_batch(url: str, store: SqlChannelStore) -> None:
    days = [DAY + timedelta(days=step) for step in range(8)]
    store.replace(days[0], _batch_of(days[0]))
    stop, failures = threading.Event(), []

    def write(mine: list[date]) -> None:
        try:
            writer = SqlChannelStore(url)
            for day in mine:
                writer.replace(day, _batch_of(day))
            writer.close()
        except Exception as error:  # noqa: BLE001  a thread's failure must reach the test
            failures.append(error)

    seen: list[set[int]] = []

    def read() -> None:
        reader = SqlChannelStore(url)
        while not stop.is_set():
            seen.append({vod.content_id for vod in reader.vods(5, 100)})
        reader.close()

    writers = [threading.Thread(target=write, args=(days[first::2],)) for first in (0, 1)]
    reader = threading.Thread(target=read)
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()

    assert failures == []
    wholes = [{_first_content(day) + rank for rank in range(50)} for day in days]
    assert seen
    assert all(batch in wholes for batch in seen)
    assert {vod.content_id for vod in store.vods(5, 100)} == {
        _first_content(store.day() or DAY) + rank for rank in range(50)
    }


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    store = SqlChannelStore("postgresql+psycopg://streamrec:hunter2@127.0.0.1:1/postgres")
    with pytest.raises(StoreUnavailableError, match=r"is serving\.channel_database_url right") as failure:
        store.vods(5, 1)
    assert "hunter2" not in str(failure.value)


def _first_content(day: date) -> int:
    return day.toordinal() * 100


def _batch_of(day: date) -> pa.Table:
    return _rows(*((5, rank + 1, _first_content(day) + rank, {}) for rank in range(50)))


def _rows(*listed: tuple[int, int, int, dict[str, Any]]) -> pa.Table:
    """Streamer, rank, content, more."""
    rows = [vod_row(streamer, rank, content, **more) for streamer, rank, content, more in listed]
    names = [column.name for column in REPRESENTATIVE_VOD.columns]
    return pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows], REPRESENTATIVE_VOD.schema)
