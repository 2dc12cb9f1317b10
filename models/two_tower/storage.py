"""A trained model as files without pickle: weights and vocabularies as plain arrays, the shape as JSON."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from contracts.item_tower import VOCABULARY_FILE
from models.two_tower.config import ModelConfig
from models.two_tower.towers import TwoTower
from models.two_tower.vocabulary import Vocabularies

FORMAT_VERSION: Final = 1
_CONFIG = "config.json"
_WEIGHTS = "weights.npz"


@dataclass(frozen=True)
class StoredModel:
    """All that scoring needs.

    Args:
        history_length: Newest items of each pooled history, as in training.
    """

    model: TwoTower
    vocabularies: Vocabularies
    history_length: int

    def save(self, folder: Path) -> None:
        """Write the three files into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        weights = {name: value.cpu().numpy() for name, value in self.model.state_dict().items()}
        np.savez(folder / _WEIGHTS, allow_pickle=False, **weights)
        np.savez(folder / VOCABULARY_FILE, allow_pickle=False, **self.vocabularies.to_arrays())
        shape = {
            "format_version": FORMAT_VERSION,
            "history_length": self.history_length,
            "model": self.model.config.to_dict(),
        }
        (folder / _CONFIG).write_text(json.dumps(shape, indent=1, sort_keys=True))

    @classmethod
    def load(cls, folder: Path) -> "StoredModel":
        """Read what `save` wrote; nothing in the files can run code."""
        shape = json.loads((folder / _CONFIG).read_text())
        if shape["format_version"] != FORMAT_VERSION:
            raise ValueError(f"{folder} is of format {shape['format_version']}, this code reads {FORMAT_VERSION}")
        model = TwoTower(ModelConfig.from_dict(shape["model"]))
        with np.load(folder / _WEIGHTS, allow_pickle=False) as weights:
            model.load_state_dict({name: torch.from_numpy(weights[name]) for name in weights.files})
        with np.load(folder / VOCABULARY_FILE, allow_pickle=False) as arrays:
            vocabularies = Vocabularies.from_arrays({name: arrays[name] for name in arrays.files})
        return cls(model, vocabularies, shape["history_length"])
