"""The model: a user tower and an item tower into one space of unit vectors.

Letters: B users or examples, N items, D dimensions, H history length, F numeric features.
"""

from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from models.two_tower.config import ModelConfig
from models.two_tower.features import AGE_BUCKETS, DURATION_BUCKETS, KINDS, NUMERIC_FEATURES, SEGMENTS

ATTENTION: Final = "attention"
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

    def part(self, rows: slice) -> "UserBatch":
        return UserBatch(*(values[rows] for values in self))


def _table(rows: int, dim: int) -> nn.Embedding:
    table = nn.Embedding(rows, dim)
    nn.init.normal_(table.weight, std=_INITIAL_SCALE)
    with torch.no_grad():
        table.weight[0] = 0.0  # what is unknown says nothing until it has been learnt
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
        self.user = _table(config.sizes.users, config.dim)
        self.segment = _table(len(SEGMENTS) + 1, config.dim)
        self.history = nn.Linear(config.dim, config.dim, bias=False)
        self.streamers = nn.Linear(config.dim, config.dim, bias=False)
        self.preferred = nn.Linear(config.dim, config.dim, bias=False)
        self.numeric = nn.Sequential(
            nn.Linear(len(NUMERIC_FEATURES), config.dim), nn.ReLU(), nn.Linear(config.dim, config.dim)
        )
        for layer in (self.history, self.streamers, self.preferred):
            nn.init.eye_(layer.weight)
        self.attention = nn.ModuleList(_attention(config.dim) for _ in range(3) if config.pooling == ATTENTION)

    def forward(self, users: UserBatch) -> Tensor:
        """Unit vectors, float32 [B, D]."""
        items = self._items[0]
        pooled = self.history(self._pooled(0, items.item, users.contents))
        pooled = pooled + self.streamers(self._pooled(1, items.streamer, users.streamers))
        pooled = pooled + self.preferred(self._pooled(2, items.streamer, users.preferred))
        side = self.segment(users.segment) + self.numeric(users.numeric)
        who = self._config.id_weight * self.user(users.user)
        return functional.normalize(self._config.history_weight * pooled + who + _SIDE_WEIGHT * side, dim=-1)

    def _pooled(self, which: int, table: nn.Embedding, rows: Tensor) -> Tensor:
        return _attend(table, rows, self.attention[which]) if len(self.attention) else _mean_pool(table, rows)


def _attention(dim: int) -> nn.Linear:
    """From the mean of a history to what it asks of its entries; nothing at first, so that it begins as the mean."""
    layer = nn.Linear(dim, dim)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _attend(table: nn.Embedding, rows: Tensor, attention: nn.Module) -> Tensor:
    """Mean over the known rows of each history, weighed by a softmax of what its plain mean asks of each, [B, H] ->
    [B, D]; zero for an empty history."""
    is_known = (rows != 0)[:, :, None]
    entries = functional.embedding(rows, table.weight) * is_known
    mean = entries.sum(dim=1) / is_known.sum(dim=1).clamp(min=1)
    asked = (entries @ attention(mean)[:, :, None]).masked_fill(~is_known, torch.finfo(entries.dtype).min)
    pooled: Tensor = (asked.softmax(dim=1) * entries).sum(dim=1)
    return pooled


def _mean_pool(table: nn.Embedding, rows: Tensor) -> Tensor:
    """Mean over the known rows of each history, [B, H] -> [B, D]; zero for an empty history."""
    pooled: Tensor = _MeanPool.apply(table.weight, rows)
    return pooled


class _MeanPool(torch.autograd.Function):
    """`embedding_bag`, whose own backward sorts the rows; adding them up where they belong takes half the time."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, rows: Tensor) -> Tensor:  # noqa: ANN401
        known = rows != 0
        lengths = known.sum(dim=1)
        flat = rows[known]
        ctx.save_for_backward(flat, lengths)
        ctx.size = len(table)
        return functional.embedding_bag(flat, table, lengths.cumsum(dim=0) - lengths, mode="mean")

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        (outer,) = gradients
        flat, lengths = ctx.saved_tensors
        place = torch.arange(len(lengths), device=lengths.device).repeat_interleave(lengths)
        of_each = (outer / lengths.clamp(min=1)[:, None]).index_select(0, place)
        return outer.new_zeros(ctx.size, outer.shape[1]).index_add_(0, flat, of_each), None


class TwoTower(nn.Module):
    """The two towers. A score is the dot product of unit vectors, -1 to 1."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.items = ItemTower(config)
        self.users = UserTower(config, self.items)

    def embedding_tables(self) -> dict[str, nn.Parameter]:
        """By the name of the parameter."""
        tables = {f"{name}.weight" for name, module in self.named_modules() if isinstance(module, nn.Embedding)}
        return {name: weight for name, weight in self.named_parameters() if name in tables}

    def dense_parameters(self) -> list[nn.Parameter]:
        tables = self.embedding_tables()
        return [weight for name, weight in self.named_parameters() if name not in tables]

    def forward(self, users: UserBatch, items: ItemBatch) -> tuple[Tensor, Tensor]:
        """Vectors of the users [B, D] and of the items [N, D]."""
        return self.users(users), self.items(items)
