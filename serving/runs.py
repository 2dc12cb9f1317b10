"""Runs of equal keys in sorted columns: one slice per user or list instead of one loop step per row."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from contracts.payload import Ids

Codes = npt.NDArray[np.int32]


def runs(*keys: Ids | Codes) -> Iterator[tuple[int, int]]:
    """Start and end of every run in which all keys stay equal."""
    length = len(keys[0])
    if length == 0:
        return
    changed = np.zeros(length - 1, bool)
    for key in keys:
        changed |= key[1:] != key[:-1]
    yield from pairwise([0, *(np.flatnonzero(changed) + 1).tolist(), length])
