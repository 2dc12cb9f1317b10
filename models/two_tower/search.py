"""The best items of every user by dot product, without ranking the catalogue.

Items stand in groups of 8. The K best items of a user lie in at most K groups, and each of these has a best item that
is no worse than the K-th best: the K groups with the highest maxima hold them all. So the scores of a tile of items are
made while the tile is in the cache, reduced to one maximum per group and forgotten; the items of the chosen groups are
scored again and ranked. What a user must not get is left out before the maxima are taken, so that it pushes nothing
else out of the list.

The first pass may be coarse: vectors of 8-bit integers, multiplied four at a time by the processor's integer
instructions. A coarse score is off by at most |u - u'| |v'| + |u| |v - v'|, with u' and v' the rounded vectors. More
than K groups are chosen, and where the best of those that were not, raised by that bound, is below the K-th score
found, the list is exact: proven, user by user. The few others are searched again in float32, or left as they are.

Letters: U users of a block, I items, D dimensions, K wanted, G groups, S items of a group, T items of a tile, P pairs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final, Protocol

import torch
from torch import Tensor

_GROUP: Final = 8
_TILE_GROUPS: Final = 512
_TILE: Final = _GROUP * _TILE_GROUPS
"""4,096 items: with 256 users 4 MB of scores, in the second-level caches of two cores."""
_USERS: Final = 256
_USERS_RESCORED: Final = 8
"""Their chosen groups, 2 KB each, stay in the cache between being gathered and being multiplied."""
_LARGEST_INT8: Final = 127
_PLAIN_ITEMS: Final = 48_000
"""Measured with K = 100: up to here, choosing among groups costs more than it spares (`benchmarks/retrieval.py`)."""


@dataclass(frozen=True)
class TopK:
    """Best items of each user, best first: index into the items and score, [U, K]; -1 and -inf where there is none."""

    index: Tensor
    score: Tensor

    @classmethod
    def together(cls, parts: list["TopK"]) -> "TopK":
        return cls(torch.cat([part.index for part in parts]), torch.cat([part.score for part in parts]))


class _FirstPass(Protocol):
    """Scores of users and the items of a tile, in whatever unit, coarse or not.

    Args:
        dtype: Of the scores.
        lowest: What no score is below.
        spare: Of K groups, as many again are chosen.
    """

    dtype: torch.dtype
    lowest: float
    spare: float

    def prepared(self, users: Tensor) -> Tensor:
        """Users as `score` wants them."""

    def score(self, prepared: Tensor, tile: int, out: Tensor) -> None:
        """Scores of a tile's items, [U, T]."""

    def at_most(self, users: Tensor, maxima: Tensor) -> Tensor:
        """What the true scores behind some maxima, [U], cannot be above."""


class _Exact:
    """float32 scores."""

    dtype, lowest, spare = torch.float32, -torch.inf, 0.0

    def __init__(self, tiles: Tensor) -> None:
        self._tiles = tiles

    def prepared(self, users: Tensor) -> Tensor:
        return users

    def score(self, prepared: Tensor, tile: int, out: Tensor) -> None:
        torch.mm(prepared, self._tiles[tile], out=out)

    def at_most(self, users: Tensor, maxima: Tensor) -> Tensor:  # noqa: ARG002
        return torch.full_like(maxima, -torch.inf)  # all groups that matter were chosen


class _Coarse:
    """Products of 8-bit integers."""

    dtype, lowest = torch.int32, float(torch.iinfo(torch.int32).min)

    def __init__(self, tiles: Tensor, spare: float) -> None:
        self.spare = spare
        self._unit = tiles.abs().amax().clamp(min=torch.finfo(torch.float32).tiny) / _LARGEST_INT8
        self._tiles = (tiles / self._unit).round().to(torch.int8)
        rounded = self._tiles.float() * self._unit
        self._longest, self._lost = rounded.norm(dim=1).max(), (tiles - rounded).norm(dim=1).max()

    def prepared(self, users: Tensor) -> Tensor:
        return (users / self._units(users)).round().to(torch.int8)

    def score(self, prepared: Tensor, tile: int, out: Tensor) -> None:
        torch._int_mm(prepared, self._tiles[tile], out=out)  # the only product of 8-bit integers that torch has

    def at_most(self, users: Tensor, maxima: Tensor) -> Tensor:
        units = self._units(users)
        lost = (users - self.prepared(users) * units).norm(dim=1)
        bound = lost * self._longest + users.norm(dim=1) * self._lost
        return maxima * units[:, 0] * self._unit + bound

    @staticmethod
    def _units(users: Tensor) -> Tensor:
        return users.abs().amax(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny) / _LARGEST_INT8


class Method(StrEnum):
    """How a catalogue is searched; all give the same lists, but for what `is_proven` says."""

    PLAIN = "plain"
    """All scores of some users, then the best: for small catalogues."""
    FLOAT = "float"
    """Groups by their float32 maxima."""
    COARSE = "coarse"
    """Groups by their maxima in 8-bit integers."""


class ItemIndex:
    """Item vectors laid out for search.

    Args:
        vectors: float32 [I, D].
        method: None takes what is fastest for the size and the device.
        is_proven: Whether lists that a coarse pass cannot prove are searched again.
    """

    _SPARE_PROVEN, _SPARE = 1.0, 0.25

    def __init__(self, vectors: Tensor, method: Method | None = None, is_proven: bool = True) -> None:
        self._vectors = vectors
        self._items, self._dim = vectors.shape
        self._is_proven = is_proven
        self._method = (method if self._items else None) or _fastest(self._items, vectors.device)
        if self._method == Method.PLAIN:
            return
        self._tile_count = -(-self._items // _TILE)
        padded = torch.nn.functional.pad(vectors, (0, 0, 0, self._tile_count * _TILE - self._items))
        self._groups = padded.view(-1, _GROUP * self._dim)
        tiles = self._tiled(padded)
        self._exact = _Exact(tiles)
        self._first: _FirstPass = self._exact
        if self._method == Method.COARSE:
            self._first = _Coarse(tiles, self._SPARE_PROVEN if is_proven else self._SPARE)

    def _tiled(self, padded: Tensor) -> Tensor:
        """[tiles, D, T]. Within a tile first all first items of the groups, then all second ones: a maximum over the
        items of a group is then one of whole rows."""
        by_place = padded.view(self._tile_count, _TILE_GROUPS, _GROUP, self._dim).transpose(1, 2)
        return by_place.reshape(self._tile_count, _TILE, self._dim).transpose(1, 2).contiguous()

    def best(self, users: Tensor, count: int, excluded: Tensor | None = None) -> TopK:
        """The `count` best items of each user; as many columns as there are items where these are fewer.

        Args:
            users: float32 [U, D].
            excluded: Pairs that must not be found: user * I + item, ascending, int64 [P].
        """
        count = min(count, self._items)
        empty = users.new_empty(0, count)
        return TopK.together([TopK(empty.to(torch.int64), empty), *self._blocks(users, count, excluded)])

    def _blocks(self, users: Tensor, count: int, excluded: Tensor | None) -> Iterator[TopK]:
        pairs = users.new_empty(0, dtype=torch.int64) if excluded is None else excluded
        starts = [*range(0, len(users), _USERS), len(users)]
        bounds = torch.searchsorted(pairs, torch.tensor(starts, device=pairs.device) * self._items).tolist()
        for (start, end), (first, last) in zip(pairwise(starts), pairwise(bounds), strict=True):
            own = pairs[first:last] - start * self._items
            yield self._block(users[start:end], count, (own // self._items, own % self._items))

    def _block(self, users: Tensor, count: int, excluded: tuple[Tensor, Tensor]) -> TopK:
        if self._method == Method.PLAIN:
            scores = users @ self._vectors.T
            scores[excluded] = -torch.inf
            best = scores.topk(count, dim=1)
            return TopK(torch.where(best.values == -torch.inf, -1, best.indices), best.values)
        found, is_open = self._search(self._first, users, count, excluded)
        if not self._is_proven or not bool(is_open.any()):
            return found
        again = torch.nonzero(is_open)[:, 0]
        place = torch.full((len(users),), -1, device=users.device)
        place[again] = torch.arange(len(again), device=users.device)
        row, item = place[excluded[0]], excluded[1]
        exact, _ = self._search(self._exact, users[again], count, (row[row >= 0], item[row >= 0]))
        return TopK(found.index.index_copy(0, again, exact.index), found.score.index_copy(0, again, exact.score))

    def _search(
        self, first: _FirstPass, users: Tensor, count: int, excluded: tuple[Tensor, Tensor]
    ) -> tuple[TopK, Tensor]:
        """Best items, and whose list something better may be missing from."""
        maxima = self._maxima(first, users, excluded)
        wanted = min(count + round(count * first.spare), maxima.shape[1])
        ranked = maxima.topk(min(wanted + 1, maxima.shape[1]), dim=1)
        found = self._rescored(users, ranked.indices[:, :wanted], count, excluded)
        if ranked.indices.shape[1] == wanted:
            return found, torch.zeros(len(users), dtype=torch.bool, device=users.device)
        return found, first.at_most(users, ranked.values[:, wanted]) > found.score[:, -1]

    def _maxima(self, first: _FirstPass, users: Tensor, excluded: tuple[Tensor, Tensor]) -> Tensor:
        """Of every group, float32 [U, G]."""
        row, item = excluded
        maxima = users.new_empty(len(users), self._tile_count * _TILE_GROUPS, dtype=first.dtype)
        scores = users.new_empty(len(users), _TILE, dtype=first.dtype)
        prepared = first.prepared(users)
        within = item % _TILE
        place = row * _TILE + within % _GROUP * _TILE_GROUPS + within // _GROUP
        of_tile = _split_by(item // _TILE, place, self._tile_count)
        for number in range(self._tile_count):
            first.score(prepared, number, scores)
            scores.view(-1).index_fill_(0, of_tile[number], first.lowest)
            if number == self._tile_count - 1:
                self._leave_out_padding(scores, first.lowest)
            part = slice(number * _TILE_GROUPS, (number + 1) * _TILE_GROUPS)
            torch.amax(scores.view(-1, _GROUP, _TILE_GROUPS), dim=1, out=maxima[:, part])
        return maxima.float()

    def _leave_out_padding(self, scores: Tensor, lowest: float) -> None:
        """The last groups of the last tile may not be full."""
        beyond = torch.arange(self._items - (self._tile_count - 1) * _TILE, _TILE, device=scores.device)
        scores[:, beyond % _GROUP * _TILE_GROUPS + beyond // _GROUP] = lowest

    def _rescored(self, users: Tensor, groups: Tensor, count: int, excluded: tuple[Tensor, Tensor]) -> TopK:
        """The best items of some groups, [U, groups] each."""
        items = (groups[:, :, None] * _GROUP + torch.arange(_GROUP, device=users.device)).view(len(users), -1)
        scores = users.new_empty(items.shape)
        for some in torch.arange(len(users), device=users.device).split(_USERS_RESCORED):
            part = slice(int(some[0]), int(some[-1]) + 1)
            chosen = self._groups.index_select(0, groups[part].reshape(-1)).view(len(some), -1, self._dim)
            torch.bmm(chosen, users[part, :, None], out=scores[part, :, None])
        scores.masked_fill_(items >= self._items, -torch.inf)
        if len(excluded[0]):
            pairs = excluded[0] * self._items + excluded[1]  # ascending
            asked = torch.arange(len(users), device=users.device)[:, None] * self._items + items
            place = torch.searchsorted(pairs, asked).clamp_(max=len(pairs) - 1)
            scores.masked_fill_((pairs[place] == asked) & (items < self._items), -torch.inf)
        best = scores.topk(count, dim=1)
        index = items.gather(1, best.indices)
        return TopK(torch.where(best.values == -torch.inf, -1, index), best.values)


def _fastest(items: int, device: torch.device) -> Method:
    if items <= _PLAIN_ITEMS:
        return Method.PLAIN
    return Method.COARSE if device.type == "cpu" else Method.FLOAT


def _split_by(numbers: Tensor, values: Tensor, count: int) -> list[Tensor]:
    """The values of each number from 0 to count - 1."""
    order = torch.argsort(numbers, stable=True)
    return list(values[order].split(torch.bincount(numbers, minlength=count).tolist()))
