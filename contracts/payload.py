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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contracts.errors import PayloadError
from contracts.names import ItemKind, Source

VERSION: Final = 1
MAX_COUNT: Final = 65_535
KINDS: Final = (ItemKind.LIVE, ItemKind.VOD, ItemKind.CLIP, ItemKind.STREAMER)
SOURCES: Final = tuple(Source)
"""Codes are positions: new sources are appended to the enumeration, never put between."""

_HEADER: Final = struct.Struct("<BBBBHHqqff")
_ITEMS_ARE_STREAMERS: Final = 1
_WIDTHS: Final[dict[int, np.dtype[Any]]] = {
    1: np.dtype("<u1"),
    2: np.dtype("<u2"),
    4: np.dtype("<u4"),
    8: np.dtype("<u8"),
}

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CandidateColumns:
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
        return _HEADER.pack(VERSION, 1, _ITEMS_ARE_STREAMERS, 0, 0, 0, 0, 0, 0.0, 0.0)
    return next(pack_lists(candidates, [0, len(candidates)]))


def pack_lists(candidates: CandidateColumns, edges: Sequence[int]) -> Iterator[bytes]:
    """The packed strings of many lists that follow each other in the columns, none empty; vectorised over all.

    Args:
        candidates: (K,) of all lists, L of them.
        edges: (L + 1,) where each list starts, and the end of the last one.

    Raises:
        PayloadError: as `pack`.
    """
    starts, ends = np.asarray(edges[:-1], np.intp), np.asarray(edges[1:], np.intp)
    sizes = ends - starts
    if len(sizes) == 0:
        return
    if int(sizes.max()) > MAX_COUNT:
        raise PayloadError(f"{int(sizes.max())} candidates in one list; at most {MAX_COUNT} fit")
    if not np.isfinite(candidates.scores).all():
        raise PayloadError("scores must be finite; a scorer let NaN or infinity through")
    own = np.logical_and.reduceat(candidates.item_ids == candidates.streamer_ids, starts).tolist()
    items = _Offsets.of(candidates.item_ids, starts, sizes)
    owners, index, owner_edges = _distinct(candidates.streamer_ids, sizes)
    streamers = _Offsets.of(owners, owner_edges[:-1], owner_edges[1:] - owner_edges[:-1])
    narrow, wide = index.astype(_WIDTHS[1]).tobytes(), index.astype(_WIDTHS[2]).tobytes()
    codes = (candidates.kinds << 6 | candidates.sources).tobytes()
    lows, highs, scores = _quantised(candidates.scores, starts, sizes)
    owner_bounds = owner_edges.tolist()
    for row, (start, stop) in enumerate(pairwise(edges)):
        first, last = owner_bounds[row : row + 2]
        head = _HEADER.pack(
            VERSION,
            items.widths[row],
            _ITEMS_ARE_STREAMERS if own[row] else 0,
            0 if own[row] else streamers.widths[row],
            stop - start,
            0 if own[row] else last - first,
            items.bases[row],
            0 if own[row] else streamers.bases[row],
            lows[row],
            highs[row],
        )
        owned = b""
        if not own[row]:
            places = narrow[start:stop] if last - first <= 256 else wide[2 * start : 2 * stop]
            owned = streamers.cut(row, first, last) + places
        yield b"".join((head, items.cut(row, start, stop), owned, codes[start:stop], scores[start:stop]))


def unpack(packed: bytes) -> CandidateColumns:
    """The columns of a packed list; scores are exact to 1/255 of the list's range.

    Raises:
        PayloadError: another version, a corrupt header, or fewer or more bytes than the header says.
    """
    if len(packed) < _HEADER.size:
        raise PayloadError(f"a list of {len(packed)} bytes is shorter than its header of {_HEADER.size}")
    version, item_width, flags, streamer_width, count, distinct, item_base, streamer_base, low, high = _HEADER.unpack(
        packed[: _HEADER.size]
    )
    if version != VERSION:
        raise PayloadError(f"list of payload version {version}; this reader knows {VERSION}")
    own = bool(flags & _ITEMS_ARE_STREAMERS)
    if item_width not in _WIDTHS or (not own and streamer_width not in _WIDTHS):
        raise PayloadError(f"id widths {item_width} and {streamer_width} are not 1, 2, 4 or 8")
    layout = [(count, _WIDTHS[item_width])]
    if not own:
        layout += [(distinct, _WIDTHS[streamer_width]), (count, _index_type(distinct))]
    layout += [(count, _WIDTHS[1]), (count, _WIDTHS[1])]
    columns = _split(packed[_HEADER.size :], layout)
    item_ids = _widen(columns[0], item_base)
    if own:
        streamer_ids = item_ids
    else:
        if count and int(columns[2].max()) >= distinct:
            raise PayloadError("a streamer index points past the list's streamers")
        streamer_ids = _widen(columns[1], streamer_base)[columns[2]]
    kinds, sources = (columns[-2] >> 6).astype(np.uint8), (columns[-2] & 63).astype(np.uint8)
    if count and int(sources.max()) >= len(SOURCES):
        raise PayloadError(f"source code {int(sources.max())} is unknown; this reader knows {len(SOURCES)}")
    scores = low + columns[-1].astype(np.float64) * ((high - low) / 255)
    return CandidateColumns(item_ids, kinds, streamer_ids, sources, scores.astype(np.float32))


@dataclass(frozen=True)
class _Offsets:
    """Ids of many lists as offsets from each list's smallest, in each width that some list needs."""

    bases: list[int]
    widths: list[int]
    encoded: dict[int, bytes]

    @classmethod
    def of(cls, ids: Ids, starts: npt.NDArray[np.intp], sizes: npt.NDArray[np.intp]) -> "_Offsets":
        bases = np.minimum.reduceat(ids, starts)
        # uint64 arithmetic wraps, so the offset is right even where max - min overflows int64.
        offsets = ids.view(np.uint64) - np.repeat(bases, sizes).view(np.uint64)
        largest = np.maximum.reduceat(offsets, starts)
        places = np.searchsorted([2**8 - 1, 2**16 - 1, 2**32 - 1], largest.astype(np.float64))
        widths = np.array(list(_WIDTHS))[places]
        encoded = {int(width): offsets.astype(_WIDTHS[int(width)]).tobytes() for width in np.unique(widths)}
        return cls(bases.tolist(), widths.tolist(), encoded)

    def cut(self, row: int, start: int, stop: int) -> bytes:
        """The bytes of one list's ids."""
        width = self.widths[row]
        return self.encoded[width][width * start : width * stop]


def _distinct(ids: Ids, sizes: npt.NDArray[np.intp]) -> tuple[Ids, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Each list's distinct ids in order, the place of each row's id among them, and where each list's begin."""
    lists = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((ids, lists))
    ranked, ranked_lists = ids[order], lists[order]
    is_new = np.ones(len(ids), bool)
    is_new[1:] = (ranked[1:] != ranked[:-1]) | (ranked_lists[1:] != ranked_lists[:-1])
    counts = np.bincount(ranked_lists[is_new], minlength=len(sizes))
    edges = np.concatenate([[0], np.cumsum(counts)])
    index = np.empty(len(ids), np.intp)
    index[order] = np.cumsum(is_new) - 1 - edges[ranked_lists]
    return ranked[is_new], index, edges


def _widen(offsets: npt.NDArray[Any], base: int) -> Ids:
    return (offsets.astype(np.uint64) + np.uint64(base % 2**64)).astype(np.int64)


def _index_type(distinct: int) -> np.dtype[Any]:
    return _WIDTHS[1] if distinct <= 256 else _WIDTHS[2]


def _quantised(
    scores: npt.NDArray[np.float32], starts: npt.NDArray[np.intp], sizes: npt.NDArray[np.intp]
) -> tuple[list[float], list[float], bytes]:
    """Each list's lowest and highest score, and every score in 255 steps between them."""
    # In float64: the difference of two float32 can overflow, and so can the scale of a very narrow range.
    exact = scores.astype(np.float64)
    lows, highs = np.minimum.reduceat(exact, starts), np.maximum.reduceat(exact, starts)
    ranges = highs - lows
    scales = np.divide(255.0, ranges, out=np.zeros(len(ranges)), where=ranges > 0)
    steps = np.rint((exact - np.repeat(lows, sizes)) * np.repeat(scales, sizes))
    return lows.tolist(), highs.tolist(), steps.astype(np.uint8).tobytes()


def _split(body: bytes, layout: list[tuple[int, np.dtype[Any]]]) -> list[npt.NDArray[Any]]:
    expected = sum(count * kind.itemsize for count, kind in layout)
    if len(body) != expected:
        raise PayloadError(f"list body of {len(body)} bytes where its header says {expected}")
    columns, start = [], 0
    for count, kind in layout:
        columns.append(np.frombuffer(body, kind, count, start))
        start += count * kind.itemsize
    return columns
