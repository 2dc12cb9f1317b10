"""The merge of marks in Redis, next to the one in Python, over random histories."""

from collections.abc import Iterator

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import redis_keys
from contracts.marks import merge_marks, pack_marks, read_marks
from serving.stores.protocol import MarkKey
from serving.stores.redis_store import RedisStore
from serving.stores.redis_users import MARK_KEYS, drop_command, mark_command
from tests.serving.builders import row_of

EVERY_ID = st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1))
MARKS = st.dictionaries(EVERY_ID, st.integers(0, 6), min_size=1, max_size=6)
MOST = 5


@pytest.fixture
def client(redis_url: str) -> Iterator["redis.Redis[bytes]"]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


def latest(packed: bytes | None) -> dict[int, int]:
    times: dict[int, int] = {}
    for identity, at in read_marks(packed).tolist():
        times[identity] = max(at, times.get(identity, 0))
    return times


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MARKS, min_size=1, max_size=12))
def test_redis_and_python_remember_the_same(client: "redis.Redis[bytes]", history: list[dict[int, int]]) -> None:
    """One mark at a time is appended, several are folded; both read as the merge in Python says."""
    client.delete(redis_keys.seen(1))
    expected = b""
    for marks in history:
        client.execute_command(*mark_command(MarkKey.SEEN, 1, marks, MOST, 60))
        expected = merge_marks(expected, pack_marks(marks), 0, MOST)
        assert latest(client.get(redis_keys.seen(1))) == latest(expected)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MARKS, MARKS, st.integers(0, 6), st.integers(0, 6))
def test_a_batch_forgets_what_is_too_old_as_python_does(
    client: "redis.Redis[bytes]", known: dict[int, int], new: dict[int, int], oldest: int, most: int
) -> None:
    # Two more marks, so that a batch is never a single one.
    new = {**new, 100: 6, 101: 6}
    client.set(redis_keys.seen(1), pack_marks(known))
    RedisStore(client).add_marks(MarkKey.SEEN, {1: new}, oldest, most, 60)
    assert latest(client.get(redis_keys.seen(1))) == latest(
        merge_marks(pack_marks(known), pack_marks(new), oldest, most)
    )


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MARKS, EVERY_ID)
def test_a_dropped_mark_is_gone_and_the_rest_is_as_it_was(
    client: "redis.Redis[bytes]", marks: dict[int, int], identity: int
) -> None:
    client.set(redis_keys.progress(1), pack_marks(marks), ex=60)
    client.execute_command(*drop_command(MarkKey.PROGRESS, 1, identity))
    rest = {known: at for known, at in marks.items() if known != identity}
    assert latest(client.get(redis_keys.progress(1))) == rest
    assert client.ttl(redis_keys.progress(1)) == (60 if rest else -2)


@pytest.mark.parametrize("key", list(MarkKey))
@pytest.mark.parametrize("marks", [{5: 100}, {5: 100, 6: 100}])
def test_of_an_erased_user_nothing_is_remembered(
    client: "redis.Redis[bytes]", key: MarkKey, marks: dict[int, int]
) -> None:
    client.set(redis_keys.erased(1), b"1", ex=60)
    client.execute_command(*mark_command(key, 1, marks, MOST, 60))
    RedisStore(client).add_marks(key, {1: marks, 2: marks}, 0.0, MOST, 60)
    assert client.get(MARK_KEYS[key](1)) is None
    assert latest(client.get(MARK_KEYS[key](2))) == marks
    assert row_of(RedisStore(client), 1).is_erased


def test_marks_after_a_torn_entry_can_be_read(client: "redis.Redis[bytes]") -> None:
    client.set(redis_keys.hidden_contents(1), pack_marks({5: 100}) + b"torn")
    client.execute_command(*mark_command(MarkKey.HIDDEN_CONTENTS, 1, {6: 100}, MOST, 60))
    row = row_of(RedisStore(client), 1)
    assert (sorted(row.hidden_contents.tolist()), row.problems) == ([5, 6], [])


@pytest.mark.parametrize("key", list(MarkKey))
def test_of_torn_marks_the_whole_ones_are_obeyed_and_it_is_said(client: "redis.Redis[bytes]", key: MarkKey) -> None:
    client.set(MARK_KEYS[key](1), pack_marks({5: 100}) + b"torn")
    row = row_of(RedisStore(client), 1)
    found = {
        MarkKey.SEEN: row.seen,
        MarkKey.PROGRESS: read_marks(row.begun)["id"],
        MarkKey.HIDDEN_CONTENTS: row.hidden_contents,
        MarkKey.HIDDEN_STREAMERS: row.hidden_streamers,
    }
    assert found[key].tolist() == [5]
    (problem,) = row.problems
    assert problem.endswith("ends in a torn entry")


def test_marks_expire(client: "redis.Redis[bytes]") -> None:
    for marks in ({5: 100}, {5: 100, 6: 100}, {7: 100}):
        client.execute_command(*mark_command(MarkKey.SEEN, 1, marks, MOST, 60))
        assert client.ttl(redis_keys.seen(1)) == 60
