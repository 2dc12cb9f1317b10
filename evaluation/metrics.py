"""Ranking metrics per user from hit matrices.

Letters: U users, K places of a list. Every metric takes `hits` (U, K), True where the item at that place is relevant,
and `relevant` (U,), how many items are relevant to each user (at least 1), and returns one value in [0, 1] per user;
the mean over users is the figure one reports. Lists shorter than K end in False.
"""

import numpy as np
import numpy.typing as npt

Hits = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]
PerUser = npt.NDArray[np.float64]


def hits_from_ranks(users: Counts, ranks: Counts, user_count: int, k: int) -> Hits:
    """The hit matrix of rows (user index, rank of a relevant item, 1 is the top); ranks beyond `k` are left out.

    Returns:
        (user_count, k)
    """
    hits = np.zeros((user_count, k), dtype=np.bool_)
    inside = ranks <= k
    hits[users[inside], ranks[inside] - 1] = True
    return hits


def hit_rate(hits: Hits, relevant: Counts) -> PerUser:
    """1 where any place is a hit."""
    _require_relevant(hits, relevant)
    return np.asarray(hits.any(axis=1), dtype=np.float64)


def recall(hits: Hits, relevant: Counts) -> PerUser:
    """Hits over all relevant items; cannot reach 1 for a user with more than K of them."""
    _require_relevant(hits, relevant)
    return np.asarray(hits.sum(axis=1) / relevant)


def average_precision(hits: Hits, relevant: Counts) -> PerUser:
    """Mean over min(K, relevant) of the precision at each hit; its mean over users is MAP@K."""
    _require_relevant(hits, relevant)
    places = np.arange(1, hits.shape[1] + 1)
    precision = hits.cumsum(axis=1) / places
    return np.asarray((precision * hits).sum(axis=1) / np.minimum(relevant, hits.shape[1]))


def ndcg(hits: Hits, relevant: Counts) -> PerUser:
    """Discounted gain 1 / log2(place + 1) over the ideal list's, which has min(K, relevant) hits on top.

    Reference: Järvelin and Kekäläinen, TOIS 2002, with binary gains.
    """
    _require_relevant(hits, relevant)
    discount = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    ideal = np.concatenate([[0.0], discount.cumsum()])
    return np.asarray((hits * discount).sum(axis=1) / ideal[np.minimum(relevant, hits.shape[1])])


def coverage(shown_items: int, catalogue_size: int) -> float:
    """Share of the catalogue that stands in at least one list."""
    return shown_items / catalogue_size if catalogue_size else 0.0


def gini(counts: Counts) -> float:
    """Concentration of the places over the shown items: 0 is even, towards 1 a few items take all.

    Args:
        counts: how often each shown item stands in a list.
    """
    if len(counts) == 0:
        return 0.0
    ordered = np.sort(counts).astype(np.float64)
    n = len(ordered)
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * ordered.sum()))


def _require_relevant(hits: Hits, relevant: Counts) -> None:
    if len(hits) != len(relevant):
        raise ValueError(f"{len(hits)} lists for {len(relevant)} users")
    if len(relevant) and relevant.min() < 1:
        raise ValueError("a user without a relevant item has no ranking metric; leave such users out")
