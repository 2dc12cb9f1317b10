"""Who met what, as one sparse matrix. Letters: U users, I items, E pairs."""

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


def interactions(user: Ids, item: Ids, worth: npt.ArrayLike, shape: tuple[int, int]) -> csr_array:
    """What each pair is worth, float32 [U, I]; of a pair that is there twice, the most.

    Args:
        user, item: Indices, [E].
        worth: Above 0; [E], or one number for all.
        shape: U and I.
    """
    values = np.broadcast_to(np.asarray(worth, dtype=np.float32), user.shape)
    order = np.lexsort((values, item, user))
    rows, columns, values = user[order], item[order], values[order]
    is_last = np.ones(len(rows), dtype=np.bool_)
    is_last[:-1] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
    return csr_array((values[is_last], (rows[is_last], columns[is_last])), shape=shape, dtype=np.float32)
