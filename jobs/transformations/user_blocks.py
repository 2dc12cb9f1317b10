"""Rows of users in Arrow, some users at a time: what a Spark worker gets and how much of it is worked on at once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from contracts import columns as c
from jobs.transformations.fusion import Ints


@dataclass(frozen=True)
class SomeUsers:
    """All rows of some users.

    Args:
        ids: (U,) the users, ascending.
        users: (rows,) index of each row's user, ascending.
        rows: In the order in which they came, user by user.
    """

    ids: Ints
    users: Ints
    rows: pa.Table


def some_users(rows: pa.Table, at_once: int) -> Iterator[SomeUsers]:
    """The rows of `at_once` users after the other.

    Args:
        rows: All rows of their users, in any order.
    """
    ids, users = np.unique(rows.column(c.USER_ID).to_numpy(), return_inverse=True)
    order = np.argsort(users, kind="stable")
    users, by_user = users[order], rows.combine_chunks().take(order)
    for start in range(0, len(ids), at_once):
        some = ids[start : start + at_once]
        first, last = np.searchsorted(users, [start, start + len(some)])
        yield SomeUsers(some, users[first:last] - start, by_user.slice(first, last - first))
