"""Payload v1: one candidate list as one packed string.

Little endian::

    u8  version (1)          u8  bytes of an item id (1, 2, 4 or 8)
    u8  flags                u8  bytes of a streamer id (1, 2, 4 or 8; 0 when the items are the streamers)
    u16 count K              u16 distinct streamers S
    i64 base of item ids     i64 base of streamer ids
    f32 lowest score         f32 highest score
    K x item id - base  |  S x streamer id - base  |  K x u8 or u16 streamer index (u16 where S > 256)
    K x u8 kind << 6 | source  |  K x u8 score, 255 steps from lowest to highest

Ids are unsigned offsets from the list's smallest, in the narrowest width that holds them, so any int64 is legal.
"""

import struct
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from contracts.errors import PayloadError
from contracts.names import ItemKind, Source
from contracts.packing import Ids, Lists, Offsets, cut, distinct, pieces, quantised

VERSION: Final = 1
MAX_COUNT: Final = 65_535
KINDS: Final = (ItemKind.LIVE, ItemKind.VOD, ItemKind.CLIP, ItemKind.STREAMER)
SOURCES: Final = tuple(Source)
"""Codes are positions: new sources are appended to the enumeration, never put between."""

HEADER: Final = struct.Struct("<BBBBHHqqff")
ITEMS_ARE_STREAMERS: Final = 1
_HEAD: Final = np.dtype(
    [
        ("version", "<u1"),
        ("item_width", "<u1"),
        ("flags", "<u1"),
        ("streamer_width", "<u1"),
        ("count", "<u2"),
        ("distinct", "<u2"),
        ("item_base", "<i8"),
        ("streamer_base", "<i8"),
        ("low", "<f4"),
        ("high", "<f4"),
    ]
)
"""`HEADER` for many lists at once."""


class CandidateColumns(msgspec.Struct, frozen=True):
    """A candidate list as columns of one length K, best first.

    Args:
        item_ids: (K,) content or streamer ids.
        kinds: (K,) uint8, positions in `KINDS`.
        streamer_ids: (K,) whose item it is.
        sources: (K,) uint8, positions in `SOURCES`.
        scores: (K,) float32.
    """

    item_ids: Ids
    kinds: npt.NDArray[np.uint8]
    streamer_ids: Ids
    sources: npt.NDArray[np.uint8]
    scores: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.item_ids)

    def take(self, index: npt.NDArray[np.bool_] | npt.NDArray[np.intp] | slice) -> "CandidateColumns":
        """The rows of a mask, an index array or a slice, in that order."""
        return CandidateColumns(
            self.item_ids[index], self.kinds[index], self.streamer_ids[index], self.sources[index], self.scores[index]
        )

    def followed_by(self, other: "CandidateColumns") -> "CandidateColumns":
        """These rows, then the other's."""
        return CandidateColumns(
            np.concatenate([self.item_ids, other.item_ids]),
            np.concatenate([self.kinds, other.kinds]),
            np.concatenate([self.streamer_ids, other.streamer_ids]),
            np.concatenate([self.sources, other.sources]),
            np.concatenate([self.scores, other.scores]),
        )


def nothing() -> CandidateColumns:
    """No candidate."""
    ids, codes = np.empty(0, np.int64), np.empty(0, np.uint8)
    return CandidateColumns(ids, codes, ids, codes, np.empty(0, np.float32))


def encode(values: Sequence[str], codes: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Positions of kinds or sources in `KINDS` or `SOURCES`.

    Raises:
        PayloadError: a value that this version has no code for.
    """
    position = {str(code): index for index, code in enumerate(codes)}
    try:
        return np.fromiter((position[str(value)] for value in values), np.uint8, len(values))
    except KeyError as error:
        raise PayloadError(f"payload v{VERSION} has no code for {error}; known are {', '.join(codes)}") from error


def pack(candidates: CandidateColumns) -> bytes:
    """The packed string of one list.

    Raises:
        PayloadError: more candidates than a list can hold, or a score that is no number.
    """
    if len(candidates) == 0:
        return HEADER.pack(VERSION, 1, ITEMS_ARE_STREAMERS, 0, 0, 0, 0, 0, 0.0, 0.0)
    return pack_lists(candidates, [0, len(candidates)])[0]


def pack_lists(candidates: CandidateColumns, edges: npt.ArrayLike) -> list[bytes]:
    """The packed strings of many lists that follow each other in the columns, none empty; vectorised over all.

    Args:
        candidates: (K,) of all lists, L of them; some hundred lists at once stay in the processor's cache.
        edges: (L + 1,) where each list starts, and the end of the last one.

    Raises:
        PayloadError: as `pack`.
    """
    bounds = np.asarray(edges, np.intp)
    lists = Lists.between(bounds)
    if len(lists.sizes) == 0:
        return []
    if int(lists.sizes.max()) > MAX_COUNT:
        raise PayloadError(f"{int(lists.sizes.max())} candidates in one list; at most {MAX_COUNT} fit")
    if not np.isfinite(candidates.scores).all():
        raise PayloadError("scores must be finite; a scorer let NaN or infinity through")
    items, streamers = (Offsets.of(ids, lists) for ids in (candidates.item_ids, candidates.streamer_ids))
    owners, index, owner_bounds = distinct(streamers.values, lists)
    counts = owner_bounds[1:] - owner_bounds[:-1]
    is_own = np.logical_and.reduceat(candidates.item_ids == candidates.streamer_ids, lists.starts)
    lows, highs, scores = quantised(candidates.scores, lists)
    heads = _heads(lists.sizes, items, streamers, np.where(is_own, 0, counts), is_own)
    heads["low"], heads["high"] = lows, highs
    parts = (
        cut(heads, np.arange(len(heads) + 1)),
        pieces(items.values, items.widths, bounds),
        _unless(is_own, pieces(owners, streamers.widths, owner_bounds)),
        _unless(is_own, pieces(index, np.where(counts <= 256, 1, 2), bounds)),
        cut(candidates.kinds << 6 | candidates.sources, bounds),
        cut(scores, bounds),
    )
    return list(map(b"".join, zip(*parts, strict=True)))


def _heads(
    sizes: npt.NDArray[np.intp],
    items: Offsets,
    streamers: Offsets,
    distinct_counts: npt.NDArray[np.intp],
    is_own: npt.NDArray[np.bool_],
) -> npt.NDArray[Any]:
    """(L,) headers without the scores' range."""
    heads = np.empty(len(sizes), _HEAD)
    heads["version"], heads["count"], heads["distinct"] = VERSION, sizes, distinct_counts
    heads["flags"] = np.where(is_own, ITEMS_ARE_STREAMERS, 0)
    heads["item_width"], heads["item_base"] = items.widths, items.bases
    heads["streamer_width"] = np.where(is_own, 0, streamers.widths)
    heads["streamer_base"] = np.where(is_own, 0, streamers.bases)
    return heads


def _unless(is_out: npt.NDArray[np.bool_], parts: list[bytes]) -> list[bytes]:
    """Nothing in place of the parts that are out."""
    if not is_out.any():
        return parts
    return [b"" if out else part for out, part in zip(is_out.tolist(), parts, strict=True)]
