from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import PayloadError
from contracts.marks import MARK, merge_marks, pack_marks, read_marks
from contracts.unpacking import marked_ids

EVERY_ID = st.integers(-(2**63), 2**63 - 1)
SECONDS = st.integers(0, 2**32 - 1)
MARKS = st.dictionaries(EVERY_ID, SECONDS, max_size=20)


def times(packed: bytes | None) -> dict[int, int]:
    """Latest time by id."""
    latest: dict[int, int] = {}
    for identity, at in read_marks(packed).tolist():
        latest[identity] = max(at, latest.get(identity, 0))
    return latest


@given(MARKS)
def test_marks_come_back_as_they_went_in(marks: dict[int, int]) -> None:
    assert times(pack_marks(marks)) == marks
    assert marked_ids(pack_marks(marks)).tolist() == list(marks)


@given(MARKS)
def test_a_mark_costs_twelve_bytes(marks: dict[int, int]) -> None:
    assert len(pack_marks(marks)) == 12 * len(marks)
    assert MARK.itemsize == 12


@pytest.mark.parametrize(("at", "stored"), [(-5.0, 0), (0.9, 0), (1.7e9, 1_700_000_000), (1e18, 2**32 - 1)])
def test_a_time_is_a_second_between_1970_and_2106(at: float, stored: int) -> None:
    assert times(pack_marks({1: at})) == {1: stored}


@pytest.mark.parametrize("packed", [None, b""])
def test_nobody_has_marked_nothing(packed: Any) -> None:  # noqa: ANN401
    assert read_marks(packed).tolist() == []
    assert marked_ids(packed).dtype == np.int64


@pytest.mark.parametrize("length", [1, 11, 13, 23])
def test_a_torn_entry_is_named(length: int) -> None:
    with pytest.raises(PayloadError, match=f"{length} bytes of marks are not a multiple of 12"):
        read_marks(b"\0" * length)


@given(MARKS, MARKS, SECONDS, st.integers(0, 30))
def test_a_merge_keeps_the_latest_time_of_each_id_and_the_latest_ids(
    known: dict[int, int], new: dict[int, int], oldest: int, most: int
) -> None:
    merged = times(merge_marks(pack_marks(known), pack_marks(new), oldest, most))
    both = {identity: max(known.get(identity, 0), new.get(identity, 0)) for identity in known | new}
    fresh = {identity: at for identity, at in both.items() if at >= oldest}
    assert len(merged) == min(most, len(fresh))
    assert merged.items() <= fresh.items()
    assert all(at <= kept for identity, at in fresh.items() if identity not in merged for kept in merged.values())


@given(MARKS, MARKS)
def test_merging_again_changes_nothing(known: dict[int, int], new: dict[int, int]) -> None:
    once = merge_marks(pack_marks(known), pack_marks(new), 0, 100)
    assert merge_marks(once, pack_marks(new), 0, 100) == once
