"""Batch softmax with sampled-frequency (logQ) correction.

For example b with target t the full softmax loss is log(sum_j exp(s_bj)) - s_bt. The sum over the catalogue is
estimated from the batch: every other example brings its target j, drawn with the stream's frequency q_j, as a negative
that weighs 1 / ((B - 1) q_j). With the target's own repetitions (accidental hits) left out and the positive counted
once, the estimate of the sum is unbiased; the loss, its logarithm, is biased by O(1/B).

A batch holds each distinct item once, with how often it was drawn: the sum is that of repeated columns, for less work.

References: Yi et al., "Sampling-bias-corrected neural modeling", RecSys 2019 (the correction and the streaming
frequencies); Bengio and Senecal, 2008 (the positive is not a draw and is not corrected).
Letters: B examples, N distinct items of the batch, D dimensions.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Draws(NamedTuple):
    """What a batch drew.

    Args:
        column: Column of each example's target, int64 [B].
        counts: How often each item was drawn in the batch, float32 [N].
        log_q: Log of each item's frequency in the stream of examples, float32 [N]; zeros switch the correction off.
        masked: Pairs that are no negatives: things the user is known to like, bool [B, N].
        weight: What each example counts, float32 [B].
    """

    column: Tensor
    counts: Tensor
    log_q: Tensor
    masked: Tensor
    weight: Tensor


def batch_softmax(users: Tensor, items: Tensor, draws: Draws, temperature: float) -> Tensor:
    """Weighted mean loss of a batch.

    Args:
        users: Unit vectors [B, D].
        items: Unit vectors [N, D].
        draws: Targets, frequencies, masks and weights.
        temperature: Divides the scores; logits stay within 1 / temperature, and the log-sum-exp subtracts the largest.

    Returns:
        Scalar.
    """
    scores = users @ items.T / temperature
    positive = scores.gather(1, draws.column[:, None])
    # [B, N]
    others = max(len(draws.column) - 1, 1)
    log_share = draws.counts.log() - draws.log_q - torch.tensor(float(others)).log()
    negatives = (scores + log_share).masked_fill(draws.masked, -torch.inf)
    logits = negatives.scatter(1, draws.column[:, None], positive)
    losses = logits.logsumexp(dim=1) - positive[:, 0]
    # [B]
    return (losses * draws.weight).sum() / draws.weight.sum()


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
