"""The compiled loops beside what numpy says, over made-up ids of every sign and size."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from serving.kernels import (
    drop_after_first,
    drop_members,
    drop_met,
    drop_too_young,
    drop_unseemly,
    grouped,
    is_best_first,
    places,
    slots_of,
    unexpired,
    visits_of,
)

Ids = npt.NDArray[np.int64]
FAR = 2**63 - 1
_some = st.one_of(st.integers(-5, 5), st.sampled_from([FAR, -FAR, -FAR - 1, 2**32, -(2**32)]))
ids = arrays(np.int64, st.integers(0, 40), elements=_some)
sorted_ids = ids.map(np.unique)


def masks(data: st.DataObject, count: int) -> npt.NDArray[np.bool_]:
    drawn: npt.NDArray[np.bool_] = data.draw(arrays(bool, count))
    return drawn


@given(ids, ids, st.data())
def test_members_are_dropped_in_whatever_order_they_come(found: Ids, members: Ids, data: st.DataObject) -> None:
    may, live = masks(data, len(found)), np.where(masks(data, len(found)), 3, -1)
    is_member, marks = np.isin(found, members), may.copy()
    assert drop_members(found, np.unique(members), marks) == np.count_nonzero(may & ~is_member)
    assert marks.tolist() == (may & ~is_member).tolist()
    expected = may & (~is_member | (live >= 0))
    assert drop_met(found, live, members, may) == np.count_nonzero(expected)
    assert may.tolist() == expected.tolist()


@given(ids, ids, st.data())
def test_what_is_not_public_or_was_removed_is_dropped(found: Ids, removed: Ids, data: st.DataObject) -> None:
    may, is_public = masks(data, len(found)), masks(data, len(found))
    expected = may & is_public & ~np.isin(found, removed)
    assert drop_unseemly(is_public, found, np.unique(removed), may) == np.count_nonzero(expected)
    assert may.tolist() == expected.tolist()


@given(arrays(np.uint8, st.integers(0, 20)), st.integers(0, 99), st.data())
def test_what_is_for_the_older_is_dropped(ages: npt.NDArray[np.uint8], age: int, data: st.DataObject) -> None:
    may, live_ages = masks(data, len(ages)), np.array([0, 18, 50], np.int16)
    live: Ids = data.draw(arrays(np.int64, len(ages), elements=st.integers(-1, 2)))
    expected = may & (ages <= age) & ((live < 0) | (live_ages[live] <= age))
    assert drop_too_young(ages, live, live_ages, age, may) == np.count_nonzero(expected)
    assert may.tolist() == expected.tolist()


@given(ids, sorted_ids, st.integers(1, 30), st.integers(0, 9), st.integers(0, 9))
def test_visits_are_told_apart_where_some_slate_could_lack_one(
    streamers: Ids, known: Ids, limit: int, owed_returns: int, owed_discoveries: int
) -> None:
    discoveries = (~np.isin(streamers, known)).astype(int)
    returns = len(streamers) - discoveries.sum()
    least = min(owed_returns, returns), min(owed_discoveries, discoveries.sum())
    most = max(0, min(limit, discoveries.sum())), max(0, min(limit, returns))
    may_lack = any(owed and limit - other < owed for owed, other in zip(least, most, strict=True))
    visits, found = visits_of(streamers, known, limit, (owed_returns, owed_discoveries))
    assert visits.tolist() == (discoveries.tolist() if may_lack else [])
    assert found == (least if may_lack else (0, 0))


@given(ids, ids)
def test_a_place_is_that_of_the_first_of_equal_keys(keys: Ids, asked: Ids) -> None:
    known = keys.tolist()
    expected = [known.index(one) if one in known else -1 for one in asked.tolist()]
    assert places(slots_of(keys), keys, asked).tolist() == expected


@given(ids, st.integers(1, 4), st.booleans(), st.data())
def test_of_each_group_the_first_few_that_may_stay(groups: Ids, most: int, spares: bool, data: st.DataObject) -> None:
    may = masks(data, len(groups))
    said, left = groups.tolist(), []
    for row, group in enumerate(said):
        met = sum(may[before] and said[before] == group for before in range(row))
        left.append(bool(may[row]) and ((spares and group < 0) or met < most))
    assert drop_after_first(groups, most, spares, may) == sum(left)
    assert may.tolist() == left


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
