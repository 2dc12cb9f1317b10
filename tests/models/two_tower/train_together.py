"""`torchrun -m tests.models.two_tower.train_together HOME OUT`: what test_processes trains in several processes."""

import sys
from pathlib import Path

import torch

from contracts.settings import TwoTowerSettings
from models.two_tower.data import build_training_data, build_vocabularies, day_number
from models.two_tower.inputs import read_training_inputs
from models.two_tower.processes import Processes, joined
from models.two_tower.train import TrainTask, fresh_model
from tests.models.two_tower.worlds import DAY, SMALL, World

CHANGES = {"epochs": 2, "id_dropout": 0.1, "uniform_negatives": 32, "learns_temperature": True, "batch_size": 101}


def trained(world: World, processes: Processes) -> TrainTask:
    """A run with everything that draws by chance."""
    settings = TwoTowerSettings(**{**SMALL.model_dump(), **CHANGES})
    inputs = read_training_inputs(world.settings, DAY, world.read_features)
    vocabularies = build_vocabularies(inputs)
    data = build_training_data(inputs, vocabularies, settings, "UTC")
    model = fresh_model(settings, vocabularies.sizes)
    task = TrainTask(model, data, settings, day_number(DAY), torch.device("cpu"), processes)
    task.run(checkpoint=None)
    return task


def main() -> None:
    """Every process writes what it ended with."""
    home, out = map(Path, sys.argv[1:])
    torch.set_num_threads(1)
    with joined() as processes:
        task = trained(World(home), processes)
        torch.save({"state": task.state(), "count": processes.count}, out / f"{processes.rank}.pt")


if __name__ == "__main__":
    main()
