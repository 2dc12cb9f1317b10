import pytest
import torch
from torch.nn import functional

from models.two_tower.config import ModelConfig, TableSizes
from models.two_tower.features import NUMERIC_FEATURES
from models.two_tower.towers import ATTENTION, TwoTower, UserBatch

SIZES = TableSizes(users=12, items=9, streamers=6, categories=2)


def made(pooling: str) -> TwoTower:
    torch.manual_seed(0)
    return TwoTower(ModelConfig(SIZES, dim=4, history_weight=0.9, id_weight=0.1, pooling=pooling))


def users(contents: list[list[int]]) -> UserBatch:
    size, nothing = len(contents), torch.zeros(len(contents), 1, dtype=torch.int64)
    numeric = torch.zeros(size, len(NUMERIC_FEATURES))
    return UserBatch(nothing[:, 0], torch.tensor(contents), nothing, nothing, nothing[:, 0], numeric)


def test_attention_begins_as_the_mean() -> None:
    histories = users([[5, 0, 2], [7, 5, 1]])
    mean = made("mean").users(histories)
    attended = made(ATTENTION)
    attended.load_state_dict({**attended.state_dict(), **made("mean").state_dict()})
    assert torch.allclose(attended.users(histories), mean, atol=1e-6)


def test_attention_weighs_the_entries_that_a_history_asks_for() -> None:
    model = made(ATTENTION)
    table = model.items.item.weight
    asked = model.users.attention[0]
    assert isinstance(asked, torch.nn.Linear)
    with torch.no_grad():
        asked.bias.copy_(50 * functional.normalize(table[5] - table[2], dim=0))
    both, only = model.users(users([[5, 2, 0]])), model.users(users([[5, 0, 0]]))
    assert torch.allclose(both, only, atol=1e-3)


@pytest.mark.parametrize("pooling", ["mean", ATTENTION])
def test_an_empty_history_says_nothing_and_has_a_gradient(pooling: str) -> None:
    model = made(pooling)
    empty = model.users(users([[0, 0], [3, 0]]))
    assert torch.isfinite(empty).all()
    gradients = torch.autograd.grad(empty.sum(), model.dense_parameters(), allow_unused=True)
    assert all(gradient is None or torch.isfinite(gradient).all() for gradient in gradients)
    assert torch.allclose(empty[0], model.users(users([[0]]))[0])
