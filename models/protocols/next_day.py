"""Next day on KuaiRand: a model of everything before a day, judged by the day's long views over the whole catalogue.

Mode `new`: what a user was shown before leaves their list and what is to be found. Mode `all`: nothing is filtered.
Users without an earlier long view get recent popularity, which every ranking knows.

Letters: U users, I videos, P pairs.
"""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from scipy.sparse import csr_array, csr_matrix
from torch import Tensor

from contracts.names import ItemKind
from contracts.settings import TwoTowerSettings
from models.linear.ease import ease
from models.linear.interactions import Floats, Ids, interactions
from models.linear.neighbours import item_neighbours
from models.protocols.kuairand import Known, KuaiRand, known_before, read_kuairand, watched_long
from models.protocols.ranking import NDCG, RECALL, Scores, Task, blend, judge, over_seeds, same_for_all
from models.protocols.towers import histories, plain_data, two_tower
from models.two_tower.batches import TrainingData
from models.two_tower.features import KINDS, duration_buckets
from models.two_tower.train import use_owned_cores

NEW: Final = "new"
ALL: Final = "all"
SETTINGS: Final = TwoTowerSettings(epochs=1, final_epochs=0, earlier_plain_weight=1.0, log_q="off", temperature=0.14)
"""Batches are not corrected: the popularity of the weeks that are learnt from is left out of the scores, and the recent
one takes its place."""
TOWERS_WEIGHT, LINEAR_WEIGHT, POPULARITY_WEIGHT = 1.0, 0.05, 0.6
"""Of standard scores; chosen, as the settings are, on 27 and 28 April."""
_RECENCY: Final = 0.3
"""A view counts (later views + 1)^-0.3 when the linear model scores."""
_REGULARIZATION: Final = 100.0
_NEIGHBOURS: Final = 500
_POPULARITY_BESIDE: Final = {"item_knn": 1.2, "ease": 2.0, "als": 0.5}
"""Of the baselines' blends with recent popularity: the best on 28 April of those tried."""

Figures = dict[str, float]


@dataclass(frozen=True)
class Day:
    """A day to be foreseen.

    Args:
        known: What is known when it begins.
        exposed: What each known pair is worth where all count alike, [all users, I].
        long: The same of pairs watched long.
        tasks: By mode.
    """

    known: Known
    exposed: csr_array
    long: csr_array
    tasks: dict[str, Task]

    @classmethod
    def of(cls, log: KuaiRand, day: date) -> "Day":
        known, shape = known_before(log, day), (log.users, log.items)
        exposed = interactions(known.user, known.item, 1.0, shape)
        long = interactions(known.user[known.is_long], known.item[known.is_long], 1.0, shape)
        wanted = interactions(*watched_long(log, day), 1.0, shape)
        unseen = csr_array(wanted - wanted.multiply(exposed))
        unseen.eliminate_zeros()
        return cls(known, exposed, long, {NEW: Task(exposed, unseen), ALL: Task(None, wanted)})

    def judged(self, scores: Scores) -> dict[str, Figures]:
        return {mode: judge(scores, task) for mode, task in self.tasks.items()}

    def popular(self) -> Scores:
        """The logarithm of recent popularity, the same for everybody."""
        return same_for_all(np.log1p(self.known.popularity))

    def or_popular(self, scores: Scores) -> Scores:
        """Recent popularity for users without a long view."""
        has_long = torch.from_numpy(np.diff(self.long.indptr) > 0)
        popular = self.popular()

        def found(users: Ids) -> Tensor:
            return torch.where(has_long[users][:, None], scores(users), popular(users))

        return found


def linear(rows: csr_array, weights: Tensor) -> Scores:
    """Users' rows [all users, I] times weights between items [I, I]."""
    matrix: Floats = weights.numpy()
    return lambda users: torch.from_numpy(np.asarray(rows[users] @ matrix, dtype=np.float32))


def baselines(day: Day) -> dict[str, Scores]:
    """What is known to be hard to beat, alone and with recent popularity."""
    popular, long = day.popular(), day.long
    models = {
        "item_knn": linear(long, item_neighbours(long, _NEIGHBOURS)),
        "ease": linear(long, ease(long, _REGULARIZATION)),
    }
    if find_spec("implicit") is not None:  # of the extra `dev`
        models["als"] = _als(long)
    blends = {name: blend([(scores, 1.0), (popular, _POPULARITY_BESIDE[name])]) for name, scores in models.items()}
    return {
        "popularity_history": same_for_all(day.known.history),
        "popularity_last_day": same_for_all(day.known.last_day),
        "popularity_recent": popular,
        **{name: day.or_popular(scores) for name, scores in models.items()},
        **{f"{name}_popular": day.or_popular(scores) for name, scores in blends.items()},
    }


def _als(long: csr_array) -> Scores:
    """Matrix factorisation by `implicit`."""
    from implicit.als import AlternatingLeastSquares  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    with threadpool_limits(1, "blas"):  # it has threads of its own
        model = AlternatingLeastSquares(factors=64, regularization=10, alpha=10, iterations=15, random_state=0)
        model.fit(csr_matrix(long), show_progress=False)
    users, items = (torch.from_numpy(np.array(factors)) for factors in (model.user_factors, model.item_factors))

    def scores(asked: Ids) -> Tensor:
        return users[torch.from_numpy(asked)] @ items.T

    return scores


def training_data(log: KuaiRand, known: Known, settings: TwoTowerSettings) -> TrainingData:
    """Every known pair as an example; its history is what the user was shown beside it, newest first."""
    weight = np.where(known.is_long, settings.earlier_weight, settings.earlier_plain_weight)
    data = plain_data(
        (known.user, known.item, weight),
        histories(known.user, known.item, log.users, settings.history_length),
        log.items,
    )
    items = data.items._replace(
        category=torch.from_numpy(log.category + 1),
        kind=torch.full((log.items,), KINDS.index(ItemKind.CLIP) + 1),
        duration=torch.from_numpy(duration_buckets(log.duration)),
    )
    return replace(data, items=items)


def rankings(log: KuaiRand, day: Day, settings: TwoTowerSettings, item_weights: Tensor) -> dict[str, Scores]:
    """Of one seed: the towers alone, with recent popularity, and with the linear model beside."""
    towers = two_tower(training_data(log, day.known, settings), settings, categories=int(log.category.max()) + 2)
    recency = (day.known.age + 1.0) ** -_RECENCY
    rows = interactions(day.known.user, day.known.item, recency, (log.users, log.items))
    popular = day.popular()
    return {
        "two_tower": towers,
        "two_tower_popular": blend([(towers, TOWERS_WEIGHT), (popular, POPULARITY_WEIGHT)]),
        "fused": blend(
            [(towers, TOWERS_WEIGHT), (linear(rows, item_weights), LINEAR_WEIGHT), (popular, POPULARITY_WEIGHT)]
        ),
    }


def report(folder: Path, days: Sequence[date], seeds: int) -> dict[str, Any]:
    """Figures per day, mode and model; on top those of the fused ranking, means over days.

    Raises:
        LogFormatError: the folder is not KuaiRand's, or a day has no row.
    """
    use_owned_cores()
    started = time.perf_counter()
    log = read_kuairand(folder)
    per_day = {f"{day}": _of_day(log, day, seeds) for day in days}
    return {
        **{mode: _overall([figures[mode]["fused"] for figures in per_day.values()]) for mode in (NEW, ALL)},
        "per_day": per_day,
        "seconds": round(time.perf_counter() - started, 1),
        "settings": {
            **SETTINGS.model_dump(exclude={"seed"}),
            "blend": {"two_tower": TOWERS_WEIGHT, "linear": LINEAR_WEIGHT, "popularity": POPULARITY_WEIGHT},
        },
    }


def _of_day(log: KuaiRand, day: date, seeds: int) -> dict[str, dict[str, Any]]:
    """By mode and model."""
    of_day = Day.of(log, day)
    found: dict[str, dict[str, Any]] = {mode: {} for mode in of_day.tasks}
    for name, scores in baselines(of_day).items():
        for mode, figures in of_day.judged(scores).items():
            found[mode][name] = figures
    item_weights = ease(of_day.exposed, _REGULARIZATION)
    runs = [
        {name: of_day.judged(scores) for name, scores in rankings(log, of_day, settings, item_weights).items()}
        for settings in (SETTINGS.model_copy(update={"seed": seed}) for seed in range(seeds))
    ]
    for mode, of_mode in found.items():
        of_mode |= {name: over_seeds([run[name][mode] for run in runs]) for name in runs[0]}
    return found


def _overall(days: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    means = {name: statistics.fmean(day[name] for day in days) for name in (RECALL, NDCG)}
    return {**means, "spread": {name: max(day["spread"][name] for day in days) for name in means}}
