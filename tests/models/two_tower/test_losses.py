from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from models.two_tower import losses
from models.two_tower.losses import Airtime, Draws, Skipped, batch_softmax, full_softmax, log_share
from models.two_tower.processes import Processes

NOTHING = torch.zeros(0, dtype=torch.int64)


def draws(column: list[int], counts: list[float], log_q: Tensor, known: Tensor = NOTHING) -> Draws:
    share = log_share(torch.tensor(counts, dtype=log_q.dtype), log_q, len(column) - 1)
    return Draws(torch.tensor(column), share, known, torch.ones(len(column)))


def plain(users: Tensor, items: Tensor, some: Draws, temperature: float | Tensor) -> Tensor:
    """The same loss with every matrix in memory."""
    scores = users @ items.T / temperature
    is_known = torch.zeros(scores.numel(), dtype=torch.bool).index_fill(0, some.known, True).view_as(scores)
    positive = scores.gather(1, some.column[:, None])
    negatives = (scores + some.log_share).masked_fill(is_known, -torch.inf)
    negatives = negatives.scatter(1, some.column[:, None], positive)
    if some.skipped is not None:
        column, weight = some.skipped
        hard = scores.gather(1, column.clamp(min=0)[:, None]) + weight.log()
        negatives = torch.cat([negatives, hard.masked_fill(column[:, None] < 0, -torch.inf)], dim=1)
    lost = negatives.logsumexp(dim=1) - positive[:, 0]
    return (lost * some.weight).sum() / some.weight.sum()


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
    known = torch.tensor([0 * 2 + 1, 1 * 2 + 0])
    loss = batch_softmax(users, items, draws([0, 1], [1.0, 1.0], torch.tensor([0.5, 0.5]).log(), known), 0.1)
    assert torch.allclose(loss, torch.tensor(0.0), atol=1e-6)


def test_only_what_was_live_then_is_a_negative() -> None:
    users, items = vectors(3, seed=1), vectors(3, seed=2)
    some = draws([0, 1, 2], [1.0, 1.0, 1.0], torch.full((3,), 1 / 3).log())
    rows = torch.tensor
    # The first two columns were live from 10 and 20 on, the third from 20 to 30; the end is not included.
    airtime = Airtime(begin=rows([10, 20, 20]), end=rows([99, 99, 30]), second=rows([15, 25, 30]))
    found = batch_softmax(users, items, some._replace(airtime=airtime), 0.1)
    off = rows([1, 2, 8])  # of the first example nobody else was live; of the third its own target, which counts always
    expected = plain(users, items, some._replace(known=off), 0.1)
    assert torch.allclose(found, expected)


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
        share_of = log_share(counts.float(), share[present].log(), batch - 1)
        draw = Draws(column, share_of, NOTHING, first_only)
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


def _random_case(dtype: torch.dtype, size: int = 37, width: int = 23) -> tuple[Tensor, Tensor, Draws]:
    generator = torch.Generator().manual_seed(8)
    users, items = vectors(size, seed=1).to(dtype).requires_grad_(), vectors(width, seed=2).to(dtype).requires_grad_()
    share = torch.rand(width, generator=generator, dtype=dtype)
    some = Draws(
        column=torch.randint(width, (size,), generator=generator),
        log_share=log_share(torch.ones(width, dtype=dtype), (share / share.sum()).log(), size - 1),
        known=torch.nonzero(torch.rand(size * width, generator=generator) < 0.2)[:, 0],
        weight=torch.rand(size, generator=generator, dtype=dtype),
    )
    return users, items, some


def _with_hard_negatives(some: Draws) -> Draws:
    size, width = len(some.column), len(some.log_share)
    column = torch.arange(size) % (width + 1) - 1
    return some._replace(skipped=Skipped(column, torch.tensor(3.0, dtype=torch.float64)))


@pytest.mark.parametrize("change", [lambda some: some, _with_hard_negatives], ids=["plain", "hard negatives"])
@pytest.mark.parametrize("block_scores", [1, 100, 1 << 20], ids=["a row at a time", "four rows", "one block"])
def test_blocks_give_the_loss_and_the_gradients_of_the_whole(
    block_scores: int, change: Callable[[Draws], Draws], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "_BLOCK_SCORES", block_scores)
    users, items, some = _random_case(torch.float64)
    some = change(some)
    temperature = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    inputs = (users, items, temperature)
    ours, theirs = batch_softmax(users, items, some, temperature), plain(users, items, some, temperature)
    assert torch.allclose(ours, theirs)
    for own, other in zip(torch.autograd.grad(ours, inputs), torch.autograd.grad(theirs, inputs), strict=True):
        assert torch.allclose(own, other)


@pytest.mark.parametrize("processes", [2, 50], ids=["halves", "more parts than examples"])
def test_parts_of_a_batch_add_up_to_the_whole(processes: int) -> None:
    users, items, some = _random_case(torch.float64)
    some = _with_hard_negatives(some)._replace(airtime=None)
    whole = batch_softmax(users, items, some, 0.1)
    gradients = torch.autograd.grad(whole, (users, items))
    loss, sums = torch.zeros(()), [torch.zeros_like(users), torch.zeros_like(items)]
    for rank in range(processes):
        rows = Processes(rank, processes).rows(len(users))
        part = batch_softmax(users[rows], items, some.part(rows), 0.1)
        loss = loss + part.detach()
        sums = [total + own for total, own in zip(sums, torch.autograd.grad(part, (users, items)), strict=True)]
    assert torch.allclose(loss, whole)
    assert all(torch.allclose(total, own) for total, own in zip(sums, gradients, strict=True))


def test_products_of_bfloat16_are_near_those_of_float32() -> None:
    users, items, some = _random_case(torch.float32)
    exact, coarse = (batch_softmax(users, items, some, 0.1, products) for products in (None, torch.bfloat16))
    assert exact != coarse
    assert torch.allclose(exact, coarse, rtol=0.01)
    for one, other in zip(
        torch.autograd.grad(exact, (users, items)), torch.autograd.grad(coarse, (users, items)), strict=True
    ):
        assert (one - other).norm() < 0.03 * one.norm()


def test_gradients_agree_with_float64_differences() -> None:
    users, items, some = _random_case(torch.float64, size=5, width=4)
    assert torch.autograd.gradcheck(lambda u, v: batch_softmax(u, v, some, 0.1), (users, items))


def test_uniform_negatives_weigh_by_how_often_both_draws_let_them_expect() -> None:
    """Of 10 items 4 are drawn uniformly beside 4 others of the stream: what it often draws weighs little."""
    share = log_share(
        torch.tensor([1.0, 1.0]), torch.tensor([0.5, 1e-12]).log(), others=4, uniform=torch.tensor([0.4, 0.4])
    )
    assert torch.allclose(share.exp(), torch.tensor([1 / 2.4, 1 / 0.4]))
