import numpy as np
import pytest

from evaluation.report import HitRows, score_lists


def hit_rows(*rows: tuple[int, int]) -> HitRows:
    users, ranks = zip(*rows, strict=True) if rows else ((), ())
    return HitRows(np.array(users, dtype=np.int64), np.array(ranks, dtype=np.int64))


def test_users_without_a_hit_count_as_zero_and_users_without_relevant_items_not_at_all() -> None:
    relevant = np.array([7, 7, 9, 3])
    scored = score_lists({"ours": hit_rows((7, 1), (8, 1)), "none": hit_rows()}, relevant, 2, np.random.default_rng(0))
    assert scored["ours"]["hit_rate"].mean == pytest.approx(1 / 3)
    assert scored["ours"]["recall"].mean == pytest.approx((1 / 2) / 3)
    assert scored["ours"]["ndcg"].mean == pytest.approx(1 / (1 + 1 / np.log2(3)) / 3)
    assert scored["none"]["ndcg"].mean == 0.0


def test_lists_share_the_draws_of_users_so_equal_lists_have_equal_intervals() -> None:
    rows = hit_rows(*[(user, 1 + user % 5) for user in range(0, 100, 3)])
    scored = score_lists({"a": rows, "b": rows}, np.arange(100), 3, np.random.default_rng(0))
    assert scored["a"] == scored["b"]
    assert scored["a"]["ndcg"].low < scored["a"]["ndcg"].mean < scored["a"]["ndcg"].high


def test_no_relevant_items_give_no_numbers() -> None:
    scored = score_lists({"ours": hit_rows((1, 1))}, np.empty(0, dtype=np.int64), 2, np.random.default_rng(0))
    assert np.isnan(scored["ours"]["ndcg"].mean)
