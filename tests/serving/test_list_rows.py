"""Rows of list tables become packed lists, whatever order and pieces they come in."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import columns as c
from contracts import redis_keys
from contracts.unpacking import unpack
from serving.list_rows import list_hashes, user_rows, whole_owners
from serving.stores.resp import decimals
from tests.serving.builders import candidate_rows

ROWS = st.lists(st.tuples(st.integers(-300, 300), st.sampled_from(["home_clips", "clips_feed"])), max_size=40)
READ = [c.USER_ID, c.SURFACE, c.RANK, c.ITEM_KIND, c.ITEM_ID, c.STREAMER_ID, c.SOURCE, c.SCORE]


def table(listed: list[tuple[int, str]]) -> pa.Table:
    """A candidate per pair of user and surface; its item is its place, its rank follows."""
    rows = candidate_rows(
        [(user, surface, "clip", place, 7, "popular") for place, (user, surface) in enumerate(listed)]
    )
    return pa.table({name: pa.array([row[name] for row in rows]) for name in READ}) if rows else empty()


def empty() -> pa.Table:
    return table([(1, "home_clips")]).slice(0, 0)


def lists_of(rows: pa.Table) -> dict[tuple[str, bytes], list[int]]:
    hashes = list_hashes(user_rows(rows), lambda surface, bucket: f"{surface}:{bucket}", decimals).items()
    return {(key, name): unpack(packed).item_ids.tolist() for key, fields in hashes for name, packed in fields.items()}


def expected(listed: list[tuple[int, str]]) -> dict[tuple[str, bytes], list[int]]:
    lists: dict[tuple[str, bytes], list[int]] = {}
    for place, (user, surface) in enumerate(listed):
        key = f"{surface}:{redis_keys.bucket_of(user)}", b"%d" % user
        lists.setdefault(key, []).append(place)
    return lists


@settings(max_examples=100, deadline=None)
@given(listed=ROWS, seed=st.integers(0, 1_000))
def test_lists_are_the_same_in_any_order_of_the_rows(listed: list[tuple[int, str]], seed: int) -> None:
    rows = table(listed)
    shuffled = rows.take(np.random.default_rng(seed).permutation(rows.num_rows))
    assert lists_of(rows) == lists_of(shuffled) == expected(listed)


def test_each_bucket_of_users_is_one_hash() -> None:
    rows = table([(user, "home_clips") for user in (0, 255, 256, -1)])
    hashes = list_hashes(user_rows(rows), lambda surface, bucket: f"{surface}:{bucket}", decimals)
    assert hashes.keys == ["home_clips:-1", "home_clips:0", "home_clips:1"]


@settings(max_examples=100, deadline=None)
@given(users=st.lists(st.integers(0, 3), max_size=30), sizes=st.lists(st.integers(1, 7), min_size=30, max_size=30))
def test_rows_of_one_user_that_follow_each_other_come_in_one_batch(users: list[int], sizes: list[int]) -> None:
    rows = table([(user, "home_clips") for user in users])

    def batches() -> Iterator[pa.Table]:
        start = 0
        for size in sizes:
            if start < rows.num_rows:
                yield rows.slice(start, size)
            start += size

    cut = list(whole_owners(batches(), c.USER_ID))
    assert [user for batch in cut for user in batch.column(c.USER_ID).to_pylist()] == users
    ends = [(batch.column(c.USER_ID)[0].as_py(), batch.column(c.USER_ID)[-1].as_py()) for batch in cut]
    assert all(before[1] != after[0] for before, after in pairwise(ends))


def test_no_rows_are_no_lists() -> None:
    assert lists_of(empty()) == {}
    assert list(whole_owners([], c.USER_ID)) == []


@pytest.mark.parametrize("is_dictionary", [True, False])
def test_words_may_come_as_strings_or_as_dictionaries(is_dictionary: bool) -> None:
    rows = table([(1, "home_clips"), (1, "clips_feed")])
    if is_dictionary:
        for name in (c.SURFACE, c.ITEM_KIND, c.SOURCE):
            place = rows.column_names.index(name)
            rows = rows.set_column(place, name, rows.column(name).dictionary_encode())
    assert lists_of(rows) == {("home_clips:0", b"1"): [0], ("clips_feed:0", b"1"): [1]}
