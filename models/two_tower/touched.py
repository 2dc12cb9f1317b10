"""The rows of the large tables that a batch touches, as small tables of their own.

A step then costs what the batch touches, whatever the table's size, and a row that the batch meets many times (as
target, in histories) has one gradient: nothing is sorted, and no sparse gradient has to be added up.

Letters: T touched rows, D dimensions.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from models.two_tower.batches import Batch

ITEM_TABLE: Final = "items.item.weight"
STREAMER_TABLE: Final = "items.streamer.weight"
USER_TABLE: Final = "users.user.weight"
LARGE_TABLES: Final = (ITEM_TABLE, STREAMER_TABLE, USER_TABLE)


@dataclass(frozen=True)
class Touched:
    """A batch in terms of the rows that it touches.

    Args:
        batch: Its rows of the three tables count from the first touched one; row 0, unknown, stays 0.
        rows: By name of the parameter, the touched rows, ascending, int64 [T].
        values: By name of the parameter, these rows, [T, D].
    """

    batch: Batch
    rows: dict[str, Tensor]
    values: dict[str, nn.Parameter]

    @contextmanager
    def in_place_of_tables(self, model: nn.Module) -> Iterator[None]:
        """The model with these rows for its large tables (`torch.func` does the same; its import costs 0.5 s)."""
        modules = {name: model.get_submodule(name.removesuffix(".weight")) for name in self.values}
        tables = {name: module.weight for name, module in modules.items()}
        try:
            for name, module in modules.items():
                module.weight = self.values[name]
            yield
        finally:
            for name, module in modules.items():
                module.weight = tables[name]


def touched(batch: Batch, model: nn.Module) -> Touched:
    """Take the touched rows out of the tables."""
    tables = dict(model.named_parameters())
    users, items = batch.users, batch.items
    item = _Compact.of(len(tables[ITEM_TABLE]), (items.item, users.contents))
    streamer = _Compact.of(len(tables[STREAMER_TABLE]), (items.streamer, users.streamers, users.preferred))
    user = _Compact.of(len(tables[USER_TABLE]), (users.user,))
    own_users = users._replace(
        user=user.place[users.user],
        contents=item.place[users.contents],
        streamers=streamer.place[users.streamers],
        preferred=streamer.place[users.preferred],
    )
    own_items = items._replace(item=item.place[items.item], streamer=streamer.place[items.streamer])
    rows = {ITEM_TABLE: item.rows, STREAMER_TABLE: streamer.rows, USER_TABLE: user.rows}
    values = {name: nn.Parameter(tables[name].detach().index_select(0, of_table)) for name, of_table in rows.items()}
    return Touched(Batch(own_users, own_items, batch.draws), rows, values)


@dataclass(frozen=True)
class _Compact:
    """Touched rows [T], and the place of each row of the table among them; of others it is any."""

    rows: Tensor
    place: Tensor

    @classmethod
    def of(cls, size: int, used: Iterable[Tensor]) -> "_Compact":
        parts = list(used)
        is_touched = torch.zeros(size, dtype=torch.bool, device=parts[0].device)
        is_touched[0] = True
        for rows in parts:
            is_touched[rows] = True
        found = torch.nonzero(is_touched)[:, 0]
        place = torch.empty(size, dtype=torch.int64, device=found.device)
        place[found] = torch.arange(len(found), device=found.device)
        return cls(found, place)
