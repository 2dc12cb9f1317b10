from pathlib import Path

import pytest
import torch

from tests.models.two_tower.worlds import World


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Tables only; tests read it and write elsewhere."""
    made = World(tmp_path_factory.mktemp("two_tower") / "home")
    made.write_catalogue()
    made.write_log()
    return made


@pytest.fixture
def empty_world(tmp_path: Path) -> World:
    return World(tmp_path / "home")


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> None:
    """Models this small lose more to waiting for a second thread than it gives."""
    torch.set_num_threads(1)
