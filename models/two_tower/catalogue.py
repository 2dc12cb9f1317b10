"""What can be recommended: contents and streamers as items of one space. Letter: I items."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch

from contracts import columns as c
from contracts.names import ContentKind, ItemKind, Visibility
from models.two_tower.features import KINDS, NO_TIME, age_buckets, duration_buckets
from models.two_tower.towers import ItemBatch
from models.two_tower.vocabulary import IntArray, Vocabularies, Vocabulary


@dataclass(frozen=True)
class Catalogue:
    """Items as columns, each [I]: contents first, then streamers, both by id.

    Args:
        kind: Index into `features.KINDS`.
        item_id: content_id or streamer_id.
        streamer_id: Whose it is.
        category: Name, empty where there is none.
        duration_seconds: NaN where there is none.
        published_us: Microseconds since 1970, NO_TIME where unknown.
        is_public: Whether it may be shown.
    """

    kind: IntArray
    item_id: IntArray
    streamer_id: IntArray
    category: npt.NDArray[np.str_]
    duration_seconds: npt.NDArray[np.float64]
    published_us: IntArray
    is_public: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.item_id)

    @property
    def is_streamer(self) -> npt.NDArray[np.bool_]:
        return self.kind == KINDS.index(ItemKind.STREAMER)

    def take(self, rows: npt.NDArray[Any]) -> "Catalogue":
        return Catalogue(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def index_of(self, ids: IntArray, is_streamer: bool) -> IntArray:
        """Index of each content or streamer, -1 where the catalogue has none."""
        offset = 0 if not is_streamer else int((~self.is_streamer).sum())
        rows = Vocabulary(self.item_id[self.is_streamer == is_streamer]).rows(ids)
        return np.where(rows == 0, -1, rows - 1 + offset)

    def batch(self, vocabularies: Vocabularies, at_us: int) -> ItemBatch:
        """Table rows of every item, with its age at a moment."""
        contents = vocabularies.contents.rows(self.item_id)
        streamers = vocabularies.streamer_item_rows(self.item_id)
        return ItemBatch(
            item=torch.from_numpy(np.where(self.is_streamer, streamers, contents)),
            streamer=torch.from_numpy(vocabularies.streamers.rows(self.streamer_id)),
            category=torch.from_numpy(vocabularies.categories.rows(self.category)),
            kind=torch.from_numpy(self.kind + 1),
            age=torch.from_numpy(age_buckets(self.published_us, at_us)),
            duration=torch.from_numpy(duration_buckets(self.duration_seconds)),
        )


def build_catalogue(contents: pa.Table, streamers: pa.Table | None, seen: pa.Table | None) -> Catalogue:
    """Contents and streamers as items.

    Args:
        contents: Rows of `content_v1`.
        streamers: Rows of `streamer_v1`, where the platform has such a table.
        seen: content_id, content_kind, streamer_id of watches: a content that the tables have forgotten can still
            teach, but is not public. None where only what can be shown matters.
    """
    parts = [_contents(contents)]
    owners = parts[0].streamer_id
    if seen is not None:
        parts.append(_forgotten(seen.filter(pc.not_equal(seen[c.CONTENT_KIND], ContentKind.LIVE)), parts[0].item_id))
        owners = np.concatenate([owners, _numpy(seen[c.STREAMER_ID])])
    together = _concatenate(parts)
    together = together.take(np.argsort(together.item_id, kind="stable"))
    return _concatenate([together, _streamers(streamers, np.unique(owners))])


def _contents(rows: pa.Table) -> Catalogue:
    is_clip = pc.equal(rows[c.CONTENT_KIND], ItemKind.CLIP)
    return Catalogue(
        kind=np.where(_numpy(is_clip), KINDS.index(ItemKind.CLIP), KINDS.index(ItemKind.VOD)),
        item_id=_numpy(rows[c.CONTENT_ID]),
        streamer_id=_numpy(rows[c.STREAMER_ID]),
        category=_text(rows[c.CATEGORY]),
        duration_seconds=_numpy(pc.fill_null(rows[c.DURATION_SECONDS], float("nan"))),
        published_us=microseconds(rows[c.PUBLISHED_AT]),
        is_public=_numpy(pc.equal(rows[c.VISIBILITY], Visibility.PUBLIC)),
    )


def _forgotten(seen: pa.Table, known: IntArray) -> Catalogue:
    ids, first = np.unique(_numpy(seen[c.CONTENT_ID]), return_index=True)
    first = first[~np.isin(ids, known)]
    rows = seen.take(pa.array(first))
    is_clip = _numpy(pc.equal(rows[c.CONTENT_KIND], ItemKind.CLIP))
    return Catalogue(
        kind=np.where(is_clip, KINDS.index(ItemKind.CLIP), KINDS.index(ItemKind.VOD)),
        item_id=_numpy(rows[c.CONTENT_ID]),
        streamer_id=_numpy(rows[c.STREAMER_ID]),
        category=np.full(len(first), ""),
        duration_seconds=np.full(len(first), np.nan),
        published_us=np.full(len(first), NO_TIME),
        is_public=np.zeros(len(first), dtype=np.bool_),
    )


def _streamers(rows: pa.Table | None, owners: IntArray) -> Catalogue:
    """Streamers of the table, and those who own a content though the table does not know them."""
    named = _numpy(rows[c.STREAMER_ID]) if rows is not None else np.empty(0, dtype=np.int64)
    ids = np.union1d(named, owners)
    category = np.full(len(ids), "", dtype=object)
    created = np.full(len(ids), NO_TIME)
    if rows is not None:
        place = np.searchsorted(ids, named)
        category[place] = _text(rows[c.CATEGORY])
        created[place] = microseconds(rows[c.CREATED_AT])
    return Catalogue(
        kind=np.full(len(ids), KINDS.index(ItemKind.STREAMER)),
        item_id=ids,
        streamer_id=ids,
        category=category.astype(np.str_),
        duration_seconds=np.full(len(ids), np.nan),
        published_us=created,
        is_public=np.ones(len(ids), dtype=np.bool_),
    )


def _concatenate(parts: list[Catalogue]) -> Catalogue:
    names = Catalogue.__dataclass_fields__
    return Catalogue(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def microseconds(times: pa.ChunkedArray) -> IntArray:
    """Microseconds since 1970, NO_TIME where null."""
    return _numpy(pc.fill_null(times.cast(pa.int64()), int(NO_TIME)))


def broadcast_of(content_id: IntArray, second: IntArray, ids: IntArray, begin: IntArray, end: IntArray) -> IntArray:
    """Place of the broadcast that each watch was of, -1 where it is none of them or lies outside its time, [E].

    Args:
        content_id, second: Of each watch, [E].
        ids: Of the broadcasts, ascending, [L].
        begin, end: Seconds since 1970, the end not included, [L].
    """
    if len(ids) == 0:
        return np.full(len(content_id), -1)
    place = np.searchsorted(ids, content_id).clip(max=len(ids) - 1)
    return np.where((ids[place] == content_id) & (begin[place] <= second) & (second < end[place]), place, -1)


def _text(values: pa.ChunkedArray) -> npt.NDArray[np.str_]:
    return _numpy(pc.fill_null(values, "")).astype(np.str_)


def _numpy(values: pa.ChunkedArray) -> npt.NDArray[Any]:
    return np.asarray(values.to_numpy())
