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


def measure_last_day(data: TrainingData, last_day: int, min_weight: float) -> Callable[[TwoTower], dict[str, float]]:
    """A function from a model to its metrics on the last day; nothing is measured where that day has no positive.

    Contents and streamers are ranked apart, as they are shown. What stands in the user's history is not ranked, nor
    relevant: the metric is of discoveries. An example counts as relevant from `min_weight` on.
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
    examples = data.examples.take(rows)
    is_streamer = data.is_streamer[examples.item[0]]
    users, first, place = _first_of_each(examples.user)
    histories = UserBatch(*(values[examples.features[first]] for values in data.histories))
    # Items of the training catalogue stand in the order of their table rows, which begin with 1. Streamers are visited
    # again and again, so that none is left out.
    known = histories.contents - 1 if not is_streamer else torch.full_like(histories.contents[:, :1], -1)
    relevant = torch.zeros(len(users), len(data.is_streamer) + 1, dtype=torch.bool, device=users.device)
    relevant[place, examples.item] = True
    relevant.scatter_(1, known.where(known >= 0, torch.tensor(len(data.is_streamer))), False)
    relevant = relevant[:, :-1]
    retrieval = Retrieval(model, data.items)
    vectors = retrieval.user_vectors(histories, users)
    allowed = torch.nonzero(data.is_streamer == is_streamer)[:, 0]
    row, column = torch.nonzero(known >= 0, as_tuple=True)
    return _ranked(retrieval.best(vectors, allowed, _K, (row, known[row, column])).index, relevant)


def _ranked(best: Tensor, relevant: Tensor) -> dict[str, float]:
    """Metrics of the users who have something to find."""
    some = relevant.any(dim=1)
    hits = np.zeros((int(some.sum()), _K), dtype=np.bool_)
    found = relevant[some].gather(1, best[some].clamp(min=0)) & (best[some] >= 0)
    hits[:, : best.shape[1]] = found.cpu().numpy()
    counts = relevant[some].sum(dim=1).cpu().numpy()
    if len(counts) == 0:
        return {}
    return {"recall_at_20": float(recall(hits, counts).mean()), "ndcg_at_20": float(ndcg(hits, counts).mean())}


def _first_of_each(users: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Distinct users, the first row of each, and each row's user."""
    distinct, place = torch.unique(users, return_inverse=True)
    rows = torch.arange(len(users), device=users.device)
    first = torch.full((len(distinct),), len(users), device=users.device).scatter_reduce(0, place, rows, "amin")
    return distinct, first, place
