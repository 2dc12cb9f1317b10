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
from dataclasses import dataclass
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
    """The packed string of a list.

    Raises:
        PayloadError: more candidates than a list can hold.
    """
    count = len(candidates)
    if count > MAX_COUNT:
        raise PayloadError(f"{count} candidates in one list; at most {MAX_COUNT} fit")
    item_base, item_offsets = _narrow(candidates.item_ids)
    own = bool(np.array_equal(candidates.item_ids, candidates.streamer_ids))
    streamers, index = np.unique(candidates.streamer_ids, return_inverse=True)
    streamer_base, streamer_offsets = _narrow(streamers)
    low, high = _score_range(candidates.scores)
    header = _HEADER.pack(
        VERSION,
        item_offsets.itemsize,
        _ITEMS_ARE_STREAMERS if own else 0,
        0 if own else streamer_offsets.itemsize,
        count,
        0 if own else len(streamers),
        item_base,
        0 if own else streamer_base,
        low,
        high,
    )
    parts = [header, item_offsets.tobytes()]
    if not own:
        parts += [streamer_offsets.tobytes(), index.astype(_index_type(len(streamers))).tobytes()]
    parts += [(candidates.kinds << 6 | candidates.sources).tobytes(), _quantise(candidates.scores, low, high).tobytes()]
    return b"".join(parts)


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


def _narrow(ids: Ids) -> tuple[int, npt.NDArray[Any]]:
    if len(ids) == 0:
        return 0, np.empty(0, _WIDTHS[1])
    base = int(ids.min())
    # uint64 arithmetic wraps, so the offset is right even where max - min overflows int64.
    offsets = ids.astype(np.uint64) - np.uint64(base % 2**64)
    width = next(width for width in _WIDTHS if int(offsets.max()) < 2 ** (8 * width))
    return base, offsets.astype(_WIDTHS[width])


def _widen(offsets: npt.NDArray[Any], base: int) -> Ids:
    return (offsets.astype(np.uint64) + np.uint64(base % 2**64)).astype(np.int64)


def _index_type(distinct: int) -> np.dtype[Any]:
    return _WIDTHS[1] if distinct <= 256 else _WIDTHS[2]


def _score_range(scores: npt.NDArray[np.float32]) -> tuple[float, float]:
    if len(scores) == 0:
        return 0.0, 0.0
    if not np.isfinite(scores).all():
        raise PayloadError("scores must be finite; a scorer let NaN or infinity through")
    return float(scores.min()), float(scores.max())


def _quantise(scores: npt.NDArray[np.float32], low: float, high: float) -> npt.NDArray[np.uint8]:
    scale = 255 / (high - low) if high > low else 0.0
    # In float64: the difference of two float32 can overflow, and so can the scale of a very narrow range.
    return np.rint((scores.astype(np.float64) - low) * scale).astype(np.uint8)


def _split(body: bytes, layout: list[tuple[int, np.dtype[Any]]]) -> list[npt.NDArray[Any]]:
    expected = sum(count * kind.itemsize for count, kind in layout)
    if len(body) != expected:
        raise PayloadError(f"list body of {len(body)} bytes where its header says {expected}")
    columns, start = [], 0
    for count, kind in layout:
        columns.append(np.frombuffer(body, kind, count, start))
        start += count * kind.itemsize
    return columns
