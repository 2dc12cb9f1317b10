"""The compiled loops beside what numpy says, over made-up ids of every sign and size."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from serving.kernels import among, among_unordered, first_of_each, grouped, is_best_first, places, slots_of, unexpired

Ids = npt.NDArray[np.int64]
FAR = 2**63 - 1
_some = st.one_of(st.integers(-5, 5), st.sampled_from([FAR, -FAR, -FAR - 1, 2**32, -(2**32)]))
ids = arrays(np.int64, st.integers(0, 40), elements=_some)
sorted_ids = ids.map(np.unique)


@given(ids, ids)
def test_membership_is_what_numpy_says_in_whatever_order_members_come(found: Ids, members: Ids) -> None:
    expected = np.isin(found, members).tolist()
    assert among_unordered(found, members).tolist() == expected
    assert among(found, np.sort(members)).tolist() == expected


@given(ids, ids)
def test_a_place_is_that_of_the_first_of_equal_keys(keys: Ids, asked: Ids) -> None:
    known = keys.tolist()
    expected = [known.index(one) if one in known else -1 for one in asked.tolist()]
    assert places(slots_of(keys), keys, asked).tolist() == expected


@given(ids, st.integers(1, 4), st.booleans(), st.data())
def test_of_each_group_the_first_few_that_may_stay(groups: Ids, most: int, spares: bool, data: st.DataObject) -> None:
    may = data.draw(arrays(bool, len(groups)))
    said, left = groups.tolist(), []
    for row, group in enumerate(said):
        met = sum(may[before] and said[before] == group for before in range(row))
        left.append(bool(may[row]) and ((spares and group < 0) or met < most))
    assert first_of_each(groups, may, most, spares).tolist() == left


@given(sorted_ids, ids, st.data())
def test_what_has_ended_is_not_there(keys: Ids, asked: Ids, data: st.DataObject) -> None:
    ends = data.draw(arrays(np.float64, len(keys), elements=st.sampled_from([1.0, 2.0, 3.0])))
    known = dict(zip(keys.tolist(), range(len(keys)), strict=True))
    places_of = [known.get(one, -1) for one in asked.tolist()]
    expected = [place if place >= 0 and ends[place] > 2.0 else -1 for place in places_of]
    assert unexpired(keys, ends, asked, 2.0).tolist() == expected


@given(arrays(np.uint8, st.integers(0, 40), elements=st.integers(0, 255)))
def test_rows_are_grouped_by_code(codes: npt.NDArray[np.uint8]) -> None:
    distinct, sizes, rows = grouped(codes)
    met = sorted(set(codes.tolist()))
    assert distinct.tolist() == met
    assert sizes.tolist() == [codes.tolist().count(code) for code in met]
    assert rows.tolist() == [row for code in met for row in np.flatnonzero(codes == code)]


@pytest.mark.parametrize(
    ("levels", "scores", "expected"),
    [
        ([], [], True),
        ([2, 2, 2], [3.0, 3.0, 1.0], True),
        ([2, 3, 3], [0.0, 9.0, 9.0], True),
        ([2, 2], [1.0, 2.0], False),
        ([3, 2], [9.0, 1.0], False),
        ([2, 2], [np.inf, 1.0], False),
        ([2, 2], [1.0, np.nan], False),
    ],
)
def test_an_order_by_level_and_score_is_known_as_such(levels: list[int], scores: list[float], expected: bool) -> None:
    assert is_best_first(np.array(levels, np.uint8), np.array(scores, np.float32)) is expected


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32))
def test_many_keys_are_all_found(seed: int) -> None:
    keys = np.random.default_rng(seed).permutation(20_000).astype(np.int64) * 1_024
    assert (places(slots_of(keys), keys, keys) == np.arange(len(keys))).all()
    assert (places(slots_of(keys), keys, keys + 1) == -1).all()
