"""The place of what is not everyday: attackers add plays, outages take some away, drift changes the people."""

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
