import struct
from contextlib import suppress
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import PayloadError
from contracts.packed_lists import pack, pack_lists
from contracts.payload import KINDS, SOURCES, CandidateColumns, encode
from contracts.unpacking import unpack

INT64 = st.integers(-(2**63), 2**63 - 1)
FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
ROW = st.tuples(INT64, st.integers(0, len(KINDS) - 1), INT64, st.integers(0, len(SOURCES) - 1), FLOAT32)


def columns(rows: list[tuple[int, int, int, int, float]]) -> CandidateColumns:
    items, kinds, streamers, sources, scores = zip(*rows, strict=True) if rows else ((),) * 5
    return CandidateColumns(
        np.array(items, np.int64),
        np.array(kinds, np.uint8),
        np.array(streamers, np.int64),
        np.array(sources, np.uint8),
        np.array(scores, np.float32),
    )


def clips(count: int, first: int = 0) -> CandidateColumns:
    return columns([(first + row, 2, row % 7, 1, float(-row)) for row in range(count)])


@settings(max_examples=200, deadline=None)
@given(st.lists(ROW, max_size=40))
def test_any_list_reads_back_as_it_was_packed(rows: list[tuple[int, int, int, int, float]]) -> None:
    before = columns(rows)
    after = unpack(pack(before))
    for name in ("item_ids", "kinds", "streamer_ids", "sources"):
        assert np.array_equal(getattr(after, name), getattr(before, name)), name
    if rows:
        exact, read = before.scores.astype(np.float64), after.scores.astype(np.float64)
        step = (exact.max() - exact.min()) / 255
        assert np.allclose(read, exact, rtol=1e-6, atol=step * 0.51 + 1e-43)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(ROW, min_size=1, max_size=12), min_size=1, max_size=6))
def test_lists_packed_together_are_the_lists_packed_alone(lists: list[list[tuple[int, int, int, int, float]]]) -> None:
    edges = [0, *accumulate(map(len, lists))]
    together = pack_lists(columns([row for rows in lists for row in rows]), edges).tolist()
    assert together == [pack(columns(rows)) for rows in lists]
    assert [unpack(packed).item_ids.tolist() for packed in together] == [[row[0] for row in rows] for rows in lists]


@settings(max_examples=50, deadline=None)
@given(st.lists(INT64, min_size=1, max_size=20))
def test_a_list_of_streamers_stores_each_id_once(ids: list[int]) -> None:
    both = columns([(identity, 3, identity, 0, 0.0) for identity in ids])
    apart = columns([(identity, 3, identity ^ 1, 0, 0.0) for identity in ids])
    assert np.array_equal(unpack(pack(both)).streamer_ids, both.streamer_ids)
    assert len(pack(both)) < len(pack(apart))


@pytest.mark.parametrize(("spread", "width"), [(200, 1), (60_000, 2), (2**31, 4), (2**40, 8), (2**64 - 1, 8)])
def test_ids_take_the_narrowest_width_that_holds_them(spread: int, width: int) -> None:
    low = -(2**63)
    packed = pack(columns([(low, 2, 1, 0, 1.0), (low + spread, 2, 1, 0, 0.0)]))
    assert packed[1] == width
    assert unpack(packed).item_ids.tolist() == [low, low + spread]


def test_a_hundred_clips_take_less_than_nine_hundred_bytes() -> None:
    rng = np.random.default_rng(1)
    ids, streamers = rng.integers(0, 2**31, 100).tolist(), rng.integers(0, 2**31, 100).tolist()
    assert len(pack(columns([(i, 2, s, 1, 0.5) for i, s in zip(ids, streamers, strict=True)]))) <= 1_140
    few = [streamers[row % 30] for row in range(100)]
    assert len(pack(columns([(i, 2, s, 1, 0.5) for i, s in zip(ids, few, strict=True)]))) <= 900


def test_more_than_256_streamers_are_told_apart() -> None:
    many = columns([(row, 2, row * 3, 1, 1.0) for row in range(300)])
    assert unpack(pack(many)).streamer_ids.tolist() == many.streamer_ids.tolist()


def test_the_widest_scores_read_back() -> None:
    limit = float(np.finfo(np.float32).max)
    assert unpack(pack(columns([(1, 2, 5, 0, limit), (2, 2, 6, 0, -limit)]))).scores.tolist() == [limit, -limit]


def test_an_empty_list_is_a_list() -> None:
    assert len(unpack(pack(columns([])))) == 0


def test_the_order_of_scores_survives_quantisation() -> None:
    scores = unpack(pack(clips(100))).scores
    assert (np.diff(scores) <= 0).all()


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 5), st.data())
def test_a_list_cut_or_lengthened_anywhere_is_refused(count: int, data: st.DataObject) -> None:
    packed = pack(clips(count))
    end = data.draw(st.integers(0, len(packed) - 1))
    for broken in (packed[:end], packed + b"\0"):
        with pytest.raises(PayloadError):
            unpack(broken)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=120))
def test_noise_is_refused_by_name_or_is_a_list(noise: bytes) -> None:
    with suppress(PayloadError):
        assert len(unpack(noise)) >= 0


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, 2, "list of payload version 2; this reader knows 1"),
        (1, 3, "id widths 3 and 1 are not 1, 2, 4 or 8"),
        (3, 5, "id widths 1 and 5 are not 1, 2, 4 or 8"),
        (4, 200, "list of .* bytes where its header says"),
        (-8, 99, "a streamer index points past the list's streamers"),
        (-5, 63, "source code 63 is unknown"),
    ],
)
def test_a_corrupt_byte_is_named(at: int, value: int, message: str) -> None:
    packed = bytearray(pack(columns([(1, 2, 5, 0, 1.0), (2, 2, 6, 0, 0.5), (3, 2, 7, 0, 0.2)])))
    packed[at] = value
    with pytest.raises(PayloadError, match=message):
        unpack(bytes(packed))


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_scores_that_are_no_number_are_refused(score: float) -> None:
    with pytest.raises(PayloadError, match="must be finite"):
        pack(columns([(1, 2, 1, 0, score)]))


def test_a_list_that_is_too_long_is_refused() -> None:
    with pytest.raises(PayloadError, match="at most 65535 fit"):
        pack(clips(65_536))


def test_a_word_without_a_code_is_refused() -> None:
    with pytest.raises(PayloadError, match="has no code for 'podcast'"):
        encode(["clip", "podcast"], KINDS)


def test_the_header_is_what_other_readers_were_told() -> None:
    packed = pack(columns([(1_000, 2, 7, 1, 1.0), (1_001, 1, 7, 0, 0.0)]))
    header = struct.unpack_from("<BBBBHHqqff", packed)
    assert header == (1, 1, 0, 1, 2, 1, 1_000, 7, 0.0, 1.0)
    assert packed[32:] == bytes([0, 1, 0, 0, 0, 2 << 6 | 1, 1 << 6, 255, 0])
