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
    """By pairs, user * I + item, [P]: no matrix of everybody and everything."""
    examples, count = data.examples.take(rows), len(data.is_streamer)
    is_streamer = bool(data.is_streamer[examples.item[0]])
    users, first, place = _first_of_each(examples.user)
    histories = UserBatch(*(values[examples.features[first]] for values in data.histories))
    known = _known(data, histories, is_streamer)
    relevant = torch.unique(place * count + examples.item)
    retrieval = Retrieval(model, data.items)
    allowed = torch.nonzero(data.is_streamer == is_streamer)[:, 0]
    excluded = None if is_streamer else (known // count, known % count)
    best = retrieval.best(retrieval.user_vectors(histories, users), allowed, _K, excluded).index
    found = torch.where(best >= 0, torch.arange(len(users), device=users.device)[:, None] * count + best, -1)
    is_known = torch.isin(relevant, known)
    groups = {"": relevant[~is_known]}
    if is_streamer:
        groups = {"": relevant, "return_": relevant[is_known], "discovery_": relevant[~is_known]}
    return {
        f"{group}{metric}": value
        for group, wanted in groups.items()
        for metric, value in _figures(
            torch.isin(found, wanted), torch.bincount(wanted // count, minlength=len(users))
        ).items()
    }


def _known(data: TrainingData, histories: UserBatch, is_streamer: bool) -> Tensor:
    """Contents, or streamers, of the users' histories as pairs, ascending, [P].

    Items of the training catalogue stand in the order of their table rows, which begin with 1.
    """
    rows = [histories.contents]
    if is_streamer:
        rows = [data.streamer_item[streamers] for streamers in (histories.streamers, histories.preferred)]
    items = torch.cat(rows, dim=1)
    user, column = torch.nonzero(items, as_tuple=True)
    return torch.unique(user * len(data.is_streamer) + items[user, column] - 1)


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
