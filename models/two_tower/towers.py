"""The model: a user tower and an item tower into one space of unit vectors.

Letters: B users or examples, N items, D dimensions, H history length, F numeric features.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.two_tower.config import SPARSE_ABOVE_ROWS, SPARSE_USERS_ABOVE_ROWS, ModelConfig
from models.two_tower.features import AGE_BUCKETS, DURATION_BUCKETS, KINDS, NUMERIC_FEATURES, SEGMENTS

_INITIAL_SCALE = 0.1
_SIDE_WEIGHT = 0.1
"""Share of segment and numeric features: they move all of a kind of user alike."""


class ItemBatch(NamedTuple):
    """Rows of N items, each int64 [N]; row 0 is unknown everywhere."""

    item: Tensor
    streamer: Tensor
    category: Tensor
    kind: Tensor
    age: Tensor
    duration: Tensor


class UserBatch(NamedTuple):
    """Rows of B users.

    Args:
        user: int64 [B].
        contents: Item rows of the content history, int64 [B, H], 0 where there is none.
        streamers: Streamer rows of recent streamers, int64 [B, H], 0 where there is none.
        preferred: Streamer rows of preferred streamers, int64 [B, H], 0 where there is none.
        segment: int64 [B].
        numeric: float32 [B, F].
    """

    user: Tensor
    contents: Tensor
    streamers: Tensor
    preferred: Tensor
    segment: Tensor
    numeric: Tensor


def _table(rows: int, dim: int, sparse_above: int = SPARSE_ABOVE_ROWS) -> nn.Embedding:
    table = nn.Embedding(rows, dim, sparse=rows > sparse_above)
    nn.init.normal_(table.weight, std=_INITIAL_SCALE)
    return table


class ItemTower(nn.Module):
    """Sum of the embeddings of id, streamer, category, kind, age and length: without an id the rest still speaks."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.item = _table(config.sizes.items, config.dim)
        self.streamer = _table(config.sizes.streamers, config.dim)
        self.category = _table(config.sizes.categories, config.dim)
        self.kind = _table(len(KINDS) + 1, config.dim)
        self.age = _table(AGE_BUCKETS, config.dim)
        self.duration = _table(DURATION_BUCKETS, config.dim)

    def forward(self, items: ItemBatch) -> Tensor:
        """Unit vectors, float32 [N, D]."""
        who = self.item(items.item) + self.streamer(items.streamer)
        what = self.category(items.category) + self.kind(items.kind) + self.age(items.age)
        return functional.normalize(who + what + self.duration(items.duration), dim=-1)


class UserTower(nn.Module):
    """Pooled history, id and a small network over numbers. Histories are pooled from the item tower's tables."""

    def __init__(self, config: ModelConfig, items: ItemTower) -> None:
        super().__init__()
        self._items = (items,)  # a tuple, so that the shared tables are registered once, under the item tower
        self._config = config
        self.user = _table(config.sizes.users, config.dim, SPARSE_USERS_ABOVE_ROWS)
        self.segment = _table(len(SEGMENTS) + 1, config.dim)
        self.history = nn.Linear(config.dim, config.dim, bias=False)
        self.streamers = nn.Linear(config.dim, config.dim, bias=False)
        self.preferred = nn.Linear(config.dim, config.dim, bias=False)
        self.numeric = nn.Sequential(
            nn.Linear(len(NUMERIC_FEATURES), config.dim), nn.ReLU(), nn.Linear(config.dim, config.dim)
        )
        for layer in (self.history, self.streamers, self.preferred):
            nn.init.eye_(layer.weight)

    def forward(self, users: UserBatch) -> Tensor:
        """Unit vectors, float32 [B, D]."""
        items = self._items[0]
        pooled = self.history(_mean_pool(items.item, users.contents))
        pooled = pooled + self.streamers(_mean_pool(items.streamer, users.streamers))
        pooled = pooled + self.preferred(_mean_pool(items.streamer, users.preferred))
        side = self.segment(users.segment) + self.numeric(users.numeric)
        who = self._config.id_weight * self.user(users.user)
        return functional.normalize(self._config.history_weight * pooled + who + _SIDE_WEIGHT * side, dim=-1)


def _mean_pool(table: nn.Embedding, rows: Tensor) -> Tensor:
    """Mean over the known rows of each history, [B, H] -> [B, D]; zero for an empty history."""
    filled = torch.nonzero((rows != 0).any(dim=0))
    if len(filled) == 0:
        return table.weight.new_zeros(len(rows), table.embedding_dim)
    rows = rows[:, : int(filled[-1]) + 1]  # columns that are empty in the whole batch cost as much as full ones
    known = (rows != 0).to(table.weight.dtype)
    weights = known / known.sum(dim=1, keepdim=True).clamp(min=1.0)
    return functional.embedding_bag(rows, table.weight, per_sample_weights=weights, mode="sum", sparse=table.sparse)


class TwoTower(nn.Module):
    """The two towers. A score is the dot product of unit vectors, -1 to 1."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.items = ItemTower(config)
        self.users = UserTower(config, self.items)

    def embedding_tables(self) -> list[nn.Parameter]:
        return [
            weight for module in self.modules() if isinstance(module, nn.Embedding) for weight in module.parameters()
        ]

    def dense_parameters(self) -> list[nn.Parameter]:
        tables = {id(weight) for weight in self.embedding_tables()}
        return [weight for weight in self.parameters() if id(weight) not in tables]

    def forward(self, users: UserBatch, items: ItemBatch) -> Tensor:
        """Scores of every user against every item, [B, N]."""
        return torch.matmul(self.users(users), self.items(items).T)
