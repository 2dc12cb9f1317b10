import math

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from torch import Tensor

from models.linear.interactions import Ids
from models.protocols.ranking import NDCG, RECALL, Task, blend, judge, per_user, standard

SCORES = torch.arange(60, 0, -1).float().repeat(3, 1)
"""Three users who all like item 0 best, then 1, and so on to 59."""


def scores(users: Ids) -> Tensor:
    return SCORES[torch.from_numpy(users)]


def _matrix(rows: list[list[int]]) -> csr_array:
    dense = np.zeros((3, 60), dtype=np.float32)
    for user, items in enumerate(rows):
        dense[user, items] = 1
    return csr_array(dense)


def test_recall_divides_by_all_relevant_and_the_ideal_by_what_fits() -> None:
    recalls, ndcgs = per_user(scores, Task(None, _matrix([[0, 30], [], [1]])))  # 30 is beyond the twentieth place
    assert recalls.tolist() == [0.5, 1.0]
    assert ndcgs == pytest.approx([1 / (1 + 1 / math.log2(3)), 1 / math.log2(3)])


def test_masked_items_give_their_places_to_the_next_ones() -> None:
    task = Task(_matrix([[*range(20)], [], []]), _matrix([[20], [], []]))
    assert judge(scores, task) == {RECALL: 1.0, NDCG: 1.0}


def test_blocks_of_users_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(None, _matrix([[3], [5, 9], [25]]))
    whole = judge(scores, task)
    monkeypatch.setattr("models.protocols.ranking._BLOCK", 60)
    assert judge(scores, task) == whole


def test_a_blend_adds_what_stands_out_whatever_the_scale() -> None:
    def thousandfold(users: Ids) -> Tensor:
        return scores(users).flip(1) * 1_000 + 5

    level = blend([(scores, 1.0), (thousandfold, 1.0)])(np.arange(3))
    assert torch.allclose(level, torch.zeros_like(level), atol=1e-5)
    assert torch.equal(blend([(scores, 1.0), (thousandfold, 0.0)])(np.arange(3)), standard(SCORES))


def test_who_says_the_same_of_everything_says_nothing() -> None:
    assert torch.equal(standard(torch.full((1, 4), 7.0)), torch.zeros(1, 4))
