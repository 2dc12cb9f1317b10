"""Users packed together are the users packed alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import PayloadError
from contracts.packed_user import MAX_STREAMERS, SEGMENTS, pack_user, pack_users, unpack_user

INT64 = st.integers(-(2**63), 2**63 - 1)
ID = st.one_of(st.integers(0, 9), st.integers(0, 70_000), INT64)
USERS = st.lists(st.tuples(st.integers(0, len(SEGMENTS) - 1), st.lists(ID, max_size=12)), max_size=10)


def packed_together(users: list[tuple[int, list[int]]]) -> list[bytes]:
    codes = np.array([code for code, _ in users], np.int32)
    streamers = np.array([streamer for _, known in users for streamer in known], np.int64)
    return pack_users(list(SEGMENTS), codes, streamers, np.array([len(known) for _, known in users], np.intp))


@settings(max_examples=200, deadline=None)
@given(USERS)
def test_users_packed_together_are_the_users_packed_alone(users: list[tuple[int, list[int]]]) -> None:
    assert packed_together(users) == [pack_user(SEGMENTS[code], known) for code, known in users]


def test_of_too_many_streamers_the_first_are_kept() -> None:
    many = list(range(MAX_STREAMERS + 5))
    (packed,) = packed_together([(0, many)])
    assert packed == pack_user(SEGMENTS[0], many)
    assert unpack_user(packed).streamers.tolist() == many[:MAX_STREAMERS]


def test_a_segment_without_a_code_is_refused() -> None:
    none = np.array([], np.int64)
    with pytest.raises(PayloadError, match="segment `whale` has no code"):
        pack_users(["whale"], np.array([0], np.int32), none, np.array([0], np.intp))
