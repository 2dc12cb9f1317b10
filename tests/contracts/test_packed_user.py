import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import PayloadError
from contracts.names import Segment
from contracts.packed_user import HEADER, MAX_STREAMERS, SEGMENTS, VERSION
from contracts.packed_users import pack_users
from contracts.unpacking import unpack_user

EVERY_ID = st.integers(-(2**63), 2**63 - 1)


def pack_user(segment: str, streamers: list[int]) -> bytes:
    """One user's string as the format says it."""
    ids = sorted(set(streamers[:MAX_STREAMERS]))
    base = ids[0] if ids else 0
    width = next(width for width in (1, 2, 4, 8) if not ids or ids[-1] - base < 256**width)
    header = HEADER.pack(VERSION, SEGMENTS.index(Segment(segment)), width, len(ids), base)
    return header + b"".join((identity - base).to_bytes(width, "little") for identity in ids)


def packed_together(users: list[tuple[int, list[int]]]) -> list[bytes]:
    codes = np.array([code for code, _ in users], np.int32)
    streamers = np.array([streamer for _, known in users for streamer in known], np.int64)
    return pack_users(list(SEGMENTS), codes, streamers, np.array([len(known) for _, known in users], np.int64)).tolist()


@given(st.sampled_from(list(Segment)), st.lists(EVERY_ID, max_size=300))
def test_a_user_comes_back_with_the_first_streamers_ascending(segment: Segment, streamers: list[int]) -> None:
    (packed,) = packed_together([(SEGMENTS.index(segment), streamers)])
    user = unpack_user(packed)
    assert user.segment is segment
    assert user.streamers.tolist() == sorted(set(streamers[:MAX_STREAMERS]))


@pytest.mark.parametrize(
    ("streamers", "width"),
    [([], 1), ([5], 1), ([0, 255], 1), ([0, 256], 2), ([7, 7 + 2**16], 4), ([-(2**63), 2**63 - 1], 8)],
)
def test_streamers_take_as_few_bytes_as_they_can(streamers: list[int], width: int) -> None:
    (packed,) = packed_together([(2, streamers)])
    assert len(packed) == 13 + width * len(streamers)


SOUND = pack_user("heavy", [10, 11, 900])


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (b"", "a user of 0 bytes is shorter than its header of 13"),
        (SOUND[:12], "a user of 12 bytes is shorter"),
        (b"\x02" + SOUND[1:], "user of version 2; this reader knows 1"),
        (b"\x00" + SOUND[1:], "user of version 0; this reader knows 1"),
        (SOUND[:1] + b"\x09" + SOUND[2:], "segment 9"),
        (SOUND[:2] + b"\x03" + SOUND[3:], "its header says 3 x 3"),
        (SOUND[:-1], "its header says 2 x 3"),
        (SOUND + b"\0", "its header says 2 x 3"),
    ],
)
def test_what_cannot_be_read_is_named(packed: bytes, message: str) -> None:
    with pytest.raises(PayloadError, match=message):
        unpack_user(packed)


@given(st.binary(max_size=60))
def test_whatever_the_bytes_a_user_is_read_or_refused(packed: bytes) -> None:
    try:
        user = unpack_user(packed)
    except PayloadError:
        return
    assert len(user.streamers) <= len(packed)


ID = st.one_of(st.integers(0, 9), st.integers(0, 70_000), EVERY_ID)
USERS = st.lists(st.tuples(st.integers(0, len(SEGMENTS) - 1), st.lists(ID, max_size=12)), max_size=10)


@settings(max_examples=200, deadline=None)
@given(USERS)
def test_users_packed_together_are_what_the_format_says_of_each(users: list[tuple[int, list[int]]]) -> None:
    assert packed_together(users) == [pack_user(SEGMENTS[code], known) for code, known in users]


def test_of_too_many_streamers_packed_together_the_first_are_kept() -> None:
    many = list(range(MAX_STREAMERS + 5))
    (packed,) = packed_together([(0, many)])
    assert packed == pack_user(SEGMENTS[0], many)
    assert unpack_user(packed).streamers.tolist() == many[:MAX_STREAMERS]


def test_a_segment_without_a_code_is_named() -> None:
    none = np.array([], np.int64)
    with pytest.raises(PayloadError, match="segment `whale` has no code; known are all, new, light, heavy"):
        pack_users(["whale"], np.array([0], np.int32), none, np.array([0]))
