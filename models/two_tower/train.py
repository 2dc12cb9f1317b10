"""The train task: epochs over batches, an optimiser for tables and one for dense layers, checkpoints between epochs."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from contracts.settings import TwoTowerSettings
from models.two_tower.batches import Batch, BatchMaker, Broadcasts, Chances, Sampling, TrainingData
from models.two_tower.config import ModelConfig, TableSizes
from models.two_tower.frequencies import StreamingFrequency, counted_log_q, uncorrected_log_q
from models.two_tower.losses import batch_softmax
from models.two_tower.optimizer import Adam, RowWiseAdagrad
from models.two_tower.processes import ALONE, Processes
from models.two_tower.touched import LARGE_TABLES, touched
from models.two_tower.towers import ItemBatch, TwoTower, UserBatch

Curves = dict[str, list[float]]
_LOWEST_TEMPERATURE: Final = 0.01
"""Of a learned one: below, float32 tells fewer and fewer scores apart."""


def choose_device(wanted: str) -> torch.device:
    """`auto` takes CUDA where there is one; under torchrun each process its own."""
    kind = wanted if wanted != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(kind, int(os.environ.get("LOCAL_RANK", "0"))) if kind == "cuda" else torch.device(kind)


def use_owned_cores() -> None:
    """One CPU thread per core this process may use: a container may own fewer than the machine has."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))


def _stream(seed: int, concern: int) -> torch.Generator:
    """A generator of its own per concern, so that a new draw in one does not shift the others."""
    generator = torch.Generator()
    generator.manual_seed(seed * 1_000 + concern)
    return generator


@dataclass
class TrainTask:
    """Trains one model; `run` goes on where a checkpoint of the same inputs stopped.

    Args:
        model: The towers, freshly initialised.
        data: Examples and features.
        settings: Hyper-parameters.
        last_day: Examples of this day are held out until the final epochs, and measured before them.
        device: Where to compute.
        processes: Those that share the work: each takes its part of every batch, all end with the same weights.
        curves: Metric by name, a value per epoch.
    """

    model: TwoTower
    data: TrainingData
    settings: TwoTowerSettings
    last_day: int
    device: torch.device
    processes: Processes = ALONE
    curves: Curves = field(default_factory=dict)
    epoch: int = 0

    def __post_init__(self) -> None:
        self.model.to(self.device)
        self.data = _to_device(self.data, self.device)
        tables = self.model.embedding_tables()
        self._small = {name: table for name, table in tables.items() if name not in LARGE_TABLES}
        self._tables = RowWiseAdagrad(tables, self.settings.learning_rate)
        self._log_temperature = torch.tensor(self.settings.temperature, device=self.device).log()
        self._log_temperature.requires_grad_(self.settings.learns_temperature)
        learned = [self._log_temperature] if self.settings.learns_temperature else []
        self._dense = Adam([*self.model.dense_parameters(), *learned], self.settings.dense_learning_rate)
        self._products = {"float32": torch.float32, "bfloat16": torch.bfloat16}[self.settings.products]
        self._order = _stream(self.settings.seed, 1)
        self._chances = Chances(dropout=_stream(self.settings.seed, 2), negatives=_stream(self.settings.seed, 3))
        self._frequency = StreamingFrequency(len(self.data.item_of_draw))

    @property
    def temperature(self) -> Tensor:
        """What divides the scores, as set or as learnt so far."""
        return self._log_temperature.exp().clamp(min=_LOWEST_TEMPERATURE)

    @property
    def epochs(self) -> int:
        return self.settings.epochs + self.settings.final_epochs

    def rows_of_epoch(self, epoch: int) -> Tensor:
        """Examples of an epoch: those before the last day, and in the final epochs all; light ones are thinned out.

        An example of weight w < 1 is drawn with chance w and then counts 1: the same in expectation, for less work.
        """
        examples = self.data.examples
        chance = torch.rand(len(examples), generator=self._order)
        drawn = chance < examples.weight.cpu()
        early = drawn & (examples.day.cpu() < self.last_day)
        chosen = drawn if epoch >= self.settings.epochs or int(early.sum()) < 2 else early
        return torch.nonzero(chosen)[:, 0]

    def run(self, checkpoint: Path | None, measure: Callable[[TwoTower], dict[str, float]] | None = None) -> Curves:
        """Train to the end.

        Args:
            checkpoint: File that holds the state between epochs; one that is there is resumed.
            measure: Metrics of the held-out day, asked after each epoch that has not seen it.
        """
        if checkpoint is not None and checkpoint.is_file():
            self.restore(torch.load(checkpoint, map_location=self.device, weights_only=True))
        while self.epoch < self.epochs:
            self._note({"train_loss": self._run_epoch()})
            if self.settings.learns_temperature:
                self._note({"temperature": float(self.temperature.detach())})
            if measure is not None and self.epoch < self.settings.epochs:
                self._note(measure(self.model))
            self.epoch += 1
            if checkpoint is not None and self.processes.rank == 0:
                _save_whole(self.state(), checkpoint)
        return self.curves

    def _note(self, metrics: dict[str, float]) -> None:
        for name, value in metrics.items():
            self.curves.setdefault(name, []).append(value)

    def _run_epoch(self) -> float:
        """Mean loss over the epoch's batches."""
        self.model.train()
        losses = [self.step(batch) for batch in self._batches()]
        return float(torch.stack(losses).mean()) if losses else float("nan")

    def _batches(self) -> Iterator[Batch]:
        rows = self.rows_of_epoch(self.epoch)
        maker = BatchMaker(self.data, self._log_q(rows), Sampling.of(self.settings))
        for batch_rows in maker.epoch(rows, self.settings.batch_size, self._order):
            yield maker.make(batch_rows.to(self.device), self._chances)

    def _log_q(self, rows: Tensor) -> Callable[[Tensor, int], Tensor]:
        """From a batch's distinct draws and its size to the log of their frequencies, in an epoch of these examples."""
        if self.settings.log_q == "off":
            return lambda distinct, size: uncorrected_log_q(len(distinct), size).to(self.device)
        if self.settings.log_q == "streaming":
            return self._streamed_log_q
        counted = counted_log_q(self.data.draws.cpu()[rows], self.data.group_of_draw.cpu()).to(self.device)
        return lambda distinct, _: counted[distinct]

    def _streamed_log_q(self, distinct: Tensor, batch_size: int) -> Tensor:
        met = distinct.cpu()
        self._frequency.update(met)
        return self._frequency.log_q(batch_size)[met].to(self.device)

    def step(self, batch: Batch) -> Tensor:
        """Learn from a batch; its loss."""
        part = touched(batch, self.model)
        own = self.processes.rows(len(batch.draws.column))
        with part.in_place_of_tables(self.model):
            users, items = self.model(part.batch.users.part(own), part.batch.items)
        draws = batch.draws if self.processes.count == 1 else batch.draws.part(own)
        loss = batch_softmax(users, items, draws, self.temperature, self._products)
        leaves = [*part.values.values(), *self._small.values(), *self._dense.parameters]
        gradients = torch.autograd.grad(loss, leaves)
        whole, *summed = self.processes.summed([loss.detach(), *gradients])
        left = iter(summed)
        for name, rows in part.rows.items():
            self._tables.step(name, next(left), rows)
        for name in self._small:
            self._tables.step(name, next(left))
        self._dense.step(list(left))
        return whole

    def state(self) -> dict[str, Any]:
        """All that the next epoch depends on: tensors and plain numbers, so that loading runs no code."""
        return {
            "epoch": self.epoch,
            "curves": self.curves,
            "model": self.model.state_dict(),
            "tables": self._tables.state(),
            "dense": self._dense.state(),
            "order": self._order.get_state(),
            "dropout": self._chances.dropout.get_state(),
            "negatives": self._chances.negatives.get_state(),
            "log_temperature": self._log_temperature.detach(),
            "frequency": self._frequency.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.epoch, self.curves = state["epoch"], state["curves"]
        self.model.load_state_dict(state["model"])
        self._tables.restore(state["tables"])
        self._dense.restore(state["dense"])
        self._order.set_state(state["order"].cpu())
        self._chances.dropout.set_state(state["dropout"].cpu())
        self._chances.negatives.set_state(state["negatives"].cpu())
        with torch.no_grad():
            self._log_temperature.copy_(state["log_temperature"])
        self._frequency.restore({name: value.cpu() for name, value in state["frequency"].items()})


def fresh_model(settings: TwoTowerSettings, sizes: TableSizes) -> TwoTower:
    """A model whose first weights depend on the seed and on nothing else in the process."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed * 1_000)
        return TwoTower(ModelConfig.from_settings(settings, sizes))


def _to_device(data: TrainingData, device: torch.device) -> TrainingData:
    examples = type(data.examples)(
        *(getattr(data.examples, name).to(device) for name in data.examples.__dataclass_fields__)
    )
    histories = UserBatch(*(rows.to(device) for rows in data.histories))
    items = ItemBatch(*(rows.to(device) for rows in data.items))
    broadcasts = Broadcasts(*(rows.to(device) for rows in data.broadcasts))
    return TrainingData(
        examples,
        histories,
        items,
        data.is_streamer.to(device),
        data.streamer_item.to(device),
        broadcasts,
        published=None if data.published is None else data.published.to(device),
        skipped=None if data.skipped is None else data.skipped.to(device),
    )


def _save_whole(state: dict[str, Any], path: Path) -> None:
    """Write beside, then rename: a killed writer leaves the checkpoint before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}")
    torch.save(state, beside)
    os.replace(beside, path)
