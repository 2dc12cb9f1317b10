"""The item tower as a model's registration left it (`contracts.item_tower`). Letters: N contents, D dimensions."""

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from contracts.errors import ItemTowerError
from contracts.item_tower import (
    CATEGORIES,
    CONTENTS,
    INPUTS,
    NO_TIME,
    PROGRAM_FILE,
    SPEC_FILE,
    STREAMERS,
    VOCABULARY_FILE,
    ItemTowerSpec,
)
from contracts.packed_vector import FloatArray
from serving.fresh.item import Description

Values = npt.NDArray[Any]
_UNKNOWN: Final = 0


@dataclass(frozen=True)
class ItemProgram:
    """A registered model's item tower.

    Args:
        vocabularies: Sorted values by name; the row of `values[i]` is i + 1.
        run: The exported program.
    """

    version: str
    spec: ItemTowerSpec
    vocabularies: dict[str, Values]
    run: Callable[..., torch.Tensor]

    @classmethod
    def load(cls, folder: Path, version: str) -> "ItemProgram":
        """Read the three files; nothing in them can run code.

        Raises:
            ItemTowerError: one is missing, corrupt or of another format.
        """
        try:
            spec = ItemTowerSpec.from_json((folder / SPEC_FILE).read_text())
            with np.load(folder / VOCABULARY_FILE, allow_pickle=False) as arrays:
                vocabularies = {name: arrays[name] for name in (CONTENTS, STREAMERS, CATEGORIES)}
            return cls(version, spec, vocabularies, _program(folder / PROGRAM_FILE))
        except (OSError, EOFError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile) as error:
            raise ItemTowerError(
                f"the item tower of model version {version} cannot be read ({error!r}); train and register it again"
            ) from error

    def embed(self, contents: Sequence[tuple[int, Description]], at: float) -> FloatArray:
        """Unit vectors [N, D] of contents (id and what is known) at a moment, unix seconds.

        A content, streamer or category that training has not met is row 0, as in training.
        """
        described = [description for _, description in contents]
        columns: dict[str, Values] = {
            "item": self._rows(CONTENTS, np.array([content for content, _ in contents], np.int64)),
            "streamer": self._rows(STREAMERS, np.array([d.streamer_id for d in described], np.int64)),
            "category": self._rows(CATEGORIES, np.array([d.category or "" for d in described], np.str_)),
            "kind": np.array([self._kind(d.kind) for d in described], np.int64),
            "published_us": np.array([_microseconds(d.published_at) for d in described], np.int64),
            "duration_seconds": np.array([_length(d.duration_seconds) for d in described], np.float64),
            "at_us": np.full(len(described), _microseconds(at), np.int64),
        }
        with torch.inference_mode():
            vectors: FloatArray = self.run(*(torch.from_numpy(columns[name]) for name in INPUTS)).numpy()
        return vectors

    def _rows(self, name: str, wanted: Values) -> Values:
        values = self.vocabularies[name]
        if len(values) == 0:
            return np.zeros(len(wanted), np.int64)
        places = np.searchsorted(values, wanted).clip(max=len(values) - 1)
        return np.where(values[places] == wanted, places + 1, _UNKNOWN).astype(np.int64)

    def _kind(self, kind: str) -> int:
        return self.spec.kinds.index(kind) + 1 if kind in self.spec.kinds else _UNKNOWN


def _program(path: Path) -> Callable[..., torch.Tensor]:
    """Raises ItemTowerError when the file would have Python objects built out of it: they could be anything."""
    with zipfile.ZipFile(path) as archive:
        configs = [archive.read(name) for name in archive.namelist() if name.endswith("_config.json")]
    if any(b'"use_pickle": true' in config for config in configs):
        raise ItemTowerError(f"{path.name} holds pickled objects, which are never loaded; register the model again")
    program: Callable[..., torch.Tensor] = torch.export.load(path).module()
    return program


def _microseconds(seconds: float | None) -> int:
    return NO_TIME if seconds is None else round(seconds * 1_000_000)


def _length(seconds: float | None) -> float:
    return float("nan") if seconds is None else seconds
