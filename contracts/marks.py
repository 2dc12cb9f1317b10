"""Marks of a user: what was seen, begun or hidden, as one packed string of fixed-width entries.

Little endian, per mark: i64 id, u32 unix second. Twelve bytes instead of the hundred that a member of a Redis sorted
set costs, and one read that needs no parsing. An id may stand twice: the later time holds.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contracts.errors import PayloadError

Ids = npt.NDArray[np.int64]
MARK: Final[np.dtype[Any]] = np.dtype([("id", "<i8"), ("at", "<u4")])
_LATEST: Final = 2**32 - 1


def pack_marks(times: Mapping[int, float]) -> bytes:
    """The packed string of ids with their unix seconds."""
    marks = np.empty(len(times), MARK)
    marks["id"] = np.fromiter(times, np.int64, len(times))
    marks["at"] = np.clip(np.fromiter(times.values(), np.float64, len(times)), 0, _LATEST)
    return marks.tobytes()


def read_marks(packed: bytes | None) -> npt.NDArray[Any]:
    """(N,) of `MARK`, as stored.

    Raises:
        PayloadError: not a whole number of marks.
    """
    if not packed:
        return np.empty(0, MARK)
    if len(packed) % MARK.itemsize:
        raise PayloadError(f"{len(packed)} bytes of marks are not a multiple of {MARK.itemsize}")
    return np.frombuffer(packed, MARK)


def merge_marks(known: bytes | None, new: bytes, oldest: float, most: int) -> bytes:
    """Both together: each id once with its latest time, none before `oldest`, at most the `most` latest.

    Args:
        oldest: Unix seconds.
    """
    latest: dict[int, int] = {}
    for mark in (*read_marks(known).tolist(), *read_marks(new).tolist()):
        latest[mark[0]] = max(mark[1], latest.get(mark[0], 0))
    kept = sorted((pair for pair in latest.items() if pair[1] >= oldest), key=lambda pair: (-pair[1], pair[0]))
    return pack_marks(dict(kept[:most]))
