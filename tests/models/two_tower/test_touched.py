import torch

from models.two_tower.batches import Batch
from models.two_tower.config import ModelConfig, TableSizes
from models.two_tower.features import NUMERIC_FEATURES
from models.two_tower.losses import Draws, batch_softmax
from models.two_tower.touched import touched
from models.two_tower.towers import ItemBatch, TwoTower, UserBatch


def _batch() -> Batch:
    rows = torch.tensor
    users = UserBatch(
        user=rows([3, 9, 3]),
        contents=rows([[5, 0, 2], [0, 0, 0], [7, 5, 0]]),
        streamers=rows([[1, 4], [0, 0], [2, 0]]),
        preferred=rows([[4, 0], [3, 0], [0, 0]]),
        segment=rows([1, 2, 0]),
        numeric=torch.rand(3, len(NUMERIC_FEATURES), generator=torch.Generator().manual_seed(1)),
    )
    nothing = rows([0, 0])
    items = ItemBatch(rows([7, 0]), rows([4, 2]), nothing, nothing, nothing, nothing)
    draws = Draws(rows([0, 1, 0]), torch.zeros(2), torch.zeros(0, dtype=torch.int64), torch.ones(3))
    return Batch(users, items, draws)


def test_a_batch_on_its_touched_rows_has_the_loss_and_the_gradients_of_the_whole_tables() -> None:
    torch.manual_seed(0)
    model = TwoTower(ModelConfig(TableSizes(users=12, items=9, streamers=6, categories=2), 4, 0.9, 0.1))
    batch = _batch()
    users, items = model(batch.users, batch.items)
    whole = batch_softmax(users, items, batch.draws, 0.1)
    whole.backward()
    part = touched(batch, model)
    tables = dict(model.named_parameters())
    with part.in_place_of_tables(model):
        found = batch_softmax(*model(part.batch.users, part.batch.items), part.batch.draws, 0.1)
    assert all(dict(model.named_parameters())[name] is table for name, table in tables.items())
    assert torch.allclose(found, whole)
    gradients = torch.autograd.grad(found, list(part.values.values()))
    for (name, rows), gradient in zip(part.rows.items(), gradients, strict=True):
        expected = dict(model.named_parameters())[name].grad
        assert expected is not None
        assert torch.allclose(gradient, expected[rows], atol=1e-6)
        untouched = torch.ones(len(expected), dtype=torch.bool).index_fill(0, rows, False)
        assert not expected[untouched].any()
