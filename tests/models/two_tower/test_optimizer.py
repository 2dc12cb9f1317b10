import torch
from torch import nn

from models.two_tower.optimizer import Adam, RowWiseAdagrad


def test_sparse_and_dense_gradients_give_the_same_tables() -> None:
    tables = []
    for sparse in (True, False):
        table = nn.Embedding(5, 3, sparse=sparse)
        with torch.no_grad():
            table.weight.copy_(torch.arange(15.0).reshape(5, 3) / 10)
        optimizer = RowWiseAdagrad([table.weight], learning_rate=0.1)
        for rows in ([0, 1, 1], [1, 4, 4]):
            optimizer.zero_grad()
            table(torch.tensor(rows)).square().sum().backward()
            optimizer.step()
        tables.append(table.weight.detach())
    assert torch.allclose(tables[0], tables[1])


def test_a_row_without_gradient_is_not_touched() -> None:
    table = nn.Embedding(3, 2)
    before = table.weight.detach().clone()
    optimizer = RowWiseAdagrad([table.weight], learning_rate=0.1)
    table(torch.tensor([1])).sum().backward()
    optimizer.step()
    assert torch.equal(table.weight[[0, 2]], before[[0, 2]])
    assert not torch.equal(table.weight[1], before[1])


def test_the_first_step_of_a_row_is_the_learning_rate_however_small_its_gradient() -> None:
    table = nn.Embedding(1, 4)
    before = table.weight.detach().clone()
    optimizer = RowWiseAdagrad([table.weight], learning_rate=0.1)
    (1e-3 * table(torch.tensor([0])).sum()).backward()
    optimizer.step()
    assert torch.allclose(before - table.weight, torch.full((1, 4), 0.1), atol=1e-4)


def test_adam_takes_the_published_steps() -> None:
    """Step by step with torch's own, which the train task does not import for its weight."""
    ours, theirs = (torch.tensor([1.0, -2.0], requires_grad=True) for _ in range(2))
    adam, reference = Adam([ours], learning_rate=0.1), torch.optim.Adam([theirs], lr=0.1)
    for power in (2, 3, 4):
        for weight, optimizer in ((ours, adam), (theirs, reference)):
            optimizer.zero_grad()
            weight.pow(power).sum().backward()
            optimizer.step()
    assert torch.allclose(ours, theirs, atol=1e-6)
