"""Examples as flat arrays, and the batches that are cut from them without a per-row loop.

Letters: E examples, I items of the catalogue, L broadcasts, R feature rows, B batch, N distinct draws of a batch, H
history length.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from models.two_tower.losses import Airtime, Draws, log_share
from models.two_tower.towers import ItemBatch, UserBatch


@dataclass(frozen=True)
class Examples:
    """Positives in the order of time.

    Args:
        user: Row of the user, int64 [E].
        item: Index into the catalogue's items, int64 [E].
        features: Index of the user's feature row at the time, int64 [E].
        age: Bucket of the item's age at the time, int64 [E].
        weight: What the example counts, float32 [E].
        day: Days since 1970 of the example, int64 [E]; untimed earlier views stand before all others.
        second: Seconds since 1970, int64 [E]; only that of a live watch counts.
        broadcast: Index of the broadcast that a live watch was of, int64 [E]; -1 for other watches.
    """

    user: Tensor
    item: Tensor
    features: Tensor
    age: Tensor
    weight: Tensor
    day: Tensor
    second: Tensor
    broadcast: Tensor

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: Tensor) -> "Examples":
        return Examples(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


class Broadcasts(NamedTuple):
    """Who was live when.

    Args:
        item: Index of the streamer into the catalogue's items, int64 [L].
        begin, end: Seconds since 1970, the end not included, int64 [L].
    """

    item: Tensor
    begin: Tensor
    end: Tensor

    @classmethod
    def none(cls) -> "Broadcasts":
        nothing = torch.zeros(0, dtype=torch.int64)
        return cls(nothing, nothing, nothing)


@dataclass(frozen=True)
class TrainingData:
    """Everything a training run reads, already as rows.

    Args:
        examples: The positives.
        histories: Feature rows of users at a time, [R, ...] each; `user` is filled from the examples.
        items: Catalogue items, [I] each; the age is filled from the examples.
        is_streamer: Which items are streamers, bool [I]: they compete with each other, not with contents.
        streamer_item: Item table row of each streamer row, int64: streamers of a history as items.
        broadcasts: Those that live watches were of.

    What an example draws is its item; a live watch draws a broadcast, so that it competes with those who were live at
    the same time. Draws count from 0: the items, then the broadcasts.
    """

    examples: Examples
    histories: UserBatch
    items: ItemBatch
    is_streamer: Tensor
    streamer_item: Tensor
    broadcasts: Broadcasts

    @property
    def draws(self) -> Tensor:
        """What each example draws, int64 [E]."""
        examples = self.examples
        return torch.where(examples.broadcast >= 0, examples.broadcast + len(self.is_streamer), examples.item)

    @property
    def item_of_draw(self) -> Tensor:
        """int64 [I + L]."""
        items = torch.arange(len(self.is_streamer), device=self.is_streamer.device)
        return torch.cat([items, self.broadcasts.item])

    @property
    def group_of_draw(self) -> Tensor:
        """Contents, streamers and broadcasts, 0 to 2, compete with their likes only, int64 [I + L]."""
        return torch.cat([self.is_streamer.to(torch.int64), torch.full_like(self.broadcasts.item, 2)])


@dataclass(frozen=True)
class Batch:
    """One step's input."""

    users: UserBatch
    items: ItemBatch
    draws: Draws


def user_batch(histories: UserBatch, rows: Tensor, user: Tensor) -> UserBatch:
    """Feature rows of some users."""
    return UserBatch(user, *(getattr(histories, name)[rows] for name in UserBatch._fields[1:]))


def leave_out(users: UserBatch, item: Tensor, streamer: Tensor) -> UserBatch:
    """Take each example's own target out of its histories, or the model learns to copy.

    Args:
        users: [B] users.
        item: Item row of each target, [B].
        streamer: Streamer row of each target that is a streamer, -1 for contents, [B].
    """
    return users._replace(
        contents=users.contents.masked_fill(users.contents == item[:, None], 0),
        streamers=users.streamers.masked_fill(users.streamers == streamer[:, None], 0),
        preferred=users.preferred.masked_fill(users.preferred == streamer[:, None], 0),
    )


class Dropout(NamedTuple):
    """Shares of ids, and of the entries of histories, that a batch shows as unknown."""

    id: float
    history: float


class BatchMaker:
    """Cuts batches of one kind of target: streamers compete with streamers, contents with contents.

    Args:
        log_q: From a batch's distinct draws [N] and its size to the log of their frequencies in the stream, [N].
        dropout: Shares of the ids and of the histories' entries that are shown as unknown.
    """

    def __init__(self, data: TrainingData, log_q: Callable[[Tensor, int], Tensor], dropout: Dropout) -> None:
        self._data = data
        self._log_q = log_q
        self._dropout = dropout
        self._draws, self._item_of, self._group_of = data.draws, data.item_of_draw, data.group_of_draw

    def epoch(self, rows: Tensor, batch_size: int, order: torch.Generator) -> Iterator[Tensor]:
        """Rows of each batch of an epoch, shuffled; a last batch of one has no negatives and is left out."""
        group_of = self._group_of[self._draws[rows]]
        batches = []
        for group in range(3):
            own = rows[group_of == group]
            shuffled = own[torch.randperm(len(own), generator=order)]
            batches += [batch for batch in shuffled.split(batch_size) if len(batch) > 1]
        for index in torch.randperm(len(batches), generator=order).tolist():
            yield batches[index]

    def make(self, rows: Tensor, dropout: torch.Generator) -> Batch:
        """The batch of some examples."""
        data, examples = self._data, self._data.examples.take(rows)
        distinct, column, count = torch.unique(self._draws[rows], return_inverse=True, return_counts=True)
        # distinct [N], column [B]
        own = self._item_of[distinct]
        items = ItemBatch(*(rows_of[own] for rows_of in data.items))
        items = items._replace(age=torch.zeros_like(distinct).scatter(0, column, examples.age))
        history = user_batch(data.histories, examples.features, examples.user)
        airtime = self._airtime(distinct, examples.second)
        if airtime is None:
            target_streamer = torch.where(data.is_streamer[own], items.streamer, -1)[column]
            users = leave_out(history, items.item[column], target_streamer)
            known = self._known(history, items.item)
        else:
            # A stream is chosen against those that one knows, and often because one knows it.
            users, known = history, column.new_empty(0)
        weight = examples.weight.clamp(min=1.0)  # lighter ones were thinned out instead
        share = log_share(count.to(weight.dtype), self._log_q(distinct, len(rows)), len(rows) - 1)
        draws = Draws(column, share, known, weight, airtime)
        item = _dropped(items.item, self._dropout.id, dropout)
        return Batch(self._thinned(users, dropout), items._replace(item=item), draws)

    def _airtime(self, distinct: Tensor, second: Tensor) -> Airtime | None:
        """When each column was live, where the batch is of broadcasts."""
        first = len(self._data.is_streamer)
        if int(distinct[0]) < first:
            return None
        broadcasts = self._data.broadcasts
        return Airtime(broadcasts.begin[distinct - first], broadcasts.end[distinct - first], second)

    def _known(self, history: UserBatch, item: Tensor) -> Tensor:
        """Which items of the batch stand in which example's history: row * N + column, ascending by row, [P]."""
        place = torch.full((int(self._data.items.item.max()) + 1,), -1, device=item.device)
        place[item] = torch.arange(len(item), device=item.device)
        place[0] = -1  # several items can be unknown: none of them is known to be liked
        streamers = self._data.streamer_item
        liked = torch.cat([history.contents, streamers[history.streamers], streamers[history.preferred]], dim=1)
        column = torch.where(liked < len(place), place[liked.clamp(max=len(place) - 1)], -1)
        row, which = torch.nonzero(column >= 0, as_tuple=True)
        return row * len(item) + column[row, which]

    def _thinned(self, users: UserBatch, draws: torch.Generator) -> UserBatch:
        """Some ids become unknown, so that the unknown row and the side features learn to stand in for an id; parts of
        histories go, so that what they have in common is learnt and not each pair of theirs."""
        share = self._dropout.history
        contents, streamers, preferred = (
            _dropped(rows, share, draws) for rows in (users.contents, users.streamers, users.preferred)
        )
        user = _dropped(users.user, self._dropout.id, draws)
        return users._replace(user=user, contents=contents, streamers=streamers, preferred=preferred)


def _dropped(rows: Tensor, share: float, draws: torch.Generator) -> Tensor:
    if share == 0:
        return rows
    return rows * (torch.rand(rows.shape, generator=draws) >= share).to(rows.device)
