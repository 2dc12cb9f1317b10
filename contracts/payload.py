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

Ids = npt.NDArray[np.int64]
VERSION: Final = 1
MAX_COUNT: Final = 65_535
KINDS: Final = (ItemKind.LIVE, ItemKind.VOD, ItemKind.CLIP, ItemKind.STREAMER)
SOURCES: Final = tuple(Source)
"""Codes are positions: new sources are appended to the enumeration, never put between."""

WIDTHS: Final[dict[int, np.dtype[Any]]] = {
    1: np.dtype("<u1"),
    2: np.dtype("<u2"),
    4: np.dtype("<u4"),
    8: np.dtype("<u8"),
}
"""Bytes of an unsigned id and how it is stored."""
HEADER: Final = struct.Struct("<BBBBHHqqff")
ITEMS_ARE_STREAMERS: Final = 1


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
