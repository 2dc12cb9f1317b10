import pytest
import torch
from torch import Tensor
from torch.nn import functional

from models.two_tower.losses import Draws, batch_softmax, full_softmax


def draws(column: list[int], counts: list[float], log_q: Tensor, masked: Tensor | None = None) -> Draws:
    nothing = torch.zeros(len(column), len(counts), dtype=torch.bool)
    return Draws(
        torch.tensor(column),
        torch.tensor(counts),
        log_q,
        nothing if masked is None else masked,
        torch.ones(len(column)),
    )


def vectors(rows: int, seed: int, dim: int = 8) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(rows, dim, generator=generator), dim=-1)


def test_a_frequent_negative_weighs_less_than_a_rare_one() -> None:
    """The sign of logQ: what the stream draws often is divided by how often it is drawn."""
    users, items = torch.tensor([[1.0, 0.0]] * 2), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    rare = batch_softmax(users, items, draws([0, 1], [1.0, 1.0], torch.tensor([0.01, 0.01]).log()), 1.0)
    frequent = batch_softmax(users, items, draws([0, 1], [1.0, 1.0], torch.tensor([0.9, 0.9]).log()), 1.0)
    assert frequent < rare


def test_the_correction_moves_the_negative_and_not_the_positive() -> None:
    users, items = torch.tensor([[1.0, 0.0]] * 2), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    loss = batch_softmax(users[:2], items, draws([0, 0], [2.0, 1.0], torch.tensor([0.7, 0.25]).log()), 1.0)
    expected = torch.log(torch.exp(torch.tensor(1.0)) + 1.0 / 0.25) - 1.0
    assert torch.allclose(loss, expected)


def test_another_example_of_the_same_item_is_no_negative() -> None:
    """Accidental hits: two examples that share their target have nothing to tell apart."""
    users, items = vectors(2, seed=1), vectors(1, seed=2)
    loss = batch_softmax(users, items, draws([0, 0], [2.0], torch.tensor([0.5]).log()), 0.1)
    assert torch.allclose(loss, torch.tensor(0.0), atol=1e-6)


def test_a_known_liked_item_is_no_negative() -> None:
    users, items = vectors(2, seed=1), vectors(2, seed=2)
    masked = torch.tensor([[False, True], [True, False]])
    loss = batch_softmax(users, items, draws([0, 1], [1.0, 1.0], torch.tensor([0.5, 0.5]).log(), masked), 0.1)
    assert torch.allclose(loss, torch.tensor(0.0), atol=1e-6)


def test_an_example_of_weight_zero_changes_nothing() -> None:
    users, items = vectors(3, seed=1), vectors(3, seed=2)
    some = draws([0, 1, 2], [1.0, 1.0, 1.0], torch.full((3,), 1 / 3).log())._replace(weight=torch.tensor([1.0, 0, 0]))
    other = users.clone()
    other[1:] = vectors(2, seed=9)
    assert torch.allclose(batch_softmax(users, items, some, 0.1), batch_softmax(other, items, some, 0.1))


def test_the_estimated_sum_equals_the_full_softmax_in_expectation() -> None:
    """exp(loss) of one user is the catalogue sum over exp(positive): unbiased whatever the frequencies."""
    catalogue, user, share = 6, vectors(1, seed=3), torch.tensor([0.4, 0.25, 0.15, 0.1, 0.06, 0.04])
    items, temperature, target = vectors(catalogue, seed=4), 0.5, 2
    full = full_softmax(user, items, torch.tensor([target]), temperature).exp()
    generator, estimates, batch = torch.Generator().manual_seed(5), [], 64
    for _ in range(2_000):
        drawn = torch.multinomial(share, batch - 1, replacement=True, generator=generator)
        present, column, counts = torch.unique(
            torch.cat([torch.tensor([target]), drawn]), return_inverse=True, return_counts=True
        )
        first_only = torch.zeros(batch).index_fill(0, torch.tensor([0]), 1.0)
        draw = Draws(
            column,
            counts.float(),
            share[present].log(),
            torch.zeros(batch, len(present), dtype=torch.bool),
            first_only,
        )
        estimates.append(batch_softmax(user.expand(batch, -1), items[present], draw, temperature).exp())
    samples = torch.stack(estimates)
    standard_error = samples.std() / len(samples) ** 0.5
    assert abs(samples.mean() - full) < 4 * standard_error
    assert standard_error < 0.02 * full


@pytest.mark.parametrize("scale", [1.0, 1_000.0], ids=["unit vectors", "vectors far from unit length"])
def test_nothing_overflows_at_temperature_0_05(scale: float) -> None:
    users = (scale * vectors(4, seed=1)).requires_grad_()
    items = (scale * vectors(4, seed=2)).requires_grad_()
    loss = batch_softmax(users, items, draws([0, 1, 2, 3], [1.0] * 4, torch.full((4,), 1e-9).log()), 0.05)
    loss.backward()
    assert torch.isfinite(loss)
    assert users.grad is not None
    assert torch.isfinite(users.grad).all()


def test_gradients_agree_with_float64() -> None:
    users, items = vectors(3, seed=1).double().requires_grad_(), vectors(3, seed=2).double().requires_grad_()
    share = torch.tensor([0.5, 0.3, 0.2]).double().log()
    some = draws([0, 1, 1], [1.0, 2.0, 1.0], share)._replace(weight=torch.tensor([1.0, 0.5, 0.2]).double())
    some = some._replace(counts=some.counts.double())
    assert torch.autograd.gradcheck(lambda u, v: batch_softmax(u, v, some, 0.1), (users, items))
