"""The item tower as a program that runs without this package (`contracts.item_tower`).

Letters: N items, D dimensions.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from contracts.item_tower import INPUTS, PROGRAM_FILE, SPEC_FILE, ItemTowerSpec
from models.two_tower.features import AGE_EDGES_HOURS, DURATION_EDGES_SECONDS, KINDS, NO_TIME, US_PER_HOUR
from models.two_tower.storage import StoredModel
from models.two_tower.towers import ItemBatch, ItemTower

_EXAMPLE_ITEMS = 2
"""Of the traced call: a batch of one would be taken for a constant."""


class ItemProgram(nn.Module):
    """The tower with the buckets of age and length inside, so that no reader has to know their edges."""

    def __init__(self, tower: ItemTower) -> None:
        super().__init__()
        self._tower = tower
        self.register_buffer("_age_edges", torch.tensor(AGE_EDGES_HOURS) * US_PER_HOUR)
        self.register_buffer("_duration_edges", torch.tensor(DURATION_EDGES_SECONDS, dtype=torch.float64))
        self._age_edges: Tensor
        self._duration_edges: Tensor

    def forward(  # noqa: PLR0913, PLR0917  the inputs of the contract, by position
        self,
        item: Tensor,
        streamer: Tensor,
        category: Tensor,
        kind: Tensor,
        published_us: Tensor,
        duration_seconds: Tensor,
        at_us: Tensor,
    ) -> Tensor:
        """Unit vectors, float32 [N, D]; the inputs are `contracts.item_tower.INPUTS`."""
        is_dated = published_us != NO_TIME
        age = torch.bucketize(at_us - torch.where(is_dated, published_us, at_us), self._age_edges, right=True)
        is_measured = ~duration_seconds.isnan()
        duration = torch.bucketize(duration_seconds.nan_to_num(0.0), self._duration_edges, right=True)
        unit: Tensor = self._tower(ItemBatch(item, streamer, category, kind, age * is_dated, duration * is_measured))
        return unit


def export_items(stored: StoredModel, folder: Path) -> None:
    """Write the program and its spec into the folder of a stored model, whose vocabularies it shares."""
    config = stored.model.config
    tower = ItemTower(config)
    tower.load_state_dict({name: values.cpu() for name, values in stored.model.items.state_dict().items()})
    kinds = [torch.float64 if name == "duration_seconds" else torch.int64 for name in INPUTS]
    # A tensor each: one that stands for two inputs is traced as one input.
    example = tuple(torch.zeros(_EXAMPLE_ITEMS, dtype=kind) for kind in kinds)
    count = torch.export.Dim("items", min=0)
    shapes = tuple({0: count} for _ in INPUTS)
    program = torch.export.export(ItemProgram(tower).eval(), example, dynamic_shapes=shapes)
    program.example_inputs = None  # they alone would be stored as a pickle
    torch.export.save(program, folder / PROGRAM_FILE)
    (folder / SPEC_FILE).write_text(ItemTowerSpec(config.dim, tuple(map(str, KINDS))).to_json())
