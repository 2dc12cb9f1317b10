import subprocess
import sys
from pathlib import Path

import pytest
import torch

from models.two_tower.processes import ALONE, Processes
from tests.models.two_tower.train_together import trained
from tests.models.two_tower.worlds import World


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(world: World, tmp_path: Path) -> None:
    """torchrun with gloo: the same losses and weights but for the order of additions, the same in both processes."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    program = ["-m", "tests.models.two_tower.train_together", str(world.home), str(tmp_path)]
    done = subprocess.run(
        [sys.executable, *launcher, *program], timeout=300, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert first["count"] == 2
    alone = trained(world, ALONE).state()
    assert first["state"]["curves"]["train_loss"] == pytest.approx(alone["curves"]["train_loss"], rel=1e-4)
    assert first["state"]["curves"]["temperature"] == pytest.approx(alone["curves"]["temperature"], rel=1e-4)
    assert first["state"]["curves"]["temperature"][-1] != pytest.approx(0.1, rel=1e-4)
    for name, weights in alone["model"].items():
        assert torch.equal(first["state"]["model"][name], second["state"]["model"][name])
        assert torch.allclose(first["state"]["model"][name], weights, atol=2e-3), name


@pytest.mark.parametrize("size", [0, 1, 7, 8])
def test_parts_cover_a_batch_once(size: int) -> None:
    parts = [range(size)[Processes(rank, 3).rows(size)] for rank in range(3)]
    assert [row for part in parts for row in part] == list(range(size))
