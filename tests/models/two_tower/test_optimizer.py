import torch

from models.two_tower.optimizer import Adam, RowWiseAdagrad


def test_the_steps_of_some_rows_are_those_of_the_whole_table() -> None:
    """A row without a gradient has a gradient of 0, and does not move."""
    tables = [torch.arange(15.0).reshape(5, 3) / 10 for _ in range(2)]
    some, whole = (RowWiseAdagrad({"table": table}, learning_rate=0.1) for table in tables)
    for step, rows in enumerate((torch.tensor([0, 1]), torch.tensor([1, 4]))):
        gradient = torch.zeros(5, 3)
        gradient[rows] = torch.arange(6.0).reshape(2, 3) + step
        some.step("table", gradient[rows], rows)
        whole.step("table", gradient)
    assert torch.allclose(tables[0], tables[1])
    assert torch.equal(tables[0][2:4], torch.arange(6.0, 12.0).reshape(2, 3) / 10)


def test_the_first_step_of_a_row_is_the_learning_rate_however_small_its_gradient() -> None:
    table = torch.zeros(1, 4)
    RowWiseAdagrad({"table": table}, learning_rate=0.1).step("table", torch.full((1, 4), 1e-3))
    assert torch.allclose(table, torch.full((1, 4), -0.1), atol=1e-4)


def test_adam_takes_the_published_steps() -> None:
    """Step by step with torch's own, which the train task does not import for its weight."""
    ours, theirs = (torch.tensor([1.0, -2.0], requires_grad=True) for _ in range(2))
    adam, reference = Adam([ours], learning_rate=0.1), torch.optim.Adam([theirs], lr=0.1)
    for power in (2, 3, 4):
        adam.step(torch.autograd.grad(ours.pow(power).sum(), [ours]))
        reference.zero_grad()
        theirs.pow(power).sum().backward()
        reference.step()
    assert torch.allclose(ours, theirs, atol=1e-6)
