"""Full ranking: every user's scores of the whole catalogue, what is known masked, metrics at 20.

Letters: U users of a block, I items.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_array
from torch import Tensor

from evaluation.metrics import PerUser, ndcg, recall
from models.linear.interactions import Ids

K: Final = 20
RECALL: Final = "recall_at_20"
NDCG: Final = "ndcg_at_20"
Scores = Callable[[Ids], Tensor]
"""From users [U] to what each item is worth to each of them, float32 [U, I]."""
_BLOCK: Final = 1 << 25
"""Scores at once: 128 MB."""


@dataclass(frozen=True)
class Task:
    """What a model is asked.

    Args:
        masked: What must not be listed, [all users, I]; None masks nothing.
        relevant: What is to be found, [all users, I].
    """

    masked: csr_array | None
    relevant: csr_array

    @property
    def users(self) -> Ids:
        """Those with something to find."""
        return np.flatnonzero(np.diff(self.relevant.indptr))


def judge(scores: Scores, task: Task) -> dict[str, float]:
    """Mean recall@20 (hits over all relevant) and NDCG@20 over the users with something to find."""
    recalls, ndcgs = per_user(scores, task)
    return {RECALL: float(recalls.mean()), NDCG: float(ndcgs.mean())}


def per_user(scores: Scores, task: Task) -> tuple[PerUser, PerUser]:
    """Recall@20 and NDCG@20 of each of the task's users."""
    users, items = task.users, task.relevant.shape[1]
    found = []
    for block in np.array_split(users, 1 + len(users) * items // _BLOCK):
        hits = _hits(scores(block), block, task)
        counts = np.diff(task.relevant[block].indptr).astype(np.int64)
        found.append((recall(hits, counts), ndcg(hits, counts)))
    recalls, ndcgs = (np.concatenate(values) for values in zip(*found, strict=True))
    return recalls, ndcgs


def _hits(scores: Tensor, users: Ids, task: Task) -> np.ndarray:
    if task.masked is not None:
        row, item = task.masked[users].nonzero()
        scores = scores.clone()
        scores[torch.from_numpy(row.astype(np.int64)), torch.from_numpy(item.astype(np.int64))] = -torch.inf
    best = scores.topk(min(K, scores.shape[1]), dim=1)
    relevant = torch.from_numpy(task.relevant[users].toarray() > 0)
    hits = np.zeros((len(users), K), dtype=np.bool_)
    hits[:, : best.indices.shape[1]] = (relevant.gather(1, best.indices) & (best.values > -torch.inf)).numpy()
    return hits


def over_seeds(runs: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Means, and the spread: largest minus smallest."""
    means = {name: statistics.fmean(run[name] for run in runs) for name in (RECALL, NDCG)}
    return {
        **means,
        "spread": {name: max(run[name] for run in runs) - min(run[name] for run in runs) for name in means},
    }


def blend(parts: Sequence[tuple[Scores, float]]) -> Scores:
    """Weighted sum of standard scores: how far an item is above the user's mean, in units of the user's spread."""

    def blended(users: Ids) -> Tensor:
        first, *others = ((scores, weight) for scores, weight in parts if weight != 0)
        total = standard(first[0](users)) * first[1]
        for scores, weight in others:
            total += standard(scores(users)) * weight
        return total

    return blended


def same_for_all(values: npt.ArrayLike) -> Scores:
    """A ranking that asks for nobody's taste, from values [I]."""
    row = torch.from_numpy(np.asarray(values, dtype=np.float32))
    return lambda users: row.expand(len(users), -1)


def added(one: Scores, other: Scores, weight: float) -> Scores:
    """One ranking and so much of another, as they are."""
    return lambda users: one(users) + weight * other(users)


def standard(scores: Tensor) -> Tensor:
    """Each row with mean 0 and spread 1; a row without a spread is all 0."""
    centred = scores - scores.mean(dim=1, keepdim=True)
    spread = centred.square().mean(dim=1, keepdim=True).sqrt()
    return torch.where(spread > 0, centred / spread.clamp(min=torch.finfo(torch.float32).tiny), 0.0)
