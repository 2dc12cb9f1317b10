"""Scored pairs of users and streamers, in numpy: what a Spark worker runs per block of users.

A user's neighbours are hundreds of pairs of which ten are kept. Expanding and ranking them where they are takes a
fraction of the time of Spark's joins, aggregations and windows of such rows, and shuffles none of them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from contracts import columns as c
from jobs.transformations.fusion import Bools, Floats, Ints

USERS_AT_ONCE: Final = 1_000
"""Twenty preferred streamers with twenty related ones each: 400,000 pairs, 10 MB."""


@dataclass(frozen=True)
class Pairs:
    """Pairs with a score each, all arrays of one length.

    Args:
        users: Index of the user.
        items: Id of the streamer, or code of the category.
    """

    users: Ints
    items: Ints
    scores: Floats

    def where(self, keep: Bools | Ints) -> "Pairs":
        return Pairs(self.users[keep], self.items[keep], self.scores[keep])

    def followed_by(self, other: "Pairs") -> "Pairs":
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Pairs(*(np.concatenate(pair) for pair in pairs))

    def order(self) -> Ints:
        """Where the pairs are, by user and item."""
        return np.lexsort((self.items, self.users))

    def of_unit_length(self) -> "Pairs":
        """Scores whose squares add up to 1 for each user; 0 where all are 0."""
        lengths = np.sqrt(np.bincount(self.users, self.scores**2))[self.users]
        return self.with_scores(np.divide(self.scores, lengths, out=np.zeros_like(lengths), where=lengths > 0))

    def as_shares(self) -> "Pairs":
        """Scores that add up to 1 for each user."""
        return self.with_scores(self.scores / np.bincount(self.users, self.scores)[self.users])

    def added_up(self) -> "Pairs":
        """Each pair once, with the sum of its scores, by user and item."""
        (keys,) = _keys(self)
        _, first, place = np.unique(keys, return_index=True, return_inverse=True)
        sums = np.bincount(place, self.scores, minlength=len(first)).astype(np.float64)
        return self.where(first).with_scores(sums)

    def is_among(self, others: "Pairs") -> Bools:
        """Which of the pairs are among the others, too."""
        own, theirs = _keys(self, others)
        return np.isin(own, theirs)

    def best(self, length: int) -> tuple["Pairs", Ints]:
        """Each user's pairs of the highest scores, equal ones by item, and their ranks from 1."""
        ordered = self.where(np.lexsort((self.items, -self.scores, self.users)))
        ranks = np.arange(len(ordered.users)) - np.searchsorted(ordered.users, ordered.users) + 1
        return ordered.where(ranks <= length), ranks[ranks <= length]

    def with_scores(self, scores: Floats) -> "Pairs":
        return Pairs(self.users, self.items, scores)


@dataclass(frozen=True)
class Links:
    """Where one gets from a streamer or a category, sorted by where one comes from."""

    sources: Ints
    targets: Ints
    scores: Floats

    @classmethod
    def of(cls, sources: Ints, targets: Ints, scores: Floats) -> "Links":
        """Links in any order."""
        order = np.lexsort((targets, sources))
        return cls(sources[order], targets[order], scores[order])

    @classmethod
    def of_related(cls, related: pa.Table) -> "Links":
        """Rows of `related_streamer_v1`."""
        names = (c.STREAMER_ID, c.RELATED_STREAMER_ID, c.SCORE)
        return cls.of(*(related.column(name).to_numpy() for name in names))

    def follow(self, pairs: Pairs) -> Pairs:
        """What each pair's item leads to, by the product of both scores."""
        first, last = (np.searchsorted(self.sources, pairs.items, side=side) for side in ("left", "right"))
        counts = last - first
        rows = np.repeat(np.arange(len(counts)), counts)
        links = np.arange(len(rows)) - np.repeat(counts.cumsum() - counts - first, counts)
        return Pairs(pairs.users[rows], self.targets[links], pairs.scores[rows] * self.scores[links])


def related_scores(preferred: Pairs, related: Links) -> Pairs:
    """What relatedness to a user's preferred streamers adds up to.

        score(u, t) = sum over u's preferred streamers s of  w(u, s) related(s, t)      with w as in `related_streamers`

    Going through the streamer-by-streamer relatedness gives the sum over the user's neighbours without a user-by-user
    join. A streamer is related to itself by 1.
    """
    weights = preferred.of_unit_length()
    return weights.followed_by(related.follow(weights)).added_up()


def _keys(*parts: Pairs) -> list[Ints]:
    """A number per pair, equal for equal pairs."""
    _, codes = np.unique(np.concatenate([pairs.items for pairs in parts]), return_inverse=True)
    keys = np.concatenate([pairs.users for pairs in parts]) * (codes.max(initial=0) + 1) + codes
    return np.split(keys, np.cumsum([len(pairs.users) for pairs in parts])[:-1])
