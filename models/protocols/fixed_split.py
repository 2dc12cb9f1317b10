"""A fixed split of users and items, full ranking: how published models are compared.

A user's history is their training items, a target left out of its own; nothing else is known of users and items. Train
items are masked, recall@20 divides by the number of the user's test items, NDCG@20's ideal has min(20, test items)
hits; means over the users with a test item. Letters: U users, I items, E pairs.
"""

import gzip
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from scipy.sparse import csr_array

from contracts.errors import LogFormatError
from contracts.settings import TwoTowerSettings
from models.linear.interactions import Ids, interactions
from models.linear.spectral import SpectralFilter
from models.protocols.ranking import K, Scores, Task, added, blend, judge, over_seeds, same_for_all
from models.protocols.towers import histories, plain_data, two_tower
from models.two_tower.train import use_owned_cores

SETTINGS: Final = TwoTowerSettings(batch_size=4_096, epochs=16, final_epochs=0, history_length=100, log_q="off")
POPULARITY_WEIGHT: Final = 0.9
"""Of the logarithm of an item's training pairs, in logits. Scores learnt from uncorrected batches say how much more a
user likes an item than others do: without it they are no ranking. Below 1, because what was learnt of few pairs by
heart is believed less for it."""
LINEAR_WEIGHT: Final = 0.1
"""Of the linear model's standard scores beside the towers'. All chosen on a `held_out` part of Gowalla's training."""
SPECTRAL_RANK: Final = 256
SPECTRAL_WEIGHT: Final = 0.3
"""As published for Gowalla (GF-CF)."""
_HELD_OUT_SHARE: Final = 0.2


@dataclass(frozen=True)
class Pairs:
    """Who met what, by user.

    Args:
        user, item: ids, ascending by user, [E] each.
    """

    user: Ids
    item: Ids

    def __len__(self) -> int:
        return len(self.user)

    def where(self, keep: np.ndarray[Any, np.dtype[np.bool_]]) -> "Pairs":
        return Pairs(self.user[keep], self.item[keep])


@dataclass(frozen=True)
class Split:
    """What is learnt from and what is to be found."""

    train: Pairs
    test: Pairs

    @property
    def users(self) -> int:
        return 1 + int(max(self.train.user.max(), self.test.user.max()))

    @property
    def items(self) -> int:
        return 1 + int(max(self.train.item.max(), self.test.item.max()))

    def matrix(self, pairs: Pairs) -> csr_array:
        return interactions(pairs.user, pairs.item, 1.0, (self.users, self.items))

    def task(self) -> Task:
        """Training items are masked, test items are to be found."""
        return Task(masked=self.matrix(self.train), relevant=self.matrix(self.test))


def read_pairs(path: Path) -> Pairs:
    """Lines `user item item ...` of whole numbers, plain or gzip; a pair that stands twice counts once.

    Raises:
        LogFormatError: a line is something else, or there is no pair.
    """
    users, items = [], []
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        for number, line in enumerate(lines, start=1):
            try:
                user, *found = np.array(line.split(), dtype=np.int64)
            except ValueError as error:
                raise LogFormatError(f"{path}, line {number}: expected `user item item ...`, whole numbers") from error
            items.append(np.unique(np.array(found, dtype=np.int64)))
            users.append(np.full(len(items[-1]), user))
    if not users or not sum(map(len, items)):
        raise LogFormatError(f"{path} holds no pair of user and item")
    user, item = np.concatenate(users), np.concatenate(items)
    order = np.argsort(user, kind="stable")
    return Pairs(user[order], item[order])


def held_out(train: Pairs, seed: int) -> Split:
    """A split of the training pairs alone, for choosing settings: a fifth of each user's items, at least one, of every
    user with three or more. One item each chose badly: a history that lacks only its target is what training shows."""
    by_chance = np.lexsort((np.random.default_rng(seed).random(len(train)), train.user))
    shuffled = Pairs(train.user, train.item[by_chance])  # pairs stand by user
    _, first, row, counts = np.unique(train.user, return_index=True, return_inverse=True, return_counts=True)
    wanted = np.where(counts > 2, np.maximum(1, np.rint(counts * _HELD_OUT_SHARE)), 0)
    is_test = np.arange(len(train)) - first[row] < wanted[row]
    return Split(shuffled.where(~is_test), shuffled.where(is_test))


def towers(split: Split, settings: TwoTowerSettings) -> Scores:
    """The two-tower model of the split's training pairs and how often each item was met: every pair an example, its
    history all the others, at most `history_length` of them by chance."""
    train = split.train
    order = np.lexsort((np.random.default_rng(0).random(len(train)), train.user))
    contents = histories(train.user[order], train.item[order], split.users, settings.history_length)
    ones = np.ones(len(train), dtype=np.float32)
    learnt = two_tower(plain_data((train.user, train.item, ones), contents, split.items), settings)
    return added(learnt, popularity(split), POPULARITY_WEIGHT * settings.temperature)


def popularity(split: Split) -> Scores:
    """The logarithm of how many users met each item in training, the same for everybody."""
    return same_for_all(np.log1p(np.bincount(split.train.item, minlength=split.items)))


def spectral(met: csr_array) -> Scores:
    """The linear model of the same training pairs, [U, I]."""
    rank = min(SPECTRAL_RANK, min(met.shape) - 1)
    found = SpectralFilter.of(met, rank, SPECTRAL_WEIGHT)
    return lambda users: torch.from_numpy(found.scores(met[users]))


def popularity_shift(split: Split) -> float:
    """Test pairs per training pair of the twenty most met items, over that of all items: 1 where test pairs were drawn
    as training pairs were, more where what is popular was held back."""
    train, test = (np.bincount(pairs.item, minlength=split.items) for pairs in (split.train, split.test))
    top = np.argsort(-train, kind="stable")[:K]
    return float(test[top].sum() / train[top].sum() / (test.sum() / train.sum()))


def report(train: Path, test: Path | None, dim: int, seeds: int) -> dict[str, Any]:
    """Figures of the towers alone, of the linear model, and of both fused, which stand on top; means over seeds.

    Args:
        test: None judges by a held-out part of `train`: for choosing settings.

    Raises:
        LogFormatError: one of the files is no such split.
    """
    use_owned_cores()
    started = time.perf_counter()
    pairs = read_pairs(train)
    split = held_out(pairs, seed=0) if test is None else Split(pairs, read_pairs(test))
    settings, task = SETTINGS.model_copy(update={"dim": dim}), split.task()
    linear = spectral(split.matrix(split.train))
    runs: dict[str, list[dict[str, float]]] = {"two_tower": [], "fused": []}
    for seed in range(seeds):
        learnt = towers(split, settings.model_copy(update={"seed": seed}))
        runs["two_tower"].append(judge(learnt, task))
        runs["fused"].append(judge(blend([(learnt, 1.0), (linear, LINEAR_WEIGHT)]), task))
    models = {name: over_seeds(found) for name, found in runs.items()}
    return {
        **models["fused"],
        **models,
        "linear": judge(linear, task),
        "popularity": judge(popularity(split), task),
        "popularity_shift": popularity_shift(split),
        "runs": runs,
        "seconds": round(time.perf_counter() - started, 1),
        "settings": {
            **settings.model_dump(exclude={"seed"}),
            "popularity_weight": POPULARITY_WEIGHT,
            "spectral_rank": SPECTRAL_RANK,
            "spectral_weight": SPECTRAL_WEIGHT,
            "linear_weight": LINEAR_WEIGHT,
        },
    }
