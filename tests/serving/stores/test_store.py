"""One suite for every backend of the store."""

import pytest
import redis

from contracts import redis_keys
from contracts.errors import NoGenerationError, PublishOvertakenError
from contracts.unpacking import marked_ids
from serving.stores.hashes import Hashes
from serving.stores.protocol import MarkKey, Store, StoredEpoch
from serving.stores.redis_store import RedisStore
from tests.serving.builders import row_of

INFO = {"day": "2026-01-30"}
EVERY_INT64 = [0, 1, -1, 2**63 - 1, -(2**63)]


def publish(store: Store, generation: str, users: dict[int, bytes]) -> None:
    store.begin(generation, 60)
    for user, packed in users.items():
        key = redis_keys.lists(generation, "home_clips", redis_keys.bucket_of(user))
        store.write_hashes(generation, Hashes.of({key: {str(user).encode(): packed}}), 60)
    store.flip(generation, INFO, 60)


def served(store: Store, user: int) -> bytes | None:
    generation = store.current_generation()
    return row_of(store, user, generation).packed if generation else None


def test_an_empty_store_serves_nothing(store: Store) -> None:
    assert store.current_generation() is None
    row = row_of(store, 1, "g")
    assert dict(store.generation_info("g")) == {}
    assert (row.packed, row.known, len(row.seen), row.begun, row.is_erased, row.problems) == (
        None,
        None,
        0,
        None,
        False,
        [],
    )


@pytest.mark.parametrize("user", EVERY_INT64)
def test_a_list_is_found_under_any_user_id(store: Store, user: int) -> None:
    publish(store, "g1", {user: b"list"})
    assert served(store, user) == b"list"


def test_a_generation_is_not_served_before_the_flip(store: Store) -> None:
    publish(store, "g1", {1: b"old"})
    store.begin("g2", 60)
    store.write_hashes("g2", Hashes.of({redis_keys.lists("g2", "home_clips", 0): {b"1": b"new"}}), 60)
    assert served(store, 1) == b"old"


def test_rollback_serves_the_generation_before_and_only_that(store: Store) -> None:
    publish(store, "g1", {1: b"old"})
    publish(store, "g2", {1: b"new"})
    assert store.rollback() == "g1"
    assert served(store, 1) == b"old"
    with pytest.raises(NoGenerationError, match="no earlier generation"):
        store.rollback()


def test_rollback_without_any_generation_is_named(store: Store) -> None:
    with pytest.raises(NoGenerationError, match="no earlier generation"):
        store.rollback()


def test_a_sweep_keeps_the_last_two_and_what_is_being_written(store: Store) -> None:
    for generation in ("g1", "g2", "g3"):
        publish(store, generation, {1: generation.encode()})
    store.begin("g4", 60)
    assert store.sweep() == ["g1"]
    assert row_of(store, 1, "g1").packed is None
    assert row_of(store, 1, "g2").packed == b"g2"
    assert store.sweep() == []


def test_what_was_rolled_back_is_swept(store: Store) -> None:
    publish(store, "g1", {1: b"old"})
    publish(store, "g2", {1: b"bad"})
    store.rollback()
    assert store.sweep() == ["g2"]
    assert served(store, 1) == b"old"


def test_a_publish_without_a_heartbeat_cannot_flip(store: Store) -> None:
    store.begin("g1", 60)
    store.flip("g1", INFO, 60)
    with pytest.raises(PublishOvertakenError, match="publish again"):
        store.flip("g1", INFO, 60)


@pytest.mark.parametrize("key", list(MarkKey))
def test_marks_keep_their_latest_time_and_forget_the_oldest(store: Store, key: MarkKey) -> None:
    store.add_marks(key, {1: {10: 100.0, 11: 500.0}, 2: {-(2**63): 500.0}}, 0.0, 10, 60)
    store.add_marks(key, {1: {10: 50.0, 12: 600.0}}, 200.0, 10, 60)
    assert marked(store, 1, key) == [11, 12]
    assert marked(store, 2, key) == [-(2**63)]


def test_of_too_many_marks_the_oldest_go(store: Store) -> None:
    for content in range(5):
        store.add_marks(MarkKey.SEEN, {1: {content: 100.0 + content}}, 0.0, 3, 60)
    assert marked(store, 1, MarkKey.SEEN) == [2, 3, 4]


def test_a_mark_can_be_dropped_and_the_others_stay(store: Store) -> None:
    store.add_marks(MarkKey.PROGRESS, {1: {10: 100.0, 11: 100.0, -1: 100.0}}, 0.0, 10, 60)
    assert store.drop_mark(MarkKey.PROGRESS, 1, -1)
    assert not store.drop_mark(MarkKey.PROGRESS, 1, -1)
    assert marked(store, 1, MarkKey.PROGRESS) == [10, 11]
    assert not store.drop_mark(MarkKey.PROGRESS, 2, 10)


def test_hidden_streamers_and_contents_are_told_apart(store: Store) -> None:
    store.add_marks(MarkKey.HIDDEN_STREAMERS, {1: {5: 1.0}}, 0.0, 10, 60)
    store.add_marks(MarkKey.HIDDEN_CONTENTS, {1: {6: 1.0}}, 0.0, 10, 60)
    store.add_marks(MarkKey.HIDDEN_CONTENTS, {1: {-7: 1.0}}, 0.0, 10, 60)
    row = row_of(store, 1)
    assert (row.hidden_streamers.tolist(), sorted(row.hidden_contents.tolist())) == ([5], [-7, 6])


def marked(store: Store, user: int, key: MarkKey) -> list[int]:
    row = row_of(store, user)
    marks = {
        MarkKey.SEEN: row.seen,
        MarkKey.PROGRESS: marked_ids(row.begun),
        MarkKey.HIDDEN_CONTENTS: row.hidden_contents,
        MarkKey.HIDDEN_STREAMERS: row.hidden_streamers,
    }
    return sorted(marks[key].tolist())


CONTEXT = ("home_clips", "light")


def test_an_epoch_follows_only_the_current_one(store: Store) -> None:
    assert store.posteriors(*CONTEXT) is None
    assert store.put_epoch(CONTEXT, b"first", None, 60)
    assert not store.put_epoch(CONTEXT, b"other", None, 60)
    assert store.put_epoch(CONTEXT, b"second", StoredEpoch(1, b"first"), 60)
    assert not store.put_epoch(CONTEXT, b"late", StoredEpoch(1, b"first"), 60)
    assert (store.posteriors(*CONTEXT), store.posterior_epoch(*CONTEXT, 1)) == (b"second", b"first")
    assert store.posterior_epoch("home_clips", "heavy", 1) is None


def test_an_epochs_end_is_counted_from_when_it_was_followed(redis_url: str) -> None:
    store = RedisStore.open(redis_url, 10_000)
    store.put_epoch(CONTEXT, b"first", None, 60)
    with redis.Redis.from_url(redis_url) as client:
        assert client.ttl(redis_keys.posteriors(*CONTEXT)) == -1
        assert not client.exists(redis_keys.posterior_epoch(*CONTEXT, 1))
        store.put_epoch(CONTEXT, b"second", StoredEpoch(1, b"first"), 60)
        assert client.ttl(redis_keys.posterior_epoch(*CONTEXT, 1)) in (59, 60)


def test_the_learners_state_follows_only_the_one_that_was_read(store: Store) -> None:
    assert store.learner() is None
    assert store.put_learner(b"first", None)
    assert not store.put_learner(b"other", None)
    assert not store.put_learner(b"other", b"else")
    assert store.put_learner(b"second", b"first")
    assert store.learner() == b"second"


def test_a_stream_is_read_page_by_page_in_order(store: Store) -> None:
    for number in range(5):
        store.append("s", str(number).encode(), 1_000)
    page = store.read_stream("s", "0", 3)
    assert [entry for _, entry in page] == [b"0", b"1", b"2"]
    assert [entry for _, entry in store.read_stream("s", page[-1][0], 3)] == [b"3", b"4"]
    assert store.read_stream("nothing", "0", 3) == []
