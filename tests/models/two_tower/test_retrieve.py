import torch
from torch import Tensor

from models.two_tower.config import ModelConfig, TableSizes
from models.two_tower.retrieve import Retrieval
from models.two_tower.towers import ItemBatch, TwoTower

ITEMS = 37


def retrieval() -> Retrieval:
    torch.manual_seed(0)
    model = TwoTower(ModelConfig(TableSizes(3, ITEMS + 1, 2, 2), 8, 0.9, 0.1))
    nothing = torch.zeros(ITEMS, dtype=torch.int64)
    return Retrieval(model, ItemBatch(torch.arange(1, ITEMS + 1), *([nothing] * 5)))


def _excluded(users: int, items: list[int]) -> tuple[Tensor, Tensor]:
    return torch.arange(users).repeat_interleave(len(items)), torch.tensor(items).repeat(users)


def test_masked_top_k_equals_the_naive_one() -> None:
    found = retrieval()
    users = torch.randn(11, 8, generator=torch.Generator().manual_seed(1))
    allowed = torch.arange(0, ITEMS, 2)
    best = found.best(users, allowed, 5, _excluded(11, [7, 4, 0]))
    scores = users @ found.vectors.T
    masked = torch.full_like(scores, -torch.inf)
    masked[:, allowed] = scores[:, allowed]
    masked[:, [0, 4, 7]] = -torch.inf
    naive = masked.topk(5, dim=1)
    assert torch.equal(best.index, naive.indices)
    assert torch.allclose(best.score, naive.values)


def test_fewer_allowed_items_than_wanted_give_a_shorter_list() -> None:
    assert retrieval().best(torch.ones(2, 8), torch.tensor([3, 5]), 10).index.shape == (2, 2)


def test_an_excluded_item_leaves_its_place_empty_where_nothing_else_is_left() -> None:
    best = retrieval().best(torch.ones(1, 8), torch.tensor([3, 5]), 2, _excluded(1, [5]))
    assert best.index.tolist() == [[3, -1]]


def test_no_user_or_no_item_gives_no_candidate() -> None:
    found = retrieval()
    assert found.best(torch.ones(0, 8), torch.arange(ITEMS), 3).index.shape[0] == 0
    assert found.best(torch.ones(2, 8), torch.arange(0), 3).index.shape == (2, 0)
