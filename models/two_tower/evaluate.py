"""Early metrics on the held-out last day, by the same formulas as the next-day judge (`evaluation`)."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from evaluation.metrics import ndcg, recall
from models.two_tower.batches import TrainingData
from models.two_tower.retrieve import Retrieval
from models.two_tower.towers import TwoTower, UserBatch

_K = 20
_BLOCK = 1 << 25
"""Users times items at once: 32 MB a mask."""


def measure_last_day(data: TrainingData, last_day: int, min_weight: float) -> Callable[[TwoTower], dict[str, float]]:
    """A function from a model to its metrics on the last day; nothing is measured where that day has no positive.

    Contents and streamers are ranked apart, as they are shown. Contents of the user's history are not ranked, nor
    relevant; streamers are visited again and again, and are measured together and as returns (to those that stand in
    the histories) and discoveries. An example counts as relevant from `min_weight` on.
    """
    examples = data.examples
    held_out = (examples.day == last_day) & (examples.weight >= min_weight)
    is_streamer = data.is_streamer[examples.item]
    groups = {"content": held_out & ~is_streamer, "streamer": held_out & is_streamer}

    def measure(model: TwoTower) -> dict[str, float]:
        metrics: dict[str, float] = {}
        for name, chosen in groups.items():
            rows = torch.nonzero(chosen)[:, 0]
            if len(rows):
                metrics |= {f"{name}_{metric}": value for metric, value in _measure(model, data, rows).items()}
        return metrics

    return measure


def _measure(model: TwoTower, data: TrainingData, rows: Tensor) -> dict[str, float]:
    """Users some at a time: no matrix of all of them and all items."""
    examples = data.examples.take(rows)
    is_streamer = bool(data.is_streamer[examples.item[0]])
    users, first, place = _first_of_each(examples.user)
    retrieval = Retrieval(model, data.items)
    allowed = torch.nonzero(data.is_streamer == is_streamer)[:, 0]
    found: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for block in torch.arange(len(users), device=users.device).split(max(1, _BLOCK // len(data.is_streamer))):
        histories = UserBatch(*(values[examples.features[first[block]]] for values in data.histories))
        known = _known(data, histories, is_streamer)
        own = (place >= block[0]) & (place <= block[-1])
        relevant = torch.zeros_like(known)
        relevant[place[own] - block[0], examples.item[own]] = True
        vectors = retrieval.user_vectors(histories, users[block])
        row, column = torch.nonzero(known, as_tuple=True)
        best = retrieval.best(vectors, allowed, _K, None if is_streamer else (row, column)).index
        groups = {"": relevant, "return_": relevant & known, "discovery_": relevant & ~known}
        for group, wanted in groups.items() if is_streamer else [("", groups["discovery_"])]:
            hits = wanted.gather(1, best.clamp(min=0)) & (best >= 0)
            found.setdefault(group, []).append((hits, wanted.sum(dim=1)))
    return {
        f"{group}{metric}": value
        for group, parts in found.items()
        for metric, value in _figures(*(torch.cat(each) for each in zip(*parts, strict=True))).items()
    }


def _known(data: TrainingData, histories: UserBatch, is_streamer: bool) -> Tensor:
    """Which contents, or streamers, stand in the users' histories, bool [U, I].

    Items of the training catalogue stand in the order of their table rows, which begin with 1.
    """
    rows = [histories.contents]
    if is_streamer:
        rows = [data.streamer_item[streamers] for streamers in (histories.streamers, histories.preferred)]
    known = torch.zeros(len(histories.user), len(data.is_streamer) + 1, dtype=torch.bool, device=histories.user.device)
    return known.scatter_(1, torch.cat(rows, dim=1), True)[:, 1:]


def _figures(hits: Tensor, counts: Tensor) -> dict[str, float]:
    """Metrics of the users with something to find, from hits by place, [U, at most K], and how much there is, [U]."""
    some = counts > 0
    if not bool(some.any()):
        return {}
    padded = np.zeros((int(some.sum()), _K), dtype=np.bool_)
    padded[:, : hits.shape[1]] = hits[some].cpu().numpy()
    wanted = counts[some].cpu().numpy()
    return {"recall_at_20": float(recall(padded, wanted).mean()), "ndcg_at_20": float(ndcg(padded, wanted).mean())}


def _first_of_each(users: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Distinct users, the first row of each, and each row's user."""
    distinct, place = torch.unique(users, return_inverse=True)
    rows = torch.arange(len(users), device=users.device)
    first = torch.full((len(distinct),), len(users), device=users.device).scatter_reduce(0, place, rows, "amin")
    return distinct, first, place
