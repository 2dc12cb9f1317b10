"""The place of what happens to the honest: outages take plays away, drift changes the people.

Attackers are beside them (`world.attackers`): the honest never meet them.
"""

from datetime import date
from typing import Protocol

import numpy as np

from world.plays import Plays
from world.population import Population


class Behaviour(Protocol):
    """Something that happens to the platform; it has random streams of its own, so the honest world stays the same."""

    name: str

    def people(self, day: date, population: Population, rng: np.random.Generator) -> Population:
        """The people of a day, before anything happens on it."""
        ...

    def plays(self, day: date, plays: Plays, rng: np.random.Generator) -> Plays:
        """The plays of a day as they reach the log."""
        ...
