"""A publish is all or nothing."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
import redis

from contracts import columns as c
from contracts import redis_keys
from contracts.errors import MissingPartitionError, PayloadError, ScatteredListsError, StoreUnavailableError
from contracts.names import Surface
from contracts.packed_vector import unpack_vector
from contracts.payload import KINDS, SOURCES
from contracts.settings import ServingSettings
from contracts.snapshots import Warehouse
from contracts.tables import (
    CANDIDATE_LIST,
    CONTENT,
    NEXT_CONTENT,
    RELATED_STREAMER,
    REPRESENTATIVE_VOD,
    SEGMENT_LIST,
    USER_FEATURE,
    USER_VECTOR,
)
from contracts.unpacking import unpack
from serving.publish import publish
from serving.stores.protocol import Store
from serving.stores.redis_store import RedisStore
from tests.serving.builders import DAY, NOW, candidate_rows, clips, list_of, row_of, small_platform, write

SETTINGS = ServingSettings()
TOMORROW = DAY + timedelta(days=1)
MADE = {c.MODEL_NAME: "streamrec_two_tower", c.AVAILABLE_AT: NOW}


def test_the_lists_of_the_table_are_served_best_first(store: Store, tmp_path: Path) -> None:
    report = publish(small_platform(tmp_path), store, SETTINGS, DAY, NOW)
    row = row_of(store, 1, report.generation)
    candidates = unpack(row.packed or b"")
    assert candidates.item_ids.tolist() == [100, 101, 102, 103, 200, 201, 202]
    assert candidates.streamer_ids.tolist() == [10, 11, 12, 13, 10, 11, 12]
    assert {KINDS[kind] for kind in candidates.kinds} == {"clip"}
    assert [SOURCES[source] for source in candidates.sources] == ["two_tower"] * 4 + ["popular"] * 3
    info = store.generation_info(report.generation)
    assert row.known is not None
    assert (row.known.segment, info["model_version"], info["day"]) == ("heavy", "7", "2026-01-30")
    assert (report.lists, report.segment_lists, report.target_lists, report.users) == (4, 2, 4, 3)


def test_channels_and_related_streamers_are_lists_of_their_streamer(store: Store, tmp_path: Path) -> None:
    report = publish(small_platform(tmp_path), store, SETTINGS, DAY, NOW)

    vods = unpack(list_of(store, report.generation, Surface.CHANNEL_VODS, 10) or b"")
    related = unpack(list_of(store, report.generation, Surface.RELATED_STREAMERS, 10) or b"")

    assert (vods.item_ids.tolist(), vods.streamer_ids.tolist()) == ([101, 103], [10, 10])
    assert {SOURCES[source] for source in vods.sources} == {"representative"}
    assert (related.item_ids.tolist(), related.streamer_ids.tolist()) == ([12, 11], [12, 11])
    assert {(KINDS[kind], SOURCES[source]) for kind, source in zip(related.kinds, related.sources, strict=True)} == {
        ("streamer", "related_streamers")
    }
    assert list_of(store, report.generation, Surface.RELATED_STREAMERS, 300) is None


def test_what_is_offered_after_a_content_is_a_list_of_that_content(store: Store, tmp_path: Path) -> None:
    report = publish(small_platform(tmp_path), store, SETTINGS, DAY, NOW)

    offered = unpack(list_of(store, report.generation, Surface.WATCH_NEXT, 101) or b"")

    assert (offered.item_ids.tolist(), set(offered.streamer_ids.tolist())) == ([200, 102, 103], {14})
    assert [SOURCES[source] for source in offered.sources] == ["co_watched", "co_watched", "fresh"]


@pytest.mark.parametrize("chunk", [1, 2, 1_000])
def test_the_size_of_a_pipeline_changes_nothing(store: Store, tmp_path: Path, chunk: int) -> None:
    settings = ServingSettings(publish_chunk_lists=chunk)
    report = publish(small_platform(tmp_path), store, settings, DAY, NOW)
    for user, count in ((1, 7), (2, 5)):
        packed = row_of(store, user, report.generation).packed
        assert len(unpack(packed or b"")) == count


@pytest.mark.parametrize("rows", [1, 3, 5])
def test_the_rows_read_at_once_change_nothing(store: Store, tmp_path: Path, rows: int) -> None:
    report = publish(small_platform(tmp_path), store, ServingSettings(publish_batch_rows=rows), DAY, NOW)
    for user, count in ((1, 7), (2, 5)):
        packed = row_of(store, user, report.generation).packed
        assert len(unpack(packed or b"")) == count
    assert (report.lists, report.segment_lists, report.target_lists, report.users) == (4, 2, 4, 3)


def test_a_list_in_several_places_of_a_large_table_is_refused(store: Store, tmp_path: Path) -> None:
    warehouse = small_platform(tmp_path)
    first = publish(warehouse, store, SETTINGS, DAY, NOW)
    write(warehouse, CANDIDATE_LIST, DAY, candidate_rows([*clips(1, 2), *clips(2, 2), *clips(1, 2, 200)]))
    with pytest.raises(ScatteredListsError, match=r"1 lists of generation .* write it sorted by user"):
        publish(warehouse, store, ServingSettings(publish_batch_rows=2), DAY, NOW)
    assert store.current_generation() == first.generation
    assert publish(warehouse, store, SETTINGS, DAY, NOW).lists == 2


def test_no_thread_writes_on_after_a_publish_broke(redis_url: str, tmp_path: Path) -> None:
    before = threading.active_count()
    with pytest.raises(StoreUnavailableError, match="broke"):
        publish(small_platform(tmp_path), DyingStore.open(redis_url, 10_000), SETTINGS, DAY, NOW)
    assert threading.active_count() == before


def test_any_user_id_can_have_a_list(store: Store, tmp_path: Path) -> None:
    warehouse = small_platform(tmp_path)
    users = [-(2**63), -1, 255, 256, 2**63 - 1]
    rows = [row for user in users for row in candidate_rows(clips(user, 2, first=user // 2))]
    write(warehouse, CANDIDATE_LIST, DAY, rows)
    report = publish(warehouse, store, SETTINGS, DAY, NOW)
    for user in users:
        packed = row_of(store, user, report.generation).packed
        assert unpack(packed or b"").item_ids.tolist() == [user // 2, user // 2 + 1]


def test_publishing_again_keeps_two_generations_and_memory_does_not_grow(redis_url: str, tmp_path: Path) -> None:
    warehouse, store = small_platform(tmp_path), RedisStore.open(redis_url, 10_000)
    publish(warehouse, store, SETTINGS, DAY, NOW)
    second = publish(warehouse, store, SETTINGS, DAY, NOW)
    with redis.Redis.from_url(redis_url) as client:
        keys = client.dbsize()
        reports = [publish(warehouse, store, SETTINGS, DAY, NOW) for _ in range(3)]
        assert client.dbsize() == keys
    assert reports[0].swept != ()
    assert second.generation in reports[1].swept


def test_a_day_without_lists_says_which_job_to_run(store: Store, tmp_path: Path) -> None:
    with pytest.raises(MissingPartitionError, match="run first: python -m jobs candidate_lists"):
        publish(Warehouse(tmp_path), store, SETTINGS, DAY, NOW)


def test_a_running_day_takes_the_newest_partition_of_a_slower_table(store: Store, tmp_path: Path) -> None:
    warehouse = small_platform(tmp_path)
    for table in (USER_FEATURE, NEXT_CONTENT):
        warehouse.partition_path(table, DAY).rename(warehouse.partition_path(table, DAY - timedelta(days=1)))
    report = publish(warehouse, store, SETTINGS, DAY, NOW)
    assert (report.users, report.target_lists) == (3, 4)


def write_vectors(warehouse: Warehouse, day: date, vectors: dict[int, list[float]], version: str = "7") -> None:
    rows = [{c.USER_ID: user, c.VECTOR: vector, **MADE, c.MODEL_VERSION: version} for user, vector in vectors.items()]
    write(warehouse, USER_VECTOR, day, rows)


def test_the_users_vectors_stand_beside_their_lists(redis_url: str, tmp_path: Path) -> None:
    warehouse, store = small_platform(tmp_path), RedisStore.open(redis_url, 10_000)
    users = [-(2**63), -1, 255, 256, 2**63 - 1]
    write_vectors(warehouse, DAY, {user: [0.6, -0.8] for user in users})
    report = publish(warehouse, store, ServingSettings(publish_chunk_lists=2), DAY, NOW)
    info = store.generation_info(report.generation)
    assert (info["vector_model_version"], info["vector_dim"]) == ("7", "2")
    with redis.Redis.from_url(redis_url) as client:
        for user in users:
            key = redis_keys.user_vectors(report.generation, redis_keys.bucket_of(user))
            assert np.allclose(unpack_vector(client.hget(key, str(user)) or b"", 2), [0.6, -0.8], atol=0.01)
            assert client.ttl(key) > 0
            assert client.sismember(redis_keys.generation_keys(report.generation), key)


def test_a_day_without_vectors_is_published_and_says_so(store: Store, tmp_path: Path) -> None:
    warehouse = small_platform(tmp_path)
    write_vectors(warehouse, DAY - timedelta(days=USER_VECTOR.retention_days + 1), {1: [0.6, -0.8]})
    info = store.generation_info(publish(warehouse, store, SETTINGS, DAY, NOW).generation)
    assert (info["vector_model_version"], info["vector_dim"]) == ("", "0")


def test_a_running_day_takes_the_vectors_of_the_day_before(store: Store, tmp_path: Path) -> None:
    warehouse = small_platform(tmp_path)
    write_vectors(warehouse, DAY - timedelta(days=1), {1: [0.6, -0.8]}, "6")
    info = store.generation_info(publish(warehouse, store, SETTINGS, DAY, NOW).generation)
    assert info["vector_model_version"] == "6"


@pytest.mark.parametrize(
    ("vectors", "message"),
    [({1: [0.6, -0.8], 2: [1.0]}, "vectors of several lengths"), ({1: [0.0, 0.0]}, "all zero or not finite")],
)
def test_vectors_that_cannot_be_packed_leave_the_old_generation(
    store: Store, tmp_path: Path, vectors: dict[int, list[float]], message: str
) -> None:
    warehouse = small_platform(tmp_path)
    first = publish(warehouse, store, SETTINGS, DAY, NOW)
    write_vectors(warehouse, DAY, vectors)
    with pytest.raises(PayloadError, match=message):
        publish(warehouse, store, SETTINGS, DAY, NOW)
    assert store.current_generation() == first.generation


def test_a_generation_says_until_when_it_knows_contents(store: Store, tmp_path: Path) -> None:
    warehouse = small_platform(tmp_path)
    info = store.generation_info(publish(warehouse, store, SETTINGS, DAY, NOW).generation)
    assert (info["contents_day"], info["contents_until"]) == ("2026-01-30", "")
    warehouse.write(CONTENT, DAY - timedelta(days=1), warehouse.read(CONTENT, DAY), [], NOW)
    shutil.rmtree(warehouse.partition_path(CONTENT, DAY))
    lists = warehouse.stage(CANDIDATE_LIST, DAY + timedelta(days=1), NOW)
    shutil.copytree(warehouse.require(CANDIDATE_LIST, DAY).path, lists)
    shutil.copytree(warehouse.partition_path(SEGMENT_LIST, DAY), warehouse.partition_path(SEGMENT_LIST, TOMORROW), True)
    for table in (REPRESENTATIVE_VOD, RELATED_STREAMER):
        shutil.copytree(warehouse.partition_path(table, DAY), warehouse.partition_path(table, TOMORROW), True)
    warehouse.commit(CANDIDATE_LIST, TOMORROW, lists, 1, [], until=NOW)
    info = store.generation_info(publish(warehouse, store, SETTINGS, TOMORROW, NOW).generation)
    assert (info["contents_day"], info["contents_until"]) == ("2026-01-29", NOW.isoformat())


class DyingStore(RedisStore):
    """A store whose connection breaks at the n-th write."""

    writes_left = 2

    def write_hashes(self, *args: object, **kwargs: object) -> int:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise StoreUnavailableError("the connection broke")
        return super().write_hashes(*args, **kwargs)  # type: ignore[arg-type]


def test_a_publish_that_breaks_half_way_leaves_the_old_generation_and_is_swept(redis_url: str, tmp_path: Path) -> None:
    warehouse, store = small_platform(tmp_path), RedisStore.open(redis_url, 10_000)
    first = publish(warehouse, store, SETTINGS, DAY, NOW)
    dying = DyingStore.open(redis_url, 10_000)
    with pytest.raises(StoreUnavailableError, match="broke"):
        publish(warehouse, dying, ServingSettings(publish_chunk_lists=1), DAY, NOW)
    assert store.current_generation() == first.generation
    with redis.Redis.from_url(redis_url) as client:
        begun = {name.decode() for name in client.smembers(redis_keys.GENERATIONS_BEGUN)} - {first.generation}
        # What a dead publish leaves behind stops beating after five minutes; the test does not wait for it.
        (orphan,) = begun
        client.delete(redis_keys.generation_heartbeat(orphan))
        assert store.sweep() == [orphan]
        assert not [key for key in client.scan_iter() if orphan.encode() in key]
    assert row_of(store, 1, first.generation).packed is not None


@pytest.mark.slow
@pytest.mark.parametrize("written", [0, 1, 3, 6, 8])
def test_a_publish_killed_at_any_write_leaves_the_old_generation(redis_url: str, tmp_path: Path, written: int) -> None:
    """The child kills itself with SIGKILL after so many writes: no handler, no flush, as in an outage."""
    warehouse, store = small_platform(tmp_path), RedisStore.open(redis_url, 10_000)
    first = publish(warehouse, store, SETTINGS, DAY, NOW)
    program = f"""
import os, signal
from pathlib import Path
from contracts.settings import ServingSettings
from contracts.snapshots import Warehouse
from serving.publish import publish
from serving.stores.redis_store import RedisStore
from tests.serving.builders import DAY, NOW
class Killed(RedisStore):
    left = {written}
    def write_hashes(self, *args):
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1
        return super().write_hashes(*args)
store = Killed.open({redis_url!r}, 10_000)
publish(Warehouse(Path({str(warehouse.root)!r})), store, ServingSettings(publish_chunk_lists=1), DAY, NOW)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.run([sys.executable, "-c", program], env=environment, check=False, timeout=120)
    assert child.returncode == -signal.SIGKILL
    assert store.current_generation() == first.generation
    assert len(unpack(row_of(store, 1, first.generation).packed or b"")) == 7
    assert publish(warehouse, store, SETTINGS, DAY, NOW).generation == store.current_generation()


def test_two_publishes_at_once_end_with_one_whole_generation(redis_url: str, tmp_path: Path) -> None:
    warehouse = small_platform(tmp_path)
    settings = ServingSettings(publish_chunk_lists=1)
    threads = [
        threading.Thread(target=publish, args=(warehouse, RedisStore.open(redis_url, 10_000), settings, DAY, NOW))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = RedisStore.open(redis_url, 10_000)
    store.sweep()
    served = store.current_generation() or ""
    for generation in (served, store.rollback()):
        for user, count in ((1, 7), (2, 5)):
            assert len(unpack(row_of(store, user, generation).packed or b"")) == count
