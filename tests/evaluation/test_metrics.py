import numpy as np
import pytest

from evaluation import metrics

HITS = np.array([[True, False, True], [False, False, False], [False, True, False]])
RELEVANT = np.array([2, 1, 5])


def test_hit_rate_is_one_where_any_place_hits() -> None:
    assert metrics.hit_rate(HITS, RELEVANT).tolist() == [1.0, 0.0, 1.0]


def test_recall_divides_by_all_relevant_items_of_the_user() -> None:
    assert metrics.recall(HITS, RELEVANT).tolist() == [1.0, 0.0, 0.2]


def test_average_precision_weighs_early_hits_more() -> None:
    expected = [(1 + 2 / 3) / 2, 0.0, (1 / 2) / 3]
    assert metrics.average_precision(HITS, RELEVANT) == pytest.approx(expected)


def test_ndcg_takes_its_ideal_over_at_most_the_length_of_the_list() -> None:
    place = 1 / np.log2([2, 3, 4])
    expected = [(place[0] + place[2]) / (place[0] + place[1]), 0.0, place[1] / place.sum()]
    assert metrics.ndcg(HITS, RELEVANT) == pytest.approx(expected)


def test_a_perfect_list_scores_one_everywhere() -> None:
    hits, relevant = np.ones((2, 3), dtype=bool), np.array([3, 9])
    assert metrics.ndcg(hits, relevant) == pytest.approx([1.0, 1.0])
    assert metrics.average_precision(hits, relevant) == pytest.approx([1.0, 1.0])
    assert metrics.recall(hits, relevant) == pytest.approx([1.0, 1 / 3])


def test_hits_from_ranks_leaves_out_what_stands_below_the_list() -> None:
    hits = metrics.hits_from_ranks(np.array([0, 0, 1]), np.array([1, 4, 2]), user_count=2, k=3)
    assert hits.tolist() == [[True, False, False], [False, True, False]]


def test_a_user_without_relevant_items_is_refused() -> None:
    with pytest.raises(ValueError, match="leave such users out"):
        metrics.recall(HITS, np.array([1, 0, 1]))


def test_lists_and_users_must_match() -> None:
    with pytest.raises(ValueError, match="3 lists for 2 users"):
        metrics.ndcg(HITS, np.array([1, 1]))


def test_coverage_is_a_share_of_the_catalogue() -> None:
    assert metrics.coverage(2, 8) == 0.25
    assert metrics.coverage(0, 0) == 0.0


def test_gini_is_zero_for_even_lists_and_grows_with_concentration() -> None:
    assert metrics.gini(np.array([3, 3, 3])) == 0.0
    assert metrics.gini(np.array([7, 1])) == pytest.approx(0.375)
    assert metrics.gini(np.array([], dtype=np.int64)) == 0.0
