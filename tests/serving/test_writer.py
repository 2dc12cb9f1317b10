"""A generation's hashes are written in chunks, and its heart beats meanwhile."""

import itertools

import pytest

from contracts import redis_keys
from contracts.errors import ScatteredListsError
from contracts.settings import ServingSettings
from serving import writer
from serving.stores.hashes import Hashes
from serving.stores.memory import MemoryStore
from serving.writer import GenerationWriter, Written

EACH_ALONE = ServingSettings(publish_chunk_lists=1, publish_heartbeat_seconds=300)


class SlowStore(MemoryStore):
    """Every write takes 29 seconds of its clock."""

    def __init__(self) -> None:
        super().__init__(lambda: self.now)
        self.now, self.writes, self.beats = 0.0, 0, 0

    def write_hashes(self, generation: str, hashes: Hashes, ttl_seconds: int) -> int:
        self.now, self.writes = self.now + 29, self.writes + 1
        return super().write_hashes(generation, hashes, ttl_seconds)

    def beat(self, generation: str, heartbeat_seconds: int) -> None:
        self.beats += 1
        super().beat(generation, heartbeat_seconds)


def hashes(count: int) -> Hashes:
    keys = [redis_keys.lists("g", "home_clips", bucket) for bucket in range(count)]
    return Hashes.of({key: {b"%d" % number: b"list"} for number, key in enumerate(keys)})


def test_a_heart_beats_as_long_as_a_publish_writes_and_not_for_every_chunk() -> None:
    store = SlowStore()
    with GenerationWriter(store, EACH_ALONE, "g", lambda: store.now) as generation:
        assert generation.write([40], hashes) == Written(40, 160)
    store.flip("g", {"day": "2026-01-30"}, 10_000)
    assert store.current_generation() == "g"
    assert (store.writes, store.beats) == (40, 21)


def test_long_lists_go_in_more_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_CHUNK_BYTES", 10)
    store = SlowStore()
    with GenerationWriter(store, ServingSettings(), "g", lambda: store.now) as generation:
        assert generation.write([7], hashes) == Written(7, 28)
    assert store.writes == 3


def test_a_batch_without_hashes_writes_nothing() -> None:
    store = SlowStore()
    with GenerationWriter(store, EACH_ALONE, "g", lambda: store.now) as generation:
        assert generation.write([0, 0], hashes) == Written()
    assert store.writes == 0


def test_fields_that_were_there_already_end_a_publish() -> None:
    store = SlowStore()
    with (
        pytest.raises(ScatteredListsError, match="1 lists of generation g"),
        GenerationWriter(store, EACH_ALONE, "g", lambda: store.now) as generation,
    ):
        generation.write(itertools.repeat(1, 2), hashes)
