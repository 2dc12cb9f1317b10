"""Next-day metrics of several lists for the same users, from the places that were hit."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evaluation import metrics
from evaluation.intervals import Interval, bootstrap_means

METRICS = {
    "ndcg": metrics.ndcg,
    "recall": metrics.recall,
    "hit_rate": metrics.hit_rate,
    "map": metrics.average_precision,
}
RESAMPLES = 500


@dataclass(frozen=True)
class HitRows:
    """Relevant items found by one list, one row each.

    Args:
        users: (N,) user ids.
        ranks: (N,) place of the item in that user's list, 1 is the top.
    """

    users: npt.NDArray[np.int64]
    ranks: npt.NDArray[np.int64]


def score_lists(
    hits: dict[str, HitRows], relevant_users: npt.NDArray[np.int64], k: int, rng: np.random.Generator
) -> dict[str, dict[str, Interval]]:
    """Every metric of every list, with intervals over the users who have a relevant item.

    Args:
        hits: rows per list name; rows of users without a relevant item are left out.
        relevant_users: (R,) the user of each relevant item, one entry per item.

    Returns:
        list name -> metric name -> interval. All lists share the draws of users, so that they compare in pairs.
    """
    users, counts = np.unique(relevant_users, return_counts=True)
    columns = [_per_user(rows, users, counts, k) for rows in hits.values()]
    if not columns:
        return {}
    intervals = iter(bootstrap_means(np.concatenate(columns, axis=1), rng, RESAMPLES))
    return {name: {metric: next(intervals) for metric in METRICS} for name in hits}


def _per_user(rows: HitRows, users: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], k: int) -> metrics.PerUser:
    """(U, metrics) of one list."""
    index = np.searchsorted(users, rows.users)
    known = (index < len(users)) & (users[np.minimum(index, len(users) - 1)] == rows.users) if len(users) else index < 0
    matrix = metrics.hits_from_ranks(index[known], rows.ranks[known], len(users), k)
    return np.stack([metric(matrix, counts) for metric in METRICS.values()], axis=1)
