"""Batch softmax with sampled-frequency (logQ) correction, block by block.

For example b with target t the full softmax loss is log(sum_j exp(s_bj)) - s_bt. The sum over the catalogue is
estimated from the batch: every other example brings its target j, drawn with the stream's frequency q_j, as a negative
that weighs 1 / ((B - 1) q_j). With the target's own repetitions (accidental hits) left out and the positive counted
once, the estimate of the sum is unbiased; the loss, its logarithm, is biased by O(1/B).

Further negatives drawn uniformly (mixed negative sampling) make the batch a sample of two distributions. Item j is
expected (B - 1) q_j + M / I times in it, with M further draws of I items, and what was drawn n_j times weighs n_j over
that: the balance heuristic, which stays unbiased and bounds the weight of what the stream never draws.

A batch holds each distinct item once, with how often it was drawn: the sum is that of repeated columns, for less work.
The scores are made, summed and turned into gradients some rows at a time, while they are in the cache: three products
of matrices, as without blocks, and no B x N matrix in memory in any of its forms.

References: Yi et al., "Sampling-bias-corrected neural modeling", RecSys 2019 (the correction and the streaming
frequencies); Bengio and Senecal, 2008 (the positive is not a draw and is not corrected); Yang et al., "Mixed negative
sampling", WWW 2020; Veach and Guibas, SIGGRAPH 1995 (balance heuristic); Dao et al., NeurIPS 2022 (softmax by blocks).
Letters: B examples, N distinct items of the batch, D dimensions, P pairs.
"""

from typing import Any, Final, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_BLOCK_SCORES: Final = 1 << 20
"""Scores of a block: 4 MB of float32, in the second-level caches of two cores."""
_LARGEST_EXPONENT: Final = 40.0
"""Of its exponential a sum of millions, each with its weight, is still a float32."""


class Airtime(NamedTuple):
    """When columns were live, and examples watched; of a stream that was not live then, nobody chose against it.

    Args:
        begin, end: Of each column, the end not included, int64 [N].
        second: Of each example, int64 [B].
    """

    begin: Tensor
    end: Tensor
    second: Tensor


class Draws(NamedTuple):
    """What a batch drew.

    Args:
        column: Column of each example's target, int64 [B].
        log_share: Log of how often each item was drawn over how often that was to be expected, float32 [N].
        known: Pairs that are no negatives, things the user is known to like: row * N + column, ascending, int64 [P].
        weight: What each example counts, float32 [B].
        airtime: Where only what was live at the same time is a negative. A draw's weight remains 1 / ((B - 1) q): the
            sum that is estimated is then that of what was live, unbiased as before.
    """

    column: Tensor
    log_share: Tensor
    known: Tensor
    weight: Tensor
    airtime: Airtime | None = None


def log_share(counts: Tensor, log_q: Tensor, others: int, uniform: float = 0.0) -> Tensor:
    """Log of what a drawn item weighs in the sum.

    Args:
        counts: How often each item was drawn, [N].
        log_q: Log of each item's frequency in the stream, [N]; zeros switch the correction off.
        others: Draws from the stream that an example has beside its own, B - 1.
        uniform: Draws of each item that the further, uniform negatives let expect, M / I.
    """
    expected = log_q + torch.tensor(float(max(others, 1))).log()
    if uniform > 0:
        expected = torch.logaddexp(expected, torch.full_like(expected, uniform).log())
    return counts.log() - expected


def batch_softmax(users: Tensor, items: Tensor, draws: Draws, temperature: float | Tensor) -> Tensor:
    """Weighted mean loss of a batch.

    Args:
        users: Unit vectors [B, D].
        items: Unit vectors [N, D].
        draws: Targets, shares, known pairs and weights.
        temperature: Divides the scores, a number or a learned scalar.

    Returns:
        Scalar.
    """
    scale = 1.0 / (temperature if isinstance(temperature, Tensor) else users.new_tensor(temperature))
    loss: Tensor = _BlockwiseSoftmax.apply(users, items, scale, draws)
    return loss


class _BlockwiseSoftmax(torch.autograd.Function):
    """The loss and, on the way, its gradients: a second pass would have to make the scores again.

    No logit is above the product of the lengths over the temperature: for unit vectors and a temperature of 1 / 40 or
    more their exponentials are float32 numbers as they are, and only else each row's largest logit is looked for and
    subtracted. What a column weighs in the sum is factored out of its exponentials, into what they are multiplied with.
    """

    @staticmethod
    def forward(ctx: Any, users: Tensor, items: Tensor, scale: Tensor, draws: Draws) -> Tensor:  # noqa: ANN401
        size, width = len(users), len(items)
        targets = items[draws.column]
        is_small = bool(users.norm(dim=1).max() * items.norm(dim=1).max() * scale <= _LARGEST_EXPONENT)
        positive = (users * targets).sum(dim=1) * scale
        # [B]
        largest = torch.zeros_like(positive)
        weight = draws.log_share.to(items.dtype).exp()
        weighed = items * weight[:, None]
        share = draws.weight / draws.weight.sum()
        totals = torch.empty_like(positive)
        to_users, to_items = torch.empty_like(users), torch.zeros_like(items)
        rows = max(1, _BLOCK_SCORES // max(width, 1))
        starts = torch.arange(0, size + rows, rows, device=users.device)
        pairs = torch.searchsorted(draws.known, starts * width).tolist()
        scaled = users * scale
        for number, start in enumerate(range(0, size, rows)):
            block = slice(start, min(start + rows, size))
            shares = scaled[block] @ items.T
            if not is_small:
                torch.maximum(shares.amax(dim=1), positive[block], out=largest[block])
                shares.sub_(largest[block, None])
            shares.exp_()
            if draws.airtime is not None:
                begin, end, second = draws.airtime
                at = second[block, None]
                shares.mul_((begin <= at) & (at < end))
            shares.view(-1).index_fill_(0, draws.known[pairs[number] : pairs[number + 1]] - start * width, 0.0)
            shares.scatter_(1, draws.column[block, None], 0.0)
            torch.addmv((positive[block] - largest[block]).exp(), shares, weight, out=totals[block])
            factor = (share[block] / totals[block])[:, None]
            torch.mul(shares @ weighed, factor, out=to_users[block])
            to_items.addmm_(shares.T, users[block] * factor)
        losses = totals.log() + largest - positive
        surprise = -torch.expm1(-losses) * share
        # One less the chance of the target, [B]; of the difference little would be left where the chance is near 1.
        to_users.sub_(surprise[:, None] * targets).mul_(scale)
        to_items.mul_(weight[:, None]).index_add_(0, draws.column, users * surprise[:, None], alpha=-1.0).mul_(scale)
        ctx.save_for_backward(users, to_users, to_items, scale)
        return (losses * share).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        (outer,) = gradients
        users, to_users, to_items, scale = ctx.saved_tensors
        to_scale = (users * to_users).sum() / scale * outer if ctx.needs_input_grad[2] else None
        return to_users * outer, to_items * outer, to_scale, None


def full_softmax(users: Tensor, items: Tensor, target: Tensor, temperature: float) -> Tensor:
    """The loss that `batch_softmax` estimates, over a whole catalogue: for evaluation on held-out days.

    Args:
        users: Unit vectors [B, D].
        items: Unit vectors of the catalogue [N, D].
        target: Index of each example's item, int64 [B].
        temperature: As in training.

    Returns:
        Scalar.
    """
    return torch.nn.functional.cross_entropy(users @ items.T / temperature, target)
