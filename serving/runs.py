"""Runs of equal keys in sorted columns: one slice per user or list instead of one loop step per row."""

import numpy as np
import numpy.typing as npt
from numba import types

from contracts.compiled import INTS, INTS_32, compiled, made
from contracts.payload import Ids

Codes = npt.NDArray[np.int32]


def run_edges(*keys: Ids | Codes) -> Ids:
    """Where every run begins in which all keys stay equal, and the end of the last; `[0]` for no rows."""
    length = len(keys[0])
    if length == 0:
        return np.zeros(1, np.int64)
    changed = np.zeros(length - 1, bool)
    for key in keys:
        changed |= key[1:] != key[:-1]
    return np.concatenate([[0], np.flatnonzero(changed) + 1, [length]])


@compiled(types.Tuple((made(types.int64), types.boolean))(INTS_32, INTS, INTS_32), alone=False)
def list_edges(codes: Codes, owners: Ids, ranks: Codes) -> tuple[Ids, bool]:
    """Where every run of one code and owner begins and the end of the last, and whether ranks rise within each."""
    count, rises = 0, True
    for row in range(len(codes)):
        if row == 0 or codes[row] != codes[row - 1] or owners[row] != owners[row - 1]:
            count += 1
        elif ranks[row] <= ranks[row - 1]:
            rises = False
    edges, place = np.empty(count + 1, np.int64), 0
    for row in range(len(codes)):
        if row == 0 or codes[row] != codes[row - 1] or owners[row] != owners[row - 1]:
            edges[place] = row
            place += 1
    edges[count] = len(codes)
    return edges, rises
