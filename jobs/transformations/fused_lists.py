"""The lists of some users out of all their source rows, in Arrow and numpy: what a Spark worker runs per block.

One sort per user over packed arrays takes a fraction of the time of Spark's joins, windows and aggregations of
(user, item) rows. Letters as in `fusion`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts import columns as c
from contracts.names import SURFACE_ITEM_KINDS, ExplorationKind, ItemKind, Source, Surface
from contracts.settings import SurfaceSources
from contracts.tables import CANDIDATE_LIST
from jobs.transformations.fusion import (
    ABSENT,
    Bools,
    Exclusions,
    Floats,
    Fused,
    Ints,
    Items,
    Ranking,
    fuse,
    padded,
    ranked,
)
from jobs.transformations.fusion_methods import parts
from jobs.transformations.preference_order import PreferenceOrder
from jobs.transformations.user_blocks import some_users

KINDS: Final = tuple(ItemKind)
ORIGIN: Final = "origin"
KIND_CODE: Final = "kind_code"
_STREAMER: Final = KINDS.index(ItemKind.STREAMER)
_USERS_AT_ONCE: Final = 1_000
"""Matrices of 1,000 users and 600 places: 5 MB each, whatever the size of a block."""


class Origin(IntEnum):
    """What a source row says of its user."""

    USER = 0
    PREFERRED = 1
    RETRIEVED = 2
    REMOVED = 3
    REMOVED_STREAMER = 4
    NEIGHBOR = 5
    CO_WATCHED = 6
    CATEGORY_RISING = 7
    NEWCOMER = 8
    LAPSED = 9


EXPLORED: Final = {kind.source: Origin[kind.name] for kind in ExplorationKind}
"""Where the streamers of each kind of exploration come from."""


@dataclass(frozen=True)
class SurfaceLists:
    """How the lists of a surface are fused."""

    surface: Surface
    settings: SurfaceSources

    @property
    def sources(self) -> tuple[Source, ...]:
        return tuple(self.settings.weights)

    @property
    def length(self) -> int:
        return self.settings.length

    @property
    def kinds(self) -> tuple[int, ...]:
        return tuple(KINDS.index(kind) for kind in SURFACE_ITEM_KINDS[self.surface])

    @property
    def lists_streamers(self) -> bool:
        return _STREAMER in self.kinds


@dataclass(frozen=True)
class Everybody:
    """What is the same for all users; small enough to go to every worker.

    Args:
        popular: `item_kind`, `item_id`, `streamer_id`, `score`.
        representative: `streamer_id`, `rank`, `content_kind`, `content_id`.
        explored: The same of contents for exploration, see `newest_contents.explored_contents`.
        fresh: `content_id`, ascending, and `recency` of contents that are not old.
        not_public: `content_id` of what nobody may get.
    """

    popular: pa.Table
    representative: pa.Table
    explored: pa.Table
    fresh: pa.Table
    not_public: pa.Table
    model_version: str | None
    available_at: datetime


@dataclass(frozen=True)
class _Rows:
    """Rows of some users, sorted by the users' index."""

    users: Ints
    origins: Ints
    kinds: Ints
    items: Ints
    streamers: Ints
    scores: Floats

    def where(self, keep: Bools | Ints | slice) -> "_Rows":
        return _Rows(*(values[keep] for values in vars(self).values()))

    def of(self, origin: Origin) -> "_Rows":
        return self.where(self.origins == origin)


@dataclass(frozen=True)
class FusedLists:
    """Makes all surfaces' lists of the users whose rows it gets."""

    surfaces: tuple[SurfaceLists, ...]
    rank_offset: float
    everybody: Everybody

    def __call__(self, rows: pa.Table) -> Iterator[pa.Table]:
        """Rows of `candidate_list_v1`, some users at a time.

        Args:
            rows: All source rows of these users, see `candidate_lists.source_rows`; in any order.
        """
        for some in some_users(rows, _USERS_AT_ONCE):
            columns = (some.rows.column(name).to_numpy() for name in SOURCE_COLUMNS[1:])
            yield self._lists(_Rows(some.users, *columns), some.ids)

    def _lists(self, rows: _Rows, ids: Ints) -> pa.Table:
        lists = []
        for surface in self.surfaces:
            rankings = [self._ranking(source, rows, surface, len(ids)) for source in surface.sources]
            worth = [
                weight * parts(surface.settings.fusion, ranking, self.rank_offset, surface.length)
                for weight, ranking in zip(surface.settings.weights.values(), rankings, strict=True)
            ]
            order, excluded = self._order(rows, surface, len(ids)), self._excluded(rows, surface)
            fused = fuse([ranking.items for ranking in rankings], worth, excluded, order, surface.length)
            lists.append(self._table(fused, surface, ids))
        return pa.concat_tables(lists)

    def _order(self, rows: _Rows, surface: SurfaceLists, user_count: int) -> PreferenceOrder:
        preferred = rows.of(Origin.PREFERRED)
        preferred = preferred.where(np.lexsort((preferred.streamers, preferred.users)))
        scores = padded(preferred.users, preferred.scores, user_count, 0.0)
        highest = scores.max(axis=1, keepdims=True, initial=0.0)
        fresh = self.everybody.fresh.slice(0, 0 if surface.lists_streamers else None)
        return PreferenceOrder(
            surface.settings.preference_weight,
            surface.settings.freshness_weight,
            surface.settings.max_per_streamer,
            padded(preferred.users, preferred.streamers, user_count, ABSENT),
            np.divide(scores, highest, out=np.zeros_like(scores), where=highest > 0),
            fresh.column(c.CONTENT_ID).to_numpy(),
            fresh.column(c.RECENCY).to_numpy(),
        )

    def _ranking(self, source: Source, rows: _Rows, surface: SurfaceLists, user_count: int) -> Ranking:
        if source == Source.POPULAR:
            return _popular(self.everybody.popular, rows, surface, user_count)
        if source == Source.TWO_TOWER:
            retrieved = rows.of(Origin.RETRIEVED)
            return _by_score(retrieved.where(np.isin(retrieved.kinds, surface.kinds)), user_count)
        if source == Source.LIVE_NEIGHBORS:
            return _by_score(rows.of(Origin.NEIGHBOR), user_count)
        if source in EXPLORED:
            streamers, contents = rows.of(EXPLORED[source]), self.everybody.explored
        else:
            streamers, contents = rows.of(Origin.PREFERRED), self.everybody.representative
        if surface.lists_streamers:
            return _by_score(streamers, user_count)
        return _by_score(_contents_of(streamers, contents), user_count).first(surface.length)

    def _excluded(self, rows: _Rows, surface: SurfaceLists) -> Exclusions:
        """Seen, hidden and private are said of contents; a streamer may come again, unless the user has hidden them."""
        streamers, removed = rows.of(Origin.REMOVED_STREAMER), rows.of(Origin.REMOVED)
        not_public = self.everybody.not_public.column(c.CONTENT_ID).to_numpy()
        if surface.lists_streamers:
            removed, not_public = removed.where(slice(0)), not_public[:0]
        return Exclusions(removed.users, removed.items, streamers.users, streamers.streamers, not_public)

    def _table(self, fused: Fused, surface: SurfaceLists, ids: Ints) -> pa.Table:
        users, places = np.nonzero(fused.items.ids != ABSENT)
        count = len(users)
        sources = [source.value for source in surface.sources]
        columns = {
            c.USER_ID: ids[users],
            c.SURFACE: _repeated(surface.surface.value, count),
            c.RANK: (places + 1).astype(np.int32),
            c.ITEM_KIND: _words([kind.value for kind in KINDS], fused.items.kinds[users, places]),
            c.ITEM_ID: fused.items.ids[users, places],
            c.STREAMER_ID: fused.items.streamers[users, places],
            c.SOURCE: _words(sources, fused.sources[users, places]),
            c.EXPLORATION_KIND: _words(_exploration_kinds(surface), fused.sources[users, places]),
            c.SCORE: fused.scores[users, places],
            c.MODEL_VERSION: _repeated(self.everybody.model_version, count),
            c.AVAILABLE_AT: pa.repeat(pa.scalar(self.everybody.available_at, pa.timestamp("us", tz="UTC")), count),
        }
        return pa.table(columns).cast(CANDIDATE_LIST.schema)


SOURCE_COLUMNS: Final = (c.USER_ID, ORIGIN, KIND_CODE, c.ITEM_ID, c.STREAMER_ID, c.SCORE)


def _popular(popular: pa.Table, rows: _Rows, surface: SurfaceLists, user_count: int) -> Ranking:
    """The same short ranking for everybody."""
    kinds = [KINDS[code].value for code in surface.kinds]
    wanted = popular.filter(pc.is_in(popular.column(c.ITEM_KIND), pa.array(kinds)))
    best = wanted.sort_by([(c.SCORE, "descending"), (c.ITEM_ID, "ascending")]).slice(0, surface.length)
    gets_them = np.zeros(user_count, dtype=np.bool_)
    gets_them[rows.users[np.isin(rows.origins, (Origin.USER, Origin.RETRIEVED))]] = True
    columns = (best.column(c.ITEM_ID), kind_codes(best.column(c.ITEM_KIND)), best.column(c.STREAMER_ID))
    items = Items(*(np.where(gets_them[:, np.newaxis], values.to_numpy(), ABSENT) for values in columns))
    return Ranking(items, np.where(gets_them[:, np.newaxis], best.column(c.SCORE).to_numpy(), -np.inf))


def _contents_of(preferred: _Rows, contents: pa.Table) -> _Rows:
    """Contents of preferred streamers, by the preference over the content's place at its streamer."""
    contents = contents.sort_by(c.STREAMER_ID)
    owners = contents.column(c.STREAMER_ID).to_numpy()
    first, last = (np.searchsorted(owners, preferred.streamers, side=side) for side in ("left", "right"))
    counts = last - first
    rows = np.repeat(np.arange(len(counts)), counts)
    picked = np.arange(len(rows)) - np.repeat(counts.cumsum() - counts - first, counts)
    liked = preferred.where(rows)
    return replace(
        liked,
        kinds=kind_codes(contents.column(c.CONTENT_KIND)).to_numpy()[picked],
        items=contents.column(c.CONTENT_ID).to_numpy()[picked],
        scores=liked.scores / contents.column(c.RANK).to_numpy()[picked],
    )


def _by_score(rows: _Rows, user_count: int) -> Ranking:
    fills = ((rows.items, ABSENT), (rows.kinds, 0), (rows.streamers, ABSENT))
    items = Items(*(padded(rows.users, values, user_count, fill) for values, fill in fills))
    return ranked(items, padded(rows.users, rows.scores, user_count, -np.inf))


def kind_codes(kinds: pa.ChunkedArray) -> pa.ChunkedArray:
    """Places in `KINDS`."""
    return pc.index_in(kinds, pa.array([kind.value for kind in KINDS])).cast(pa.int64())


def _words(words: Sequence[str | None], codes: Ints) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(words))


def _exploration_kinds(surface: SurfaceLists) -> list[str | None]:
    kinds = {kind.source: kind.value for kind in ExplorationKind}
    return [kinds.get(source) for source in surface.sources]


def _repeated(word: str | None, count: int) -> pa.Array:
    return _words([word], np.zeros(count, dtype=np.int64)) if word is not None else pa.nulls(count, pa.string())
