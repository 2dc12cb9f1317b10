import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.names import FusionMethod
from jobs.transformations.fusion import ABSENT, Exclusions, Floats, Fused, Ints, Items, Ranking, fuse, padded
from jobs.transformations.fusion_methods import parts
from jobs.transformations.preference_order import PreferenceOrder

NOBODY = np.zeros(0, dtype=np.int64)
NOTHING = Exclusions(NOBODY, NOBODY, NOBODY, NOBODY, NOBODY)
OFFSET = 1.0
UNCAPPED = 99
NO_STREAMERS = np.zeros((2, 0), dtype=np.int64)
AS_FUSED = PreferenceOrder(0.0, 0.0, UNCAPPED, NO_STREAMERS, np.zeros((2, 0)), NOBODY, np.zeros(0))


def fused_by_rank(sources: list[Items], weights: list[float], excluded: Exclusions, length: int) -> Fused:
    """Reciprocal ranks, in the order of the fused scores."""
    rankings = [Ranking(source, np.where(source.ids == ABSENT, -np.inf, 1.0)) for source in sources]
    worth = [
        weight * parts(FusionMethod.RECIPROCAL_RANK, ranking, OFFSET, length)
        for weight, ranking in zip(weights, rankings, strict=True)
    ]
    return fuse(sources, worth, excluded, AS_FUSED, length)


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
    fused = fused_by_rank([items([21, 22], [21]), items([22, 23], [])], [1.0, 2.0], NOTHING, length=2)
    assert lists(fused) == [[(22, 1, 1 / 3 + 1.0), (23, 1, pytest.approx(2 / 3))], [(21, 0, 0.5)]]


def test_equal_scores_rank_by_the_smaller_id_and_equal_parts_name_the_first_source() -> None:
    fused = fused_by_rank([items([30]), items([20]), items([30])], [1.0, 2.0, 1.0], NOTHING, length=9)
    assert lists(fused) == [[(20, 1, 1.0), (30, 0, 1.0)]]


def test_pairs_streamers_and_items_are_left_out_where_they_are_said_of() -> None:
    everyone = [11, 12, 13, 24]
    excluded = Exclusions(ints(0, 0, 1), ints(12, 99, 5), ints(1, 1), ints(1, 8), ints(13))
    fused = fused_by_rank([items(everyone, everyone, everyone)], [1.0], excluded, length=9)
    assert [[item for item, _, _ in user] for user in lists(fused)] == [[11, 24], [12, 24], [11, 12, 24]]


def test_users_without_any_item_have_empty_lists() -> None:
    excluded = Exclusions(ints(0), ints(12), ints(1), ints(1), ints(13))
    fused = fused_by_rank([items([], []), items([], [])], [1.0, 1.0], excluded, length=3)
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
    fused = fused_by_rank([items(*source) for source in rankings], weights, excluded, length)
    for user, found in enumerate(lists(fused)):
        scores: dict[int, float] = {}
        for source, weight in zip(rankings, weights, strict=True):
            for place, item in enumerate(source[user], start=1):
                scores[item] = scores.get(item, 0.0) + weight / (OFFSET + place)
        allowed = {item: score for item, score in scores.items() if (user, item) not in removed}
        expected = sorted(allowed.items(), key=lambda row: (-row[1], row[0]))[:length]
        assert [(item, score) for item, _, score in found] == expected


def _scored(*users: list[float]) -> Ranking:
    """Items 1, 2, ... of each user with these scores, best first."""
    rows = np.repeat(np.arange(len(users)), [len(scores) for scores in users])
    matrix = padded(rows, np.array([score for scores in users for score in scores]), len(users), -np.inf)
    return Ranking(items(*(list(range(1, len(scores) + 1)) for scores in users)), matrix)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (FusionMethod.RECIPROCAL_RANK, [[1 / 2, 1 / 3, 1 / 4], [1 / 2, 0.0, 0.0], [0.0, 0.0, 0.0]]),
        (FusionMethod.WEIGHTED_RANK, [[1.0, 0.5, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
        (FusionMethod.WEIGHTED_SCORE, [[1.0, 0.75, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
    ],
)
def test_a_place_is_worth_its_rank_or_its_score(method: FusionMethod, expected: list[list[float]]) -> None:
    """A list of two; the second user has one item, the third none."""
    assert parts(method, _scored([9.0, 8.0, 5.0], [3.0], []), OFFSET, 2).tolist() == expected


@pytest.mark.parametrize("method", FusionMethod)
def test_no_items_are_worth_nothing(method: FusionMethod) -> None:
    assert parts(method, _scored([], []), OFFSET, 2).shape == (2, 0)


def test_what_the_user_prefers_and_what_is_fresh_goes_up() -> None:
    """Items 11 to 13 of streamers 1 to 3; the first user prefers 3 and, half as much, 2; content 12 is fresh."""
    order = PreferenceOrder(
        1.0,
        0.5,
        UNCAPPED,
        np.array([[2, 3], [ABSENT, ABSENT]]),
        np.array([[0.5, 1.0], [0.0, 0.0]]),
        ints(12, 99),
        np.array([1.0, 0.5]),
    )
    same = items([11, 12, 13], [11, 12, 13])
    fused = fuse([same], [np.ones((2, 3))], NOTHING, order, length=3)
    assert lists(fused) == [[(12, 0, 2.25), (13, 0, 2.0), (11, 0, 1.0)], [(12, 0, 1.5), (11, 0, 1.0), (13, 0, 1.0)]]


def test_beyond_the_cap_a_streamer_makes_room_for_others() -> None:
    order = PreferenceOrder(0.0, 0.0, 2, NO_STREAMERS, np.zeros((2, 0)), NOBODY, np.zeros(0))
    ranked = items([11, 21, 31, 12, 41], [11])
    worth: Floats = np.arange(5.0, 0.0, -1.0) * np.ones((2, 1))
    found = [[item for item, _, _ in user] for user in lists(fuse([ranked], [worth], NOTHING, order, length=3))]
    assert found == [[11, 21, 12], [11]]
