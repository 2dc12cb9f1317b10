"""Bandit problems cut out of a world: which arms a context has at each moment, and how good each truly is.

An examined impression is a success when the item is clicked and its watch satisfies (a logit above 0): chances that the
choice model gives in closed form, averaged over the people who ask.

Letters: T steps of time, A arms that ever exist, D features, U people, N items.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.special import ndtr

from world.choice import CLIP, Encounter, click_chance
from world.config import ChoiceConfig
from world.population import Bools, Floats, Ints

STEP_SECONDS: Final = 1_800.0
STEPS_PER_DAY: Final = 48


@dataclass(frozen=True)
class Problem:
    """One context of the bandit, with its truth.

    Args:
        arms: (A,) as the bandit calls them.
        parents: (A,) chains.
        features: (A, D) as a trained model would know them.
        candidates: Of each arm.
        slots: Of a slate.
        chances: (T, A) of a success of an examined impression.
        shown: (T, A) arms that can be had.
        requests: (T,) expected.
    """

    arms: tuple[str, ...]
    parents: tuple[tuple[str, ...], ...]
    features: Floats
    candidates: int
    slots: int
    chances: Floats
    shown: Bools
    requests: Floats

    def still(self) -> "Problem":
        """The same platform on which nothing changes: the busiest list, its chances at that moment, even traffic."""
        step = int(np.argmax(self.shown.sum(axis=1)))
        steps = len(self.requests)
        return replace(
            self,
            chances=np.repeat(self.chances[step : step + 1], steps, axis=0),
            shown=np.repeat(self.shown[step : step + 1], steps, axis=0),
            requests=np.full(steps, self.requests.mean()),
        )


def success_chances(choice: ChoiceConfig, people: Floats, items: Floats, quality: Floats, is_tie: Bools) -> Floats:
    """(U, N) chance that each of some people clicks an examined item and is satisfied.

    Args:
        people: (U, D) tastes.
        items: (N, D) factors.
        quality: (N,)
        is_tie: (U, N) the item's streamer is one that the user comes back to.
    """
    affinity = np.sqrt(items.shape[1]) * people @ items.T
    qualities = np.broadcast_to(quality, affinity.shape)
    met = Encounter(np.full(affinity.shape, CLIP), affinity, qualities, is_tie, np.ones(affinity.shape))
    merit = choice.watch_taste * met.affinity + choice.watch_quality * met.quality + choice.watch_tie * met.is_tie
    # Without noise a watch satisfies when its merit does.
    satisfied = ndtr(merit / max(choice.watch_noise, 1e-9))
    return np.asarray(click_chance(choice, met) * satisfied)


def traffic(hour_weights: tuple[float, ...], days: int, requests_per_day: float) -> Floats:
    """(T,) expected requests of each step of whole days."""
    weights = np.repeat(np.asarray(hour_weights, float), STEPS_PER_DAY // 24)
    return np.asarray(np.tile(requests_per_day * weights / weights.sum(), days))


def nearest(scores: Floats, allowed: Bools, count: int) -> Ints:
    """The rows with the highest scores among the allowed."""
    rows = np.flatnonzero(allowed)
    return rows[np.argsort(-scores[rows], kind="stable")[:count]]
