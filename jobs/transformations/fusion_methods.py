"""What a place in a source's ranking is worth, by three methods; a fused score adds it up over sources, weighted.

    reciprocal rank   1 / (rank offset + rank)                    Cormack, Clarke and Buettcher, SIGIR 2009
    weighted rank     1 - (rank - 1) / length                     Borda's count, of the list's length for every source
    weighted score    (score - lowest) / (highest - lowest)       of the user's scores of that source; CombSUM with
                                                                  min-max norm, Fox and Shaw 1994, Lee, SIGIR 1997

Ranks do not tell how much better the first is than the second, scores do, but only those of one source are comparable.
"""

import numpy as np

from contracts.names import FusionMethod
from jobs.transformations.fusion import Floats, Ranking


def parts(method: FusionMethod, ranking: Ranking, rank_offset: float, length: int) -> Floats:
    """(U, W) worth of each place, 0 where there is no item.

    Args:
        rank_offset: Of reciprocal ranks.
        length: Of the fused list, for weighted ranks.
    """
    match method:
        case FusionMethod.RECIPROCAL_RANK:
            return reciprocal_rank(ranking, rank_offset)
        case FusionMethod.WEIGHTED_RANK:
            return weighted_rank(ranking, length)
        case FusionMethod.WEIGHTED_SCORE:
            return weighted_score(ranking)


def reciprocal_rank(ranking: Ranking, rank_offset: float) -> Floats:
    """See the module."""
    ranks = np.arange(1.0, ranking.scores.shape[1] + 1)
    return np.where(ranking.is_there, 1.0 / (rank_offset + ranks), 0.0)


def weighted_rank(ranking: Ranking, length: int) -> Floats:
    """See the module; what stands behind the length is worth nothing."""
    ranks = np.arange(1.0, ranking.scores.shape[1] + 1)
    return np.where(ranking.is_there, np.maximum(0.0, 1.0 - (ranks - 1.0) / length), 0.0)


def weighted_score(ranking: Ranking) -> Floats:
    """See the module; where all scores of a user are equal, each is worth 1."""
    if ranking.scores.size == 0:
        return ranking.scores
    scores = np.where(ranking.is_there, ranking.scores, np.nan)
    has_items = ranking.is_there.any(axis=1)
    lowest, highest = (np.zeros((len(scores), 1)) for _ in range(2))
    lowest[has_items, 0], highest[has_items, 0] = (of(scores[has_items], axis=1) for of in (np.nanmin, np.nanmax))
    span = highest - lowest
    worth = np.divide(scores - lowest, span, out=np.ones_like(scores), where=span > 0)
    return np.where(ranking.is_there, worth, 0.0)
