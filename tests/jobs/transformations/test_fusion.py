import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.transformations.fusion import ABSENT, Exclusions, Fused, Ints, Items, fuse, padded

NOBODY = np.zeros(0, dtype=np.int64)
NOTHING = Exclusions(NOBODY, NOBODY, NOBODY, NOBODY, NOBODY)
OFFSET = 1.0


def items(*users: list[int]) -> Items:
    """One user's ranked ids after the other; an item's streamer is its id modulo 10, kinds are all alike."""
    rows = np.repeat(np.arange(len(users)), [len(ids) for ids in users])
    ids = padded(rows, ints(*(item for user in users for item in user)), len(users), ABSENT)
    return Items(ids, np.zeros_like(ids), ids % 10)


def ints(*values: int) -> Ints:
    return np.array(values, dtype=np.int64)


def lists(fused: Fused) -> list[list[tuple[int, int, float]]]:
    """(item, source, score) of each user's list."""
    columns: list[npt.NDArray[np.generic]] = [fused.items.ids, fused.sources, fused.scores]
    rows = [zip(*(matrix[user].tolist() for matrix in columns), strict=True) for user in range(len(fused.scores))]
    return [[place for place in row if place[0] != ABSENT] for row in rows]


def test_an_item_of_two_sources_gets_both_parts_and_the_source_of_the_larger() -> None:
    fused = fuse([items([21, 22], [21]), items([22, 23], [])], [1.0, 2.0], OFFSET, NOTHING, length=2)
    assert lists(fused) == [[(22, 1, 1 / 3 + 1.0), (23, 1, pytest.approx(2 / 3))], [(21, 0, 0.5)]]


def test_equal_scores_rank_by_the_smaller_id_and_equal_parts_name_the_first_source() -> None:
    fused = fuse([items([30]), items([20]), items([30])], [1.0, 2.0, 1.0], OFFSET, NOTHING, length=9)
    assert lists(fused) == [[(20, 1, 1.0), (30, 0, 1.0)]]


def test_pairs_streamers_and_items_are_left_out_where_they_are_said_of() -> None:
    everyone = [11, 12, 13, 24]
    excluded = Exclusions(ints(0, 0, 1), ints(12, 99, 5), ints(1, 1), ints(1, 8), ints(13))
    fused = fuse([items(everyone, everyone, everyone)], [1.0], OFFSET, excluded, length=9)
    assert [[item for item, _, _ in user] for user in lists(fused)] == [[11, 24], [12, 24], [11, 12, 24]]


def test_users_without_any_item_have_empty_lists() -> None:
    excluded = Exclusions(ints(0), ints(12), ints(1), ints(1), ints(13))
    fused = fuse([items([], []), items([], [])], [1.0, 1.0], OFFSET, excluded, length=3)
    assert lists(fused) == [[], []]


_RANKING = st.lists(st.integers(1, 12), unique=True, max_size=8)
_PAIRS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 13)), max_size=6)


@given(st.lists(st.tuples(_RANKING, _RANKING), min_size=1, max_size=3), _PAIRS, st.integers(1, 6))
def test_the_matrices_give_what_adding_up_item_by_item_gives(
    rankings: list[tuple[list[int], list[int]]], removed: list[tuple[int, int]], length: int
) -> None:
    weights = [1.0, 0.5, 2.0][: len(rankings)]
    excluded = Exclusions(
        ints(*(user for user, _ in removed)), ints(*(item for _, item in removed)), NOBODY, NOBODY, NOBODY
    )
    fused = fuse([items(*source) for source in rankings], weights, OFFSET, excluded, length)
    for user, found in enumerate(lists(fused)):
        scores: dict[int, float] = {}
        for source, weight in zip(rankings, weights, strict=True):
            for place, item in enumerate(source[user], start=1):
                scores[item] = scores.get(item, 0.0) + weight / (OFFSET + place)
        allowed = {item: score for item, score in scores.items() if (user, item) not in removed}
        expected = sorted(allowed.items(), key=lambda row: (-row[1], row[0]))[:length]
        assert [(item, score) for item, _, score in found] == expected
