"""Who is visited next among those who are live: the protocol of LiveRec, on any log.

For every visit of the last day all streamers who were live when it began are ranked; reported for all visits, for
returns (to a streamer visited before) and for discoveries. Learnt from the days before; the weight of the repeat score
is chosen on the day before the last one by a model of the days before that. Reference: Rappaz, McAuley and Aberer,
"Recommendation on live-streaming platforms: dynamic availability and repeat consumption", RecSys 2021.

Letters: V visits, S streamers.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from contracts.names import ItemKind
from contracts.settings import TwoTowerSettings
from models.linear.interactions import Ids
from models.protocols.live_log import LiveLog
from models.protocols.ranking import added, same_for_all
from models.two_tower.batches import Broadcasts, Examples, TrainingData, user_batch
from models.two_tower.config import TableSizes
from models.two_tower.features import KINDS, NUMERIC_FEATURES
from models.two_tower.retrieve import Retrieval
from models.two_tower.towers import ItemBatch, UserBatch
from models.two_tower.train import TrainTask, choose_device, fresh_model, use_owned_cores

HIT: Final = "hit_at_1"
NDCG: Final = "ndcg_at_10"
SETTINGS: Final = TwoTowerSettings(epochs=3, final_epochs=0)
"""As the daily model's, but for the passes: it has the last days to learn from only once."""
REPEAT_WEIGHTS: Final = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Of the repeat score beside logits."""
_PLACES: Final = 10
_BLOCK: Final = 1 << 24
_SECONDS_PER_DAY: Final = 86_400
_HALF_LIFE_DAYS: Final = 7.0
VisitScores = Callable[[Ids], Tensor]
"""From visits [V] to what each streamer is worth when they begin, [V, S]."""


def judge(scores: VisitScores, log: LiveLog, day: int) -> dict[str, dict[str, float]]:
    """Hit@1 and NDCG@10 of a day's visits: all, returns and discoveries; of equal scores half come before."""
    visits = np.flatnonzero(log.day == day)
    visits = visits[np.argsort(log.second[visits], kind="stable")]
    ranks = np.concatenate(
        [_ranks(scores, log, block) for block in np.array_split(visits, 1 + len(visits) * log.streamers // _BLOCK)]
    )
    is_return = log.is_return()[visits]
    groups = {"all": np.ones(len(visits), dtype=np.bool_), "return": is_return, "new": ~is_return}
    return {name: _figures(ranks[chosen]) for name, chosen in groups.items()}


def _ranks(scores: VisitScores, log: LiveLog, visits: Ids) -> Ids:
    """Rank of each visit's streamer among the live, from 1."""
    found = scores(visits).masked_fill(~torch.from_numpy(log.live_at(log.second[visits])), -torch.inf)
    own = found.gather(1, torch.from_numpy(log.streamer[visits])[:, None])
    return (1 + (found > own).sum(dim=1) + ((found == own).sum(dim=1) - 1) // 2).numpy()


def _figures(ranks: Ids) -> dict[str, float]:
    if len(ranks) == 0:
        return {"visits": 0}
    gain = np.where(ranks <= _PLACES, 1 / np.log2(ranks + 1), 0.0)
    return {"visits": len(ranks), HIT: float((ranks == 1).mean()), NDCG: float(gain.mean())}


def popularity(log: LiveLog, before: int) -> VisitScores:
    """Visits of the days before, the same for everybody."""
    return same_for_all(np.bincount(log.streamer[log.day < before], minlength=log.streamers))


def repeat(log: LiveLog) -> VisitScores:
    """log(1 + the user's earlier visits to the streamer, halved for every week since): 0 where there was none."""

    def scores(visits: Ids) -> Tensor:
        row, earlier = log.before(visits)
        days = (log.second[visits][row] - log.second[earlier]) / _SECONDS_PER_DAY
        cell, worth = row * log.streamers + log.streamer[earlier], 0.5 ** (days / _HALF_LIFE_DAYS)
        matrix = np.bincount(cell, weights=worth, minlength=len(visits) * log.streamers)
        return torch.from_numpy(np.log1p(matrix).astype(np.float32)).view(len(visits), log.streamers)

    return scores


@dataclass(frozen=True)
class Towers:
    """The two-tower model of the visits before a day; histories are those of the moment of each visit.

    Args:
        before: The day, since 1970.
        is_available: Whether only streams that were live are negatives; else a streamer is always on.
    """

    log: LiveLog
    settings: TwoTowerSettings
    before: int
    is_available: bool = True

    def scores(self) -> VisitScores:
        """Train; logits, so that a repeat score has a scale to stand beside."""
        data, log = self._data(), self.log
        sizes = TableSizes(users=log.users + 1, items=log.streamers + 1, streamers=log.streamers + 1, categories=1)
        device = choose_device(self.settings.device)
        task = TrainTask(fresh_model(self.settings, sizes), data, self.settings, self.before, device)
        task.run(checkpoint=None)
        retrieval = Retrieval(task.model, task.data.items)

        temperature = float(task.temperature.detach())

        def found(visits: Ids) -> Tensor:
            rows = torch.from_numpy(visits).to(device)
            users = user_batch(task.data.histories, rows, task.data.histories.user[rows])
            vectors = retrieval.user_vectors(users, users.user)
            return (vectors @ retrieval.vectors.T).cpu() / temperature

        return found

    def _data(self) -> TrainingData:
        """Histories have a row for every visit of the log, examples are those before the day."""
        log = self.log
        learnt = np.flatnonzero(log.day < self.before)
        rows = torch.from_numpy(learnt)
        always = np.full(log.streamers, log.second.max() + 1)
        airtimes = (log.owner, log.begin, log.end)
        airtimes = airtimes if self.is_available else (np.arange(log.streamers), np.zeros_like(always), always)
        nothing, no_item = torch.zeros(len(log), 1, dtype=torch.int64), torch.zeros(log.streamers, dtype=torch.int64)
        own = torch.arange(1, log.streamers + 1)
        return TrainingData(
            examples=Examples(
                user=torch.from_numpy(1 + log.user[learnt]),
                item=torch.from_numpy(log.streamer[learnt]),
                features=rows,
                age=torch.zeros_like(rows),
                weight=torch.ones(len(learnt)),
                day=torch.from_numpy(log.day[learnt]),
                second=torch.from_numpy(log.second[learnt]),
                broadcast=torch.from_numpy((log.broadcast if self.is_available else log.streamer)[learnt]),
            ),
            histories=UserBatch(
                user=torch.from_numpy(1 + log.user),
                contents=nothing,
                streamers=torch.from_numpy(log.histories(self.settings.history_length)),
                preferred=nothing,
                segment=nothing[:, 0],
                numeric=torch.zeros(len(log), len(NUMERIC_FEATURES)),
            ),
            items=ItemBatch(own, own, no_item, no_item + KINDS.index(ItemKind.STREAMER) + 1, no_item, no_item),
            is_streamer=torch.ones(log.streamers, dtype=torch.bool),
            streamer_item=torch.arange(log.streamers + 1),
            broadcasts=Broadcasts(*(torch.from_numpy(values) for values in airtimes)),
        )


def report(log: LiveLog, two_tower: TwoTowerSettings) -> dict[str, Any]:
    """Figures of every ranking on the last day of a log of three days or more."""
    use_owned_cores()
    started = time.perf_counter()
    last = int(log.day.max())
    popular, repeated = popularity(log, last), repeat(log)
    tuned, towers = (Towers(log, two_tower, before).scores() for before in (last - 1, last))
    ndcgs = {weight: judge(added(tuned, repeated, weight), log, last - 1)["all"][NDCG] for weight in REPEAT_WEIGHTS}
    weight = max(ndcgs, key=ndcgs.__getitem__)
    most = float(np.bincount(log.streamer).max())
    rankings = {
        "popularity": popular,
        "repeat": added(repeated, popular, 1e-6 / most),  # popularity tells those apart that were never visited
        "two_tower_without_availability": Towers(log, two_tower, last, is_available=False).scores(),
        "two_tower": towers,
        "two_tower_repeat": added(towers, repeated, weight),
    }
    return {
        **{name: judge(scores, log, last) for name, scores in rankings.items()},
        "repeat_weight": weight,
        "users": log.users,
        "streamers": log.streamers,
        "visits": len(log),
        "seconds": round(time.perf_counter() - started, 1),
        "settings": two_tower.model_dump(),
    }
