"""Runs of equal keys in sorted columns: one slice per user or list instead of one loop step per row."""

import numpy as np
import numpy.typing as npt

from contracts.payload import Ids

Codes = npt.NDArray[np.int32]


def run_edges(*keys: Ids | Codes) -> list[int]:
    """Where every run begins in which all keys stay equal, and the end of the last; `[0]` for no rows."""
    length = len(keys[0])
    if length == 0:
        return [0]
    changed = np.zeros(length - 1, bool)
    for key in keys:
        changed |= key[1:] != key[:-1]
    return [0, *(np.flatnonzero(changed) + 1).tolist(), length]
