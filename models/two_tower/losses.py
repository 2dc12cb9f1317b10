"""Batch softmax with sampled-frequency (logQ) correction, block by block.

For example b with target t the full softmax loss is log(sum_j exp(s_bj)) - s_bt. The sum over the catalogue is
estimated from the batch: every other example brings its target j, drawn with the stream's frequency q_j, as a negative
that weighs 1 / ((B - 1) q_j). With the target's own repetitions (accidental hits) left out and the positive counted
once, the estimate of the sum is unbiased; the loss, its logarithm, is biased by O(1/B).

Further negatives drawn uniformly (mixed negative sampling) make the batch a sample of two distributions. Item j is
expected (B - 1) q_j + M / I times in it, with M further draws of I items, and what was drawn n_j times weighs n_j over
that: the balance heuristic, which stays unbiased and bounds the weight of what the stream never draws.

What somebody was shown and did not watch can be a further, hard negative of theirs: no estimate of anything, but a way
to say more about what is close.

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
_BLOCK_SCORES_CUDA: Final = 1 << 26
"""256 MB: enough rows at once for every multiprocessor, and still no B x N matrix."""
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


class Skipped(NamedTuple):
    """What examples were shown beside their target and did not watch: a negative of theirs alone.

    Args:
        column: Of each example, -1 where there is none, int64 [B].
        weight: What one counts in the sum.
    """

    column: Tensor
    weight: Tensor


class Draws(NamedTuple):
    """What a batch drew.

    Args:
        column: Column of each example's target, int64 [B].
        log_share: Log of how often each item was drawn over how often that was to be expected, float32 [N].
        known: Pairs that are no negatives, things the user is known to like: row * N + column, ascending, int64 [P].
        weight: What each example counts, float32 [B].
        airtime: Where only what was live at the same time is a negative. A draw's weight remains 1 / ((B - 1) q): the
            sum that is estimated is then that of what was live, unbiased as before.
        skipped: Hard negatives; None for none.
        total: What all examples count, where these are some of a batch that several processes share, scalar; None
            for the sum of `weight`.
    """

    column: Tensor
    log_share: Tensor
    known: Tensor
    weight: Tensor
    airtime: Airtime | None = None
    skipped: Skipped | None = None
    total: Tensor | None = None

    def part(self, rows: slice) -> "Draws":
        """Those of some examples of the batch, which weigh what they weigh in the whole."""
        width, airtime, skipped = len(self.log_share), self.airtime, self.skipped
        first, last = torch.searchsorted(self.known, self.known.new_tensor([rows.start, rows.stop]) * width).tolist()
        return self._replace(
            column=self.column[rows],
            known=self.known[first:last] - rows.start * width,
            weight=self.weight[rows],
            airtime=airtime if airtime is None else airtime._replace(second=airtime.second[rows]),
            skipped=skipped if skipped is None else skipped._replace(column=skipped.column[rows]),
            total=self.weight.sum() if self.total is None else self.total,
        )


def log_share(counts: Tensor, log_q: Tensor, others: int, uniform: Tensor | None = None) -> Tensor:
    """Log of what a drawn item weighs in the sum.

    Args:
        counts: How often each item was drawn, [N].
        log_q: Log of each item's frequency in the stream, [N].
        others: Draws from the stream that an example has beside its own, B - 1.
        uniform: Draws of each item that further, uniform negatives let expect, M / I where all M are kept, [N].
    """
    expected = log_q + torch.tensor(float(max(others, 1))).log()
    if uniform is not None:
        expected = torch.logaddexp(expected, uniform.to(expected.dtype).log())
    return counts.log() - expected


def batch_softmax(
    users: Tensor,
    items: Tensor,
    draws: Draws,
    temperature: float | Tensor,
    products: torch.dtype | None = None,
) -> Tensor:
    """Weighted mean loss of a batch.

    Args:
        users: Unit vectors [B, D].
        items: Unit vectors [N, D].
        draws: Targets, shares, known pairs and weights.
        temperature: Divides the scores, a number or a learned scalar.
        products: Type of what the three products of matrices multiply, for processors that have units for it; sums,
            exponentials and results keep the vectors' type. None is the vectors' own.

    Returns:
        Scalar: of a part of a batch, its share of the batch's mean.
    """
    scale = 1.0 / (temperature if isinstance(temperature, Tensor) else users.new_tensor(temperature))
    loss: Tensor = _BlockwiseSoftmax.apply(users, items, scale, draws, products or users.dtype)
    return loss


class _BlockwiseSoftmax(torch.autograd.Function):
    """The loss and, on the way, its gradients: a second pass would have to make the scores again.

    No logit is above the product of the lengths over the temperature: for unit vectors and a temperature of 1 / 40 or
    more their exponentials are float32 numbers as they are, and only else each row's largest logit is looked for and
    subtracted. What a column weighs in the sum is factored out of its exponentials, into what they are multiplied with.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        users: Tensor,
        items: Tensor,
        scale: Tensor,
        draws: Draws,
        products: torch.dtype,
    ) -> Tensor:
        size, width = len(users), len(items)
        targets = items[draws.column]
        longest = users.norm(dim=1).max() * items.norm(dim=1).max() if size else users.new_zeros(())
        is_small = bool(longest * scale <= _LARGEST_EXPONENT)
        positive = (users * targets).sum(dim=1) * scale
        # [B]
        skipped = _skipped_logits(users, items, draws, scale)
        largest = torch.zeros_like(positive)
        weight = draws.log_share.to(items.dtype).exp()
        factors = (items * weight[:, None]).to(products)
        share = draws.weight / (draws.weight.sum() if draws.total is None else draws.total)
        totals = torch.empty_like(positive)
        to_users, to_items = torch.empty_like(users), torch.zeros_like(items)
        rows = max(1, (_BLOCK_SCORES_CUDA if users.is_cuda else _BLOCK_SCORES) // max(width, 1))
        starts = torch.arange(0, size + rows, rows, device=users.device)
        pairs = torch.searchsorted(draws.known, starts * width).tolist()
        scaled, columns = (users * scale).to(products), items.to(products).T
        for number, start in enumerate(range(0, size, rows)):
            block = slice(start, min(start + rows, size))
            shares = (scaled[block] @ columns).to(users.dtype)
            if not is_small:
                torch.maximum(shares.amax(dim=1), positive[block], out=largest[block])
                torch.maximum(largest[block], skipped[block], out=largest[block])
                shares.sub_(largest[block, None])
            shares.exp_()
            if draws.airtime is not None:
                begin, end, second = draws.airtime
                at = second[block, None]
                shares.mul_((begin <= at) & (at < end))
            shares.view(-1).index_fill_(0, draws.known[pairs[number] : pairs[number + 1]] - start * width, 0.0)
            shares.scatter_(1, draws.column[block, None], 0.0)
            others = (positive[block] - largest[block]).exp() + (skipped[block] - largest[block]).exp()
            torch.addmv(others, shares, weight, out=totals[block])
            factor = (share[block] / totals[block])[:, None]
            of_block = shares.to(products)
            torch.mul((of_block @ factors).to(users.dtype), factor, out=to_users[block])
            to_items.add_((of_block.T @ (users[block] * factor).to(products)).to(users.dtype))
        losses = totals.log() + largest - positive
        surprise = -torch.expm1(-losses) * share
        # One less the chance of the target, [B]; of the difference little would be left where the chance is near 1.
        to_users.sub_(surprise[:, None] * targets)
        to_items.mul_(weight[:, None]).index_add_(0, draws.column, users * surprise[:, None], alpha=-1.0)
        if draws.skipped is not None:
            chance = ((skipped - largest).exp() / totals * share)[:, None]
            column = draws.skipped.column.clamp(min=0)
            to_users.add_(chance * items[column])
            to_items.index_add_(0, column, users * chance)
        ctx.save_for_backward(users, to_users.mul_(scale), to_items.mul_(scale), scale)
        return (losses * share).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        (outer,) = gradients
        users, to_users, to_items, scale = ctx.saved_tensors
        to_scale = (users * to_users).sum() / scale * outer if ctx.needs_input_grad[2] else None
        return to_users * outer, to_items * outer, to_scale, None, None


def _skipped_logits(users: Tensor, items: Tensor, draws: Draws, scale: Tensor) -> Tensor:
    """Logits of hard negatives with the logarithm of what they count, -inf where there is none, [B]."""
    if draws.skipped is None:
        return users.new_full((len(users),), -torch.inf)
    column, weight = draws.skipped
    logits = (users * items[column.clamp(min=0)]).sum(dim=1) * scale + weight.to(users.dtype).log()
    return logits.masked_fill(column < 0, -torch.inf)


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
