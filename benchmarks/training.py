"""Examples per second of two-tower training, against plain PyTorch, `implicit`, and what the processor could do.

    python -m benchmarks.training [--users 1000000] [--items 200000] [--batch 4096] [--steps 40] [--repeats 3]

Interactions and histories are Zipf-distributed; towers, threads, temperature and logQ are the same for all loops.

- ours: the loss by blocks, gradients and row-wise Adagrad on the rows that a batch touches (`models.two_tower.train`);
  the products of matrices in float32, and in bfloat16.
- plain: nn.Embedding with sparse gradients, the B x N matrix in memory, `torch.optim.Adagrad`, which takes them.
- usual: the same with dense gradients and `torch.optim.Adam`.
- floor: the three products of matrices of the loss (scores, gradients of users and of items) at the rate that a product
  of two 4096 x 4096 matrices reaches on this machine.
- bpr, als: `implicit` on the same interactions, an epoch; another model, for orientation.

Prints one JSON object: medians over repeats, warmed by one; seconds of the parts of a step of ours.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import implicit
import numpy as np
import numpy.typing as npt
import scipy.sparse
import torch
from threadpoolctl import threadpool_limits

from contracts.settings import TwoTowerSettings
from models.two_tower.batches import Batch, BatchMaker, Broadcasts, Chances, Examples, Sampling, TrainingData
from models.two_tower.config import TableSizes
from models.two_tower.features import NUMERIC_FEATURES
from models.two_tower.frequencies import counted_log_q
from models.two_tower.towers import ItemBatch, TwoTower, UserBatch
from models.two_tower.train import TrainTask, fresh_model, use_owned_cores

_HISTORY: Final = 20
_STREAMERS_PER_ITEM: Final = 0.1
_TOPICS: Final = 50
_OWN_TOPIC_SHARE: Final = 0.7
_PEAK_SIDE: Final = 4_096
_DAY: Final = 20_000
Ids = npt.NDArray[np.int64]


def synthetic(users: int, items: int, examples: int, rng: np.random.Generator) -> TrainingData:
    """Examples of contents, Zipf-distributed, most of their user's topic; histories of 0 to 20 such contents."""
    streamers = round(items * _STREAMERS_PER_ITEM)
    place, topic = rng.permutation(items), rng.integers(0, _TOPICS, users)
    user = rng.permutation(users)[_zipf_ranks(rng, examples, users, 0.7)]
    rows = min(users, examples)
    of_user = user % rows
    owner = np.arange(items) % streamers
    liked = _liked(rng, np.repeat(topic[:rows], _HISTORY), items)
    history = 1 + place[liked].reshape(rows, _HISTORY)
    history[np.arange(_HISTORY) >= rng.integers(0, _HISTORY + 1, rows)[:, None]] = 0
    recent = np.where(history > 0, 1 + owner[history - 1], 0)
    category = np.empty(items, dtype=np.int64)
    category[place] = 1 + np.arange(items) % _TOPICS
    return TrainingData(
        examples=Examples(
            user=torch.from_numpy(1 + user),
            item=torch.from_numpy(place[_liked(rng, topic[of_user], items)]),
            features=torch.from_numpy(of_user),
            age=torch.from_numpy(rng.integers(0, 10, examples)),
            weight=torch.ones(examples),
            day=torch.full((examples,), _DAY),
            second=torch.zeros(examples, dtype=torch.int64),
            broadcast=torch.full((examples,), -1),
        ),
        histories=UserBatch(
            user=torch.zeros(rows, dtype=torch.int64),
            contents=torch.from_numpy(history),
            streamers=torch.from_numpy(recent),
            preferred=torch.from_numpy(np.ascontiguousarray(recent[:, ::-1])),
            segment=torch.from_numpy(rng.integers(1, 4, rows)),
            numeric=torch.from_numpy(rng.random((rows, len(NUMERIC_FEATURES)), dtype=np.float32)),
        ),
        items=ItemBatch(
            item=torch.arange(1, items + 1),
            streamer=torch.from_numpy(1 + owner),
            category=torch.from_numpy(category),
            kind=torch.ones(items, dtype=torch.int64),
            age=torch.zeros(items, dtype=torch.int64),
            duration=torch.from_numpy(rng.integers(0, 10, items)),
        ),
        is_streamer=torch.zeros(items, dtype=torch.bool),
        streamer_item=torch.zeros(streamers + 1, dtype=torch.int64),
        broadcasts=Broadcasts.none(),
    )


def _liked(rng: np.random.Generator, topic: Ids, items: int) -> Ids:
    """Ranks of contents; every `_TOPICS`-th rank is of one topic."""
    ranks = _zipf_ranks(rng, len(topic), items, 0.8)
    of_topic = np.minimum(ranks - ranks % _TOPICS + topic, items - 1)
    return np.where(rng.random(len(topic)) < _OWN_TOPIC_SHARE, of_topic, ranks)


def _zipf_ranks(rng: np.random.Generator, draws: int, count: int, exponent: float) -> Ids:
    """Ranks from 0 whose frequency falls with rank^-exponent."""
    cumulative = np.cumsum(np.arange(1, count + 1) ** -exponent)
    return np.searchsorted(cumulative, rng.random(draws) * cumulative[-1])


def sizes_of(data: TrainingData, users: int) -> TableSizes:
    """Of the tables that the data needs."""
    return TableSizes(users + 1, len(data.is_streamer) + 1, len(data.streamer_item), _TOPICS + 1)


class PlainLoop:
    """What one writes first: towers on whole tables, all scores in memory, an optimiser of torch."""

    def __init__(self, model: TwoTower, settings: TwoTowerSettings, is_sparse: bool) -> None:
        self._model, self._temperature = model, settings.temperature
        for module in model.modules():
            if isinstance(module, torch.nn.Embedding):
                module.sparse = is_sparse
        tables = list(model.embedding_tables().values())
        if is_sparse:
            dense = torch.optim.Adam(model.dense_parameters(), settings.dense_learning_rate)
            self._optimizers = [torch.optim.Adagrad(tables, settings.learning_rate), dense]
        else:
            self._optimizers = [torch.optim.Adam(model.parameters(), settings.dense_learning_rate)]

    def step(self, batch: Batch) -> None:
        users, items = self._model(batch.users, batch.items)
        scores = users @ items.T / self._temperature
        is_known = torch.zeros(scores.numel(), dtype=torch.bool).index_fill(0, batch.draws.known, True).view_as(scores)
        positive = scores.gather(1, batch.draws.column[:, None])
        negatives = (scores + batch.draws.log_share).masked_fill(is_known, -torch.inf)
        lost = negatives.scatter(1, batch.draws.column[:, None], positive).logsumexp(dim=1) - positive[:, 0]
        loss = (lost * batch.draws.weight).sum() / batch.draws.weight.sum()
        for optimizer in self._optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in self._optimizers:
            optimizer.step()


def floor_seconds(batch: int, dim: int) -> tuple[float, float]:
    """Seconds of a batch's three products at the peak, and the peak in FLOP/s."""
    one, other = torch.rand(_PEAK_SIDE, _PEAK_SIDE), torch.rand(_PEAK_SIDE, _PEAK_SIDE)
    out = torch.empty(_PEAK_SIDE, _PEAK_SIDE)
    seconds = min(_timed(lambda: torch.mm(one, other, out=out)) for _ in range(4))
    peak = 2 * _PEAK_SIDE**3 / seconds
    return 3 * 2 * batch * batch * dim / peak, peak


def _timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _rates(
    steps: Callable[[Iterator[Batch]], int], batches: Callable[[], Iterator[Batch]], repeats: int
) -> list[float]:
    """Examples per second of each repeat, after one that does not count."""
    found = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        count = steps(batches())
        found.append(count / (time.perf_counter() - started))
    return found[1:]


def main() -> None:
    """Measure every loop, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=4_096)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    use_owned_cores()
    result = measure(arguments)
    command = " ".join(["python -m benchmarks.training", *sys.argv[1:]])
    machine = {"cores": len(os.sched_getaffinity(0)), "processor": platform.processor(), "torch": torch.__version__}
    json.dump(
        {"command": command, "date": datetime.now(UTC).date().isoformat(), "machine": machine, **result}, sys.stdout
    )
    sys.stdout.write("\n")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """All loops on the same batches."""
    settings = TwoTowerSettings(batch_size=arguments.batch, device="cpu")
    data = synthetic(arguments.users, arguments.items, arguments.batch * arguments.steps, np.random.default_rng(1))
    sizes = sizes_of(data, arguments.users)
    log_q = counted_log_q(data.draws, data.group_of_draw)
    maker = BatchMaker(data, lambda distinct, _: log_q[distinct], Sampling.of(settings))

    def batches() -> Iterator[Batch]:
        order = torch.Generator().manual_seed(1)
        for rows in maker.epoch(torch.arange(len(data.examples)), settings.batch_size, order):
            yield maker.make(rows, Chances(order, order))

    def looped(step: Callable[[Batch], Any]) -> Callable[[Iterator[Batch]], int]:
        def run(some: Iterator[Batch]) -> int:
            return sum(len(batch.draws.column) for batch in some if step(batch) is None or True)

        return run

    rates: dict[str, list[float]] = {}
    for name, products in (("ours_fp32", "float32"), ("ours_bf16", "bfloat16")):
        own = settings.model_copy(update={"products": products})
        task = TrainTask(fresh_model(own, sizes), data, own, _DAY + 1, torch.device("cpu"))
        rates[name] = _rates(looped(task.step), batches, arguments.repeats)
    plain = PlainLoop(fresh_model(settings, sizes), settings, is_sparse=True)
    rates["plain_sparse"] = _rates(looped(plain.step), batches, arguments.repeats)
    usual = PlainLoop(fresh_model(settings, sizes), settings, is_sparse=False)
    few = settings.batch_size * 5
    rates["usual_dense"] = _rates(looped(usual.step), lambda: _first(batches(), few), 1)
    rates |= implicit_rates(data, arguments)
    per_step, peak = floor_seconds(arguments.batch, settings.dim)
    median = {name: round(statistics.median(found)) for name, found in rates.items()}
    return {
        "examples_per_second": median,
        "runs": {name: [round(rate) for rate in found] for name, found in rates.items()},
        "floor_examples_per_second": round(arguments.batch / per_step),
        "peak_gflops": round(peak / 1e9, 1),
        "ratios": {
            "ours_to_plain": round(median["ours_fp32"] / median["plain_sparse"], 2),
            "ours_to_usual": round(median["ours_fp32"] / median["usual_dense"], 2),
            "bf16_to_fp32": round(median["ours_bf16"] / median["ours_fp32"], 2),
            "step_to_floor": round(arguments.batch / median["ours_fp32"] / per_step, 2),
        },
    }


def _first(batches: Iterator[Batch], examples: int) -> Iterator[Batch]:
    for batch in batches:
        if examples <= 0:
            return
        examples -= len(batch.draws.column)
        yield batch


def implicit_rates(data: TrainingData, arguments: argparse.Namespace) -> dict[str, list[float]]:
    """Interactions a second of two epochs of each of `implicit`'s models."""
    user, item = data.examples.user.numpy() - 1, data.examples.item.numpy()
    ones = np.ones(len(user), dtype=np.float32)
    matrix = scipy.sparse.csr_matrix((ones, (user, item)), shape=(arguments.users, arguments.items))
    shape = {"factors": 64, "iterations": 2, "num_threads": len(os.sched_getaffinity(0)), "random_state": 1}
    with threadpool_limits(1, "blas"):  # they have threads of their own
        models = {
            "implicit_bpr": implicit.bpr.BayesianPersonalizedRanking(**shape),
            "implicit_als": implicit.als.AlternatingLeastSquares(**shape),
        }
        seconds = {name: _timed(lambda model=model: model.fit(matrix, False)) for name, model in models.items()}
    return {name: [matrix.nnz * 2 / taken] for name, taken in seconds.items()}


if __name__ == "__main__":
    main()
