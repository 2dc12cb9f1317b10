"""Training and retrieval on one GPU, and how near they come to what it can do.

    python -m benchmarks.gpu [--users 1000000] [--items 200000] [--batch 4096,16384] [--steps 50] [--repeats 3]

The data is that of `benchmarks.training`. Ceilings are measured in the same run: products of two square matrices in
float32, TensorFloat-32 and bfloat16, and a copy within the memory.

- training: steps on batches that are ready, per size of a batch and type of the loss's products; FLOP/s are those of
  the three products of matrices of the loss, bytes/s those of the rows that a batch touches: read, written as gradients
  and moved. Not through torch.compile: it makes the towers anew for every batch, whose tables are all of another size.
- retrieval: the best 100 of all items for 16,384 users, by groups in float32 and plainly.

Prints one JSON object, medians over repeats after one that does not count. `--device cpu` runs the same to try it.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import torch

from benchmarks.training import sizes_of, synthetic
from contracts.settings import TwoTowerSettings
from models.two_tower.batches import Batch, BatchMaker, Chances, Sampling
from models.two_tower.frequencies import counted_log_q
from models.two_tower.retrieve import Retrieval
from models.two_tower.search import ItemIndex, Method
from models.two_tower.touched import touched
from models.two_tower.train import TrainTask, fresh_model, use_owned_cores

_DAY: Final = 20_001
_COUNT: Final = 100
_FLOAT_BYTES: Final = 4
_PASSES_OVER_ROWS: Final = 5
"""Gathered, written as a gradient, read again, and the table's rows read and written."""


class Meter:
    """Seconds of work on a device: waits for it before and after."""

    def __init__(self, device: torch.device, repeats: int) -> None:
        self.device, self._repeats = device, repeats

    def seconds(self, work: Callable[[], Any]) -> float:
        """Median over repeats."""
        found = []
        for _ in range(self._repeats + 1):
            self._wait()
            started = time.perf_counter()
            work()
            self._wait()
            found.append(time.perf_counter() - started)
        return statistics.median(found[1:])

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


@contextmanager
def precision(name: str) -> Iterator[None]:
    """`highest` is float32, `high` TensorFloat-32 where there are units for it."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(name)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def ceilings(meter: Meter, side: int) -> dict[str, float]:
    """TFLOP/s of products of two square matrices, GB/s of a copy (bytes read and written)."""
    found = {}
    kinds = {
        "float32": (torch.float32, "highest"),
        "tf32": (torch.float32, "high"),
        "bfloat16": (torch.bfloat16, "highest"),
    }
    for name, (dtype, wanted) in kinds.items():
        one, other = (torch.rand(side, side, device=meter.device).to(dtype) for _ in range(2))
        out = torch.empty_like(one)
        with precision(wanted):
            seconds = meter.seconds(lambda one=one, other=other, out=out: torch.mm(one, other, out=out))
        found[f"{name}_tflops"] = 2 * side**3 / seconds / 1e12
    source = torch.empty(side * side * 4, device=meter.device)
    target = torch.empty_like(source)
    found["copy_gb_per_s"] = 2 * source.numel() * _FLOAT_BYTES / meter.seconds(lambda: target.copy_(source)) / 1e9
    return found


class Training:
    """Batches of one size on the device, and a model that learns from them."""

    def __init__(self, arguments: argparse.Namespace, size: int, products: str, device: torch.device) -> None:
        self._size = size
        settings = TwoTowerSettings(batch_size=size, device=device.type, products=products)
        data = synthetic(arguments.users, arguments.items, size * arguments.steps, np.random.default_rng(1))
        model = fresh_model(settings, sizes_of(data, arguments.users))
        self.task = TrainTask(model, data, settings, _DAY, device)
        log_q = counted_log_q(data.draws, data.group_of_draw).to(device)
        maker = BatchMaker(self.task.data, lambda draws, _: log_q[draws], Sampling.of(settings))
        chances = Chances(torch.Generator().manual_seed(1), torch.Generator().manual_seed(2))
        order = torch.Generator().manual_seed(3)
        rows = maker.epoch(torch.arange(len(data.examples)), size, order)
        self.batches: list[Batch] = [maker.make(some.to(device), chances) for some in rows]

    def measured(self, meter: Meter) -> dict[str, float]:
        """Examples, FLOP and bytes a second of a pass over the batches."""
        seconds = meter.seconds(lambda: [self.task.step(batch) for batch in self.batches])
        dim, flops, moved = self.task.settings.dim, 0, 0
        for batch in self.batches:
            flops += 3 * 2 * self._size * len(batch.draws.log_share) * dim
            rows = sum(len(of_table) for of_table in touched(batch, self.task.model).rows.values())
            moved += rows * dim * _FLOAT_BYTES * _PASSES_OVER_ROWS
        examples = self._size * len(self.batches)
        return {
            "examples_per_s": round(examples / seconds),
            "loss_tflops": flops / seconds / 1e12,
            "rows_gb_per_s": moved / seconds / 1e9,
        }


def training(arguments: argparse.Namespace, meter: Meter) -> list[dict[str, Any]]:
    """Every size of a batch, every type of products."""
    found: list[dict[str, Any]] = []
    for size in map(int, arguments.batch.split(",")):
        for products, wanted in (("float32", "highest"), ("float32", "high"), ("bfloat16", "highest")):
            run = Training(arguments, size, products, meter.device)
            name = "tf32" if wanted == "high" else products
            with precision(wanted):
                found.append({"batch": size, "products": name, **run.measured(meter)})
    return found


def retrieval(arguments: argparse.Namespace, meter: Meter) -> dict[str, Any]:
    """Users and FLOP a second of both ways to search, and the share of the plain lists that the groups find."""
    run = Training(arguments, 4_096, "float32", meter.device)
    for batch in run.batches:
        run.task.step(batch)
    found = Retrieval(run.task.model, run.task.data.items)
    asked = torch.arange(min(arguments.asked, len(run.task.data.histories.user)), device=meter.device)
    users = found.user_vectors(run.task.data.histories, asked + 1)
    result: dict[str, Any] = {}
    lists = {}
    for method in (Method.PLAIN, Method.FLOAT):
        index = ItemIndex(found.vectors, method)
        seconds = meter.seconds(lambda index=index: index.best(users, _COUNT))
        lists[method] = index.best(users, _COUNT).index
        flops = 2 * len(users) * len(found.vectors) * users.shape[1]
        result[method.value] = {"users_per_s": round(len(users) / seconds), "tflops": flops / seconds / 1e12}
    same = [torch.isin(one, other).double().mean() for one, other in zip(*lists.values(), strict=True)]
    return {**result, "recall": float(torch.stack(same).mean())}


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--batch", default="4096,16384")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--asked", type=int, default=16_384)
    parser.add_argument("--side", type=int, default=8_192)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        parser.error("no CUDA device here; --device cpu tries the same on the processor")
    use_owned_cores()
    device = torch.device(arguments.device)
    meter = Meter(device, arguments.repeats)
    result = {
        "command": " ".join(["python -m benchmarks.gpu", *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            "torch": torch.__version__,
        },
        "ceilings": ceilings(meter, arguments.side),
        "training": training(arguments, meter),
        "retrieval": retrieval(arguments, meter),
    }
    json.dump(result, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
