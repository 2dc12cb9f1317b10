"""Fusion of ranked sources into one list per user.

    score(user, item) = sum over sources of  weight * worth of the item's place in that source

with the worth by one of `fusion_methods`. The source of an item is the one that contributes most to its score.

Letters: U users, W places of the widest user; a matrix (U, W) ends in `ABSENT` where a user has less.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

Number = TypeVar("Number", np.int64, np.float64)
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ABSENT: Final = np.iinfo(np.int64).max
"""No item; the largest number, so that it sorts behind every item."""


@dataclass(frozen=True)
class Items:
    """Items of users, (U, W) each: what each is, its kind's code and its streamer."""

    ids: Ints
    kinds: Ints
    streamers: Ints

    def take(self, columns: Ints) -> Self:
        """Other places of the same users: column numbers, (U, any)."""
        return type(self)(*(np.take_along_axis(matrix, columns, axis=1) for matrix in self._matrices))

    def first(self, length: int) -> Self:
        return type(self)(*(matrix[:, :length] for matrix in self._matrices))

    @property
    def _matrices(self) -> tuple[Ints, Ints, Ints]:
        return self.ids, self.kinds, self.streamers

    @classmethod
    def beside(cls, parts: "Sequence[Items]") -> "Items":
        """The places of all parts, one after the other."""
        return cls(*(np.concatenate(matrices, axis=1) for matrices in zip(*(p._matrices for p in parts), strict=True)))


@dataclass(frozen=True)
class Ranking:
    """One source's items in ranked order, no item twice for a user.

    Args:
        scores: (U, W) the source's own, -inf where there is no item.
    """

    items: Items
    scores: Floats

    @property
    def is_there(self) -> Bools:
        return self.items.ids != ABSENT

    def first(self, length: int) -> "Ranking":
        return Ranking(self.items.first(length), self.scores[:, :length])


class Order(Protocol):
    """How what has been fused is ordered; see `preference_order`."""

    def boosts(self, items: Items) -> Floats:
        """(U, W) by what to multiply the fused scores."""

    def is_capped(self, ranked: Items) -> Bools:
        """(U, W) what to leave out, of items in their order."""


@dataclass(frozen=True)
class Exclusions:
    """What must not be listed: users by their index, pairs in any order.

    Args:
        item_users, items: pairs: an item of one user.
        streamer_users, streamers: pairs: everything of a streamer, for one user.
        everywhere: sorted ids of items nobody may get.
    """

    item_users: Ints
    items: Ints
    streamer_users: Ints
    streamers: Ints
    everywhere: Ints


@dataclass(frozen=True)
class Fused:
    """The lists of U users, best first; `items.ids` is `ABSENT` behind the end of a list.

    Args:
        sources: (U, W) index of the source that ranks the item best.
        scores: (U, W)
    """

    items: Items
    sources: Ints
    scores: Floats


def padded(users: Ints, values: npt.NDArray[Number], user_count: int, fill: float) -> npt.NDArray[Number]:
    """Rows, sorted by user index, as a matrix (U, W)."""
    counts = np.bincount(users, minlength=user_count)
    places = np.arange(len(users)) - (counts.cumsum() - counts)[users]
    matrix = np.full((user_count, int(counts.max(initial=0))), fill, dtype=values.dtype)
    matrix[users, places] = values
    return matrix


def ranked(items: Items, scores: Floats) -> Ranking:
    """Best score first, ties to the smaller id. `scores` is -inf where there is no item."""
    order = np.lexsort((items.ids, -scores), axis=1)
    return Ranking(items.take(order), np.take_along_axis(scores, order, axis=1))


def fuse(rankings: Sequence[Items], parts: Sequence[Floats], excluded: Exclusions, order: Order, length: int) -> Fused:
    """The best `length` items of each user.

    Args:
        rankings: One per source. An item that several sources hold has the kind and the streamer that the first of
            them says.
        parts: (U, W) each: what a place adds to the score of its item, weighted.
    """
    sources = np.repeat(np.arange(len(rankings)), [ranking.ids.shape[1] for ranking in rankings])
    items, added = Items.beside(rankings), np.concatenate(parts, axis=1)
    by_id = np.argsort(items.ids, axis=1, kind="stable")  # equal items stay in the order of the sources
    items, added = items.take(by_id), np.take_along_axis(added, by_id, axis=1)
    scores, best = _added_up(items.ids, added, sources[by_id], len(rankings))
    scores = scores * order.boosts(items)
    scores[_unlisted(items, excluded)] = -np.inf
    # The cap leaves places out: a list is made of twice as many as it has.
    top = np.argsort(-scores, axis=1, kind="stable")[:, : 2 * length]
    listed = Fused(items.take(top), np.take_along_axis(best, top, axis=1), np.take_along_axis(scores, top, axis=1))
    listed.scores[order.is_capped(listed.items)] = -np.inf
    return _listed(listed, length)


def _listed(fused: Fused, length: int) -> Fused:
    """The places that are not -inf, in their order, at most `length` of them."""
    places = np.argsort(fused.scores == -np.inf, axis=1, kind="stable")[:, :length]
    items, scores = fused.items.take(places), np.take_along_axis(fused.scores, places, axis=1)
    items.ids[scores == -np.inf] = ABSENT
    return Fused(items, np.take_along_axis(fused.sources, places, axis=1), scores)


def _added_up(ids: Ints, parts: Floats, sources: Ints, source_count: int) -> tuple[Floats, Ints]:
    """At the first place of each run of equal items the run's sum and its largest part's source.

    Added in the order of the sources: equal in every run.
    """
    total, most, best = parts.copy(), parts.copy(), sources.copy()
    for shift in range(1, min(source_count, ids.shape[1])):
        later = np.where(ids[:, shift:] == ids[:, :-shift], parts[:, shift:], 0.0)
        total[:, :-shift] += later
        is_more = later > most[:, :-shift]
        most[:, :-shift][is_more] = later[is_more]
        best[:, :-shift][is_more] = sources[:, shift:][is_more]
    return total, best


def _unlisted(items: Items, excluded: Exclusions) -> Bools:
    """Where there is no item, one that an earlier place holds, or an excluded one; `items` are sorted by id."""
    unlisted = items.ids == ABSENT
    if unlisted.size == 0:
        return unlisted
    unlisted[:, 1:] |= items.ids[:, 1:] == items.ids[:, :-1]
    columns = places_in_rows(items.ids, excluded.item_users, excluded.items)
    is_there = items.ids[excluded.item_users, columns] == excluded.items
    unlisted[excluded.item_users[is_there], columns[is_there]] = True
    pairs, columns = np.nonzero(items.streamers[excluded.streamer_users] == excluded.streamers[:, np.newaxis])
    unlisted[excluded.streamer_users[pairs], columns] = True
    return np.asarray(unlisted | np.isin(items.ids, excluded.everywhere))


def places_in_rows(matrix: Ints, rows: Ints, values: Ints) -> Ints:
    """Per pair of row and value the first column of the row, sorted, that is not below the value; the last if none."""
    low = np.zeros(len(rows), dtype=np.int64)
    high = np.full(len(rows), matrix.shape[1] - 1)
    for _ in range(matrix.shape[1].bit_length()):
        middle = (low + high) // 2
        is_below = matrix[rows, middle] < values
        low, high = np.where(is_below, np.minimum(middle + 1, high), low), np.where(is_below, high, middle)
    return low
