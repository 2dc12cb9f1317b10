"""The order in which a fused list is shown: what the user prefers and what is fresh goes up, no streamer fills it.

    shown score = fused score * (1 + a preference) * (1 + b freshness)

    preference  = the user's score of the item's streamer over that of the streamer they prefer most, 0 to 1
    freshness   = 2^(-age / half-life), 0 for what is old or of unknown age

with a and b set per surface. From the top down, a streamer's items beyond the cap are left out: a request keeps few of
a streamer, and a list full of one streamer's would leave it nothing to fill up with.
"""

from dataclasses import dataclass

import numpy as np

from jobs.transformations.fusion import ABSENT, Bools, Floats, Ints, Items, places_in_rows


@dataclass(frozen=True)
class PreferenceOrder:
    """How a surface orders what has been fused.

    Args:
        preference_weight, freshness_weight: a and b.
        max_per_streamer: Items of a streamer in a list.
        streamers: (U, P) preferred streamers, ascending, `ABSENT` behind the last.
        preferences: (U, P) preference of each, 0 to 1.
        fresh_contents: (N,) ascending ids of contents that are not old.
        freshness: (N,)
    """

    preference_weight: float
    freshness_weight: float
    max_per_streamer: int
    streamers: Ints
    preferences: Floats
    fresh_contents: Ints
    freshness: Floats

    def boosts(self, items: Items) -> Floats:
        """(U, W) by what to multiply the fused scores."""
        boosts = np.ones(items.ids.shape)
        if self.preference_weight > 0 and self.streamers.size > 0:
            boosts *= 1.0 + self.preference_weight * self._preference(items)
        if self.freshness_weight > 0 and self.fresh_contents.size > 0:
            boosts *= 1.0 + self.freshness_weight * self._freshness(items)
        return boosts

    def is_capped(self, ranked: Items) -> Bools:
        """(U, W) where a streamer has had its share of the places before."""
        if self.max_per_streamer >= ranked.ids.shape[1]:
            return np.zeros(ranked.ids.shape, dtype=np.bool_)
        order = np.argsort(ranked.streamers, axis=1, kind="stable")
        streamers = np.take_along_axis(ranked.streamers, order, axis=1)
        is_beyond = np.zeros(streamers.shape, dtype=np.bool_)
        cap = self.max_per_streamer
        is_beyond[:, cap:] = streamers[:, cap:] == streamers[:, :-cap]  # as many of the same stand before
        capped = np.empty_like(is_beyond)
        np.put_along_axis(capped, order, is_beyond, axis=1)
        return np.asarray(capped & (ranked.ids != ABSENT))

    def _preference(self, items: Items) -> Floats:
        users = np.repeat(np.arange(items.ids.shape[0]), items.ids.shape[1])
        wanted = items.streamers.ravel()
        places = places_in_rows(self.streamers, users, wanted)
        is_preferred = (self.streamers[users, places] == wanted) & (wanted != ABSENT)
        return np.where(is_preferred, self.preferences[users, places], 0.0).reshape(items.ids.shape)

    def _freshness(self, items: Items) -> Floats:
        places = np.minimum(np.searchsorted(self.fresh_contents, items.ids), len(self.fresh_contents) - 1)
        return np.where(self.fresh_contents[places] == items.ids, self.freshness[places], 0.0)
