"""Examples as flat arrays, and the batches that are cut from them without a per-row loop.

Letters: E examples, I items of the catalogue, L broadcasts, R feature rows, B batch, N distinct draws of a batch, H
history length.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from contracts.settings import TwoTowerSettings
from models.two_tower.features import age_buckets_of
from models.two_tower.losses import Airtime, Draws, Skipped, log_share
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
        published: Seconds since 1970 at which each item came, 0 where that is unknown, int64 [I]; None where nothing
            is known of any.
        skipped: Item that each example's user was shown about then and did not watch, -1 for none, int64 [E]; None
            where no example has one.

    What an example draws is its item; a live watch draws a broadcast, so that it competes with those who were live at
    the same time. Draws count from 0: the items, then the broadcasts.
    """

    examples: Examples
    histories: UserBatch
    items: ItemBatch
    is_streamer: Tensor
    streamer_item: Tensor
    broadcasts: Broadcasts
    published: Tensor | None = None
    skipped: Tensor | None = None

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
    return UserBatch(user, *(getattr(histories, name).index_select(0, rows) for name in UserBatch._fields[1:]))


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


class Sampling(NamedTuple):
    """What chance does to a batch, and what it brings.

    Args:
        id_dropout, history_dropout: Shares of ids, and of the entries of histories, that are shown as unknown.
        uniform: Further negatives of a batch of contents or streamers, drawn uniformly from all there are: what the
            stream hardly ever draws is a negative, too.
        skipped_weight: What a hard negative counts, in average draws of its batch; 0 for none.
    """

    id_dropout: float = 0.0
    history_dropout: float = 0.0
    uniform: int = 0
    skipped_weight: float = 0.0

    @classmethod
    def of(cls, settings: TwoTowerSettings) -> "Sampling":
        return cls(
            settings.id_dropout,
            settings.history_dropout,
            settings.uniform_negatives,
            settings.hard_negative_weight,
        )


class Chances(NamedTuple):
    """Generators of what a batch shows as unknown and of its uniform negatives."""

    dropout: torch.Generator
    negatives: torch.Generator


class BatchMaker:
    """Cuts batches of one kind of target: streamers compete with streamers, contents with contents.

    Args:
        log_q: From a batch's distinct draws [N] and its size to the log of their frequencies in the stream, [N].
    """

    def __init__(self, data: TrainingData, log_q: Callable[[Tensor, int], Tensor], sampling: Sampling) -> None:
        self._data = data
        self._log_q = log_q
        self._sampling = sampling
        self._draws, self._item_of, self._group_of = data.draws, data.item_of_draw, data.group_of_draw
        self._uniform = _UniformNegatives(data, self._draws, sampling.uniform) if sampling.uniform else None

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

    def make(self, rows: Tensor, chances: Chances) -> Batch:
        """The batch of some examples."""
        data, examples, own = self._data, self._data.examples.take(rows), self._draws[rows]
        is_live = int(own[0]) >= len(data.is_streamer)
        uniform = None if is_live else self._uniform
        further = _Timed.nothing(own)
        if uniform is not None:
            further = uniform.draw(int(self._group_of[own[0]]), examples.second, chances.negatives)
        shown = torch.full_like(own, -1) if is_live else self._shown(rows)
        is_shown = shown >= 0
        seen = _Timed(shown[is_shown], examples.second[is_shown])
        columns = _Columns.of(own, further.item, seen.item)
        item = self._item_of[columns.draw]
        items = ItemBatch(*(rows_of[item] for rows_of in data.items))
        ages = torch.cat([examples.age, further.ages(data), seen.ages(data)])
        items = items._replace(age=torch.zeros_like(item).scatter(0, columns.place, ages))
        history = user_batch(data.histories, examples.features, examples.user)
        if is_live:
            # A stream is chosen against those that one knows, and often because one knows it.
            users, known, airtime = history, own.new_empty(0), self._airtime(columns.draw, examples.second)
        else:
            target_streamer = torch.where(data.is_streamer[item], items.streamer, -1)[columns.own]
            users = leave_out(history, items.item[columns.own], target_streamer)
            known, airtime = self._known(history, items.item), None
        weight = examples.weight.clamp(min=1.0)  # lighter ones were thinned out instead
        expected = None if uniform is None else uniform.expected[columns.draw]
        share = log_share(columns.times.to(weight.dtype), self._log_q(columns.draw, len(rows)), len(rows) - 1, expected)
        draws = Draws(columns.own, share, known, weight, airtime)
        if len(seen.item):
            average = share.exp().sum() / columns.times.sum()
            of_each = shown.masked_scatter(is_shown, columns.seen)
            draws = draws._replace(skipped=Skipped(of_each, self._sampling.skipped_weight * average))
        dropped = _dropped(items.item, self._sampling.id_dropout, chances.dropout)
        return Batch(self._thinned(users, chances.dropout), items._replace(item=dropped), draws)

    def _shown(self, rows: Tensor) -> Tensor:
        """Items that examples were shown and did not watch, -1 for none."""
        if self._data.skipped is None or self._sampling.skipped_weight == 0:
            return torch.full_like(rows, -1)
        return self._data.skipped[rows]

    def _airtime(self, distinct: Tensor, second: Tensor) -> Airtime:
        """When each column, a broadcast, was live."""
        broadcasts = self._data.broadcasts
        place = distinct - len(self._data.is_streamer)
        return Airtime(broadcasts.begin[place], broadcasts.end[place], second)

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
        share = self._sampling.history_dropout
        contents, streamers, preferred = (
            _dropped(rows, share, draws) for rows in (users.contents, users.streamers, users.preferred)
        )
        user = _dropped(users.user, self._sampling.id_dropout, draws)
        return users._replace(user=user, contents=contents, streamers=streamers, preferred=preferred)


class _Timed(NamedTuple):
    """Items and seconds since 1970, 0 where there is no time, int64 [M] each."""

    item: Tensor
    second: Tensor

    @classmethod
    def nothing(cls, like: Tensor) -> "_Timed":
        return cls(like[:0], like[:0])

    def ages(self, data: TrainingData) -> Tensor:
        """Buckets of the items' ages then; 0 where a time is unknown."""
        if data.published is None:
            return torch.zeros_like(self.item)
        return torch.where(self.second > 0, age_buckets_of(data.published[self.item], self.second), 0)


class _Columns(NamedTuple):
    """Everything that a batch scores, once each.

    Args:
        draw: What stands in each column, ascending, int64 [N].
        times: How often it was drawn; what was only shown was not, int64 [N].
        place: Column of all draws and then of what was shown.
        own: Column of each example's own draw, [B].
        seen: Column of what was shown.
    """

    draw: Tensor
    times: Tensor
    place: Tensor
    own: Tensor
    seen: Tensor

    @classmethod
    def of(cls, own: Tensor, further: Tensor, seen: Tensor) -> "_Columns":
        distinct, place = torch.unique(torch.cat([own, further, seen]), return_inverse=True)
        drawn = len(own) + len(further)
        times = torch.bincount(place[:drawn], minlength=len(distinct))
        return cls(distinct, times, place, place[: len(own)], place[drawn:])


class _UniformNegatives:
    """Draws items uniformly, each at the time of one of the batch's examples; what had not been published then is not
    drawn: nobody chose against it. An untimed example counts as one of the log's beginning.

    Args:
        draws: What each example draws, int64 [E].
        count: M.

    Attributes:
        expected: How often a batch is expected to draw each item, [I + L]; 0 for broadcasts.
    """

    def __init__(self, data: TrainingData, draws: Tensor, count: int) -> None:
        self._published = torch.zeros_like(data.items.item) if data.published is None else data.published
        group_of, seconds = data.group_of_draw, data.examples.second
        is_timed = seconds > 0
        self._begin = int(seconds[is_timed].min()) if bool(is_timed.any()) else 0
        self._members = [torch.nonzero(group_of == group)[:, 0] for group in range(2)]
        self._count = count
        self.expected = torch.zeros(len(group_of), device=group_of.device)
        for group, members in enumerate(self._members):
            own = seconds[group_of[draws] == group].clamp(min=self._begin).sort().values
            before = torch.searchsorted(own, self._published[members])
            is_out = 1 - before / max(len(own), 1)
            self.expected[members] = (count / max(len(members), 1) * is_out).to(self.expected.dtype)

    def draw(self, group: int, seconds: Tensor, chance: torch.Generator) -> _Timed:
        members = self._members[group]
        which = torch.randint(len(members), (self._count,), generator=chance).to(members.device)
        when = torch.randint(len(seconds), (self._count,), generator=chance).to(members.device)
        item, second = members[which], seconds[when]
        is_out = self._published[item] <= second.clamp(min=self._begin)
        return _Timed(item[is_out], second[is_out])


def _dropped(rows: Tensor, share: float, draws: torch.Generator) -> Tensor:
    if share == 0:
        return rows
    return rows * (torch.rand(rows.shape, generator=draws) >= share).to(rows.device)
