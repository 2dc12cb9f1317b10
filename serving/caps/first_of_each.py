"""The first few rows of each group."""

import numpy as np

from contracts.payload import Ids
from serving.frame import Mask


def first_of_each(groups: Ids, most: int) -> Mask | None:
    """(K,) true for the first `most` rows of each group; None where no group has more."""
    if len(groups) <= most:
        return None
    order = groups.argsort(kind="stable")
    ranked = groups[order]
    # In order, a row is one too many where the row `most` places before it is of the same group.
    surplus = order[most:][ranked[most:] == ranked[:-most]]
    if not len(surplus):
        return None
    mask = np.ones(len(groups), bool)
    mask[surplus] = False
    return mask
