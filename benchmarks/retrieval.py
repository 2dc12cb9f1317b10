"""Users per second of masked top-K over a catalogue, and how much of the exact lists is found.

    python -m benchmarks.retrieval [--items 200000] [--users 4096] [--count 100] [--steps 100] [--repeats 3]

The vectors are those of a model trained on Zipf-distributed interactions with topics (`benchmarks.training`). A fifth
of the items may not be shown to anybody; of the rest every user must not get the items of their history and those of
two streamers. All rankings honour both; items that are shown nevertheless count as misses.

- ours_proven: 8-bit first pass, every list proven exact or searched again; ours_near: the same without the proof;
  ours_float32: float32 throughout (`models.two_tower.search`).
- torch, numpy: products by blocks of 256 users, excluded scores at -inf, topk or argpartition: naive.
- faiss_flat, faiss_ivf, faiss_hnsw: `faiss` over the items that may be shown; it knows no exclusions per user, so it
  searches for that many more and what is excluded is dropped from its lists, outside the time.

Prints one JSON object; medians over repeats.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import faiss
import numpy as np
import torch
from torch import Tensor

from benchmarks.training import sizes_of, synthetic
from contracts.settings import TwoTowerSettings
from models.two_tower.retrieve import Retrieval
from models.two_tower.search import ItemIndex, Method
from models.two_tower.train import TrainTask, fresh_model, use_owned_cores

_BLOCK: Final = 256
_BLOCKED_STREAMERS: Final = 2
_BATCH: Final = 4_096
_DAY: Final = 20_001


@dataclass(frozen=True)
class Question:
    """Users [U, D], the items that may be shown [I, D], and pairs that may not: user * I + item, ascending, [P]."""

    users: Tensor
    items: Tensor
    excluded: Tensor
    count: int

    def excluded_of(self, start: int) -> tuple[Tensor, Tensor]:
        """Rows and items of a block of users."""
        width = len(self.items)
        first, last = torch.searchsorted(self.excluded, torch.tensor([start, start + _BLOCK]) * width).tolist()
        pairs = self.excluded[first:last] - start * width
        return pairs // width, pairs % width


def question(arguments: argparse.Namespace) -> Question:
    """Train for some steps and ask for the first users."""
    rng = np.random.default_rng(1)
    data = synthetic(arguments.items, arguments.items, _BATCH * arguments.steps, rng)
    settings = TwoTowerSettings(batch_size=_BATCH, epochs=1, final_epochs=0, device="cpu")
    task = TrainTask(fresh_model(settings, sizes_of(data, arguments.items)), data, settings, _DAY, torch.device("cpu"))
    task.run(checkpoint=None)
    retrieval = Retrieval(task.model, data.items)
    shown = torch.from_numpy(np.flatnonzero(rng.random(arguments.items) < 0.8))
    users = torch.arange(arguments.users)
    vectors = retrieval.user_vectors(data.histories, users + 1)
    place = torch.full((arguments.items + 1,), -1)
    place[shown + 1] = torch.arange(len(shown))
    owner = data.items.streamer[shown]
    by_owner = torch.argsort(owner, stable=True)
    blocked = torch.from_numpy(rng.integers(1, len(data.streamer_item), (arguments.users, _BLOCKED_STREAMERS)))
    pairs = [torch.stack([users.repeat_interleave(20), place[data.histories.contents[users]].reshape(-1)])]
    for streamers in blocked.T:
        first, last = (
            torch.searchsorted(owner[by_owner], streamers.contiguous(), right=right) for right in (False, True)
        )
        row = users.repeat_interleave(last - first)
        offset = torch.arange(len(row)) - (last - first).cumsum(0).sub(last - first).repeat_interleave(last - first)
        pairs.append(torch.stack([row, by_owner[first.repeat_interleave(last - first) + offset]]))
    row, item = torch.cat(pairs, dim=1)
    excluded = (row * len(shown) + item)[item >= 0].unique()
    return Question(vectors, retrieval.vectors[shown].clone(), excluded, arguments.count)


def by_torch(asked: Question) -> Tensor:
    """Naive."""
    lists = []
    for start in range(0, len(asked.users), _BLOCK):
        scores = asked.users[start : start + _BLOCK] @ asked.items.T
        scores[asked.excluded_of(start)] = -torch.inf
        lists.append(scores.topk(asked.count, dim=1).indices)
    return torch.cat(lists)


def by_numpy(asked: Question) -> Tensor:
    """Naive."""
    users, items, lists = asked.users.numpy(), asked.items.numpy(), []
    for start in range(0, len(users), _BLOCK):
        scores = users[start : start + _BLOCK] @ items.T
        row, item = asked.excluded_of(start)
        scores[row.numpy(), item.numpy()] = -np.inf
        best = np.argpartition(-scores, asked.count, axis=1)[:, : asked.count]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
        lists.append(np.take_along_axis(best, order, axis=1))
    return torch.from_numpy(np.concatenate(lists))


def faiss_indices(items: Tensor) -> dict[str, Any]:
    """Built beforehand: their time is not in the searches'."""
    dim, vectors = items.shape[1], items.numpy()
    flat = faiss.IndexFlatIP(dim)
    ivf = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, 1_024, faiss.METRIC_INNER_PRODUCT)
    hnsw = faiss.IndexHNSWFlat(dim, 32, faiss.METRIC_INNER_PRODUCT)
    ivf.train(vectors)
    ivf.nprobe, hnsw.hnsw.efSearch = 64, 512
    found = {"faiss_flat": flat, "faiss_ivf": ivf, "faiss_hnsw": hnsw}
    for index in found.values():
        index.add(vectors)
    return found


def kept(asked: Question, lists: Tensor) -> Tensor:
    """What is not excluded, in its order, then -1."""
    pairs = torch.arange(len(lists))[:, None] * len(asked.items) + lists
    is_out = torch.isin(pairs, asked.excluded) | (lists < 0)
    order = torch.argsort(is_out.to(torch.int8), dim=1, stable=True)[:, : asked.count]
    return torch.where(is_out.gather(1, order), -1, lists.gather(1, order))


def recall(found: Tensor, exact: Tensor) -> float:
    """Mean share of the exact list that was found."""
    shares = [torch.isin(wanted, got).double().mean() for got, wanted in zip(found, exact, strict=True)]
    return float(torch.stack(shares).mean())


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--users", type=int, default=4_096)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--steps", type=int, default=100, help="Batches of training.")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    use_owned_cores()
    asked = question(arguments)
    indices = {
        "ours_proven": ItemIndex(asked.items, Method.COARSE),
        "ours_near": ItemIndex(asked.items, Method.COARSE, is_proven=False),
        "ours_float32": ItemIndex(asked.items, Method.FLOAT),
    }
    most = int(torch.bincount(asked.excluded // len(asked.items)).max())
    searches: dict[str, Callable[[], Tensor]] = {"torch": lambda: by_torch(asked), "numpy": lambda: by_numpy(asked)}
    for name, own in indices.items():
        searches[name] = lambda own=own: own.best(asked.users, asked.count, asked.excluded).index
    for name, peer in faiss_indices(asked.items).items():
        searches[name] = lambda peer=peer: torch.from_numpy(peer.search(asked.users.numpy(), asked.count + most)[1])
    seconds: dict[str, list[float]] = {name: [] for name in searches}
    lists: dict[str, Tensor] = {}
    for number in range(arguments.repeats + 1):
        for name, search in searches.items():  # in turns, so that a busy minute of the machine hits all
            started = time.perf_counter()
            lists[name] = search()
            if number:
                seconds[name].append(time.perf_counter() - started)
    rates = {name: round(len(asked.users) / statistics.median(taken)) for name, taken in seconds.items()}
    found = {name: recall(kept(asked, rows), lists["torch"]) for name, rows in lists.items()}
    command = " ".join(["python -m benchmarks.retrieval", *sys.argv[1:]])
    result = {
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"cores": len(os.sched_getaffinity(0)), "torch": torch.__version__, "faiss": faiss.__version__},
        "items_shown": len(asked.items),
        "excluded_per_user": round(len(asked.excluded) / len(asked.users), 1),
        "users_per_second": rates,
        "recall": {name: round(value, 6) for name, value in found.items()},
        "times_torch": {name: round(rate / rates["torch"], 2) for name, rate in rates.items()},
        "seconds": {name: [round(value, 3) for value in taken] for name, taken in seconds.items()},
    }
    json.dump(result, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
