"""Where problems are cut from: a world, and what the cut adds to it."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from contracts.clock import day_bounds
from world.population import Floats, unit
from world.regret.problem import STEP_SECONDS, STEPS_PER_DAY, traffic
from world.streams import Streams
from world.visits import Scene
from world.world import World


@dataclass(frozen=True)
class Cut:
    """How a platform is made into problems.

    Args:
        people: Users whose mean is an arm's chance.
        list_length: Arms shown at once, where arms are items.
        requests_per_day: Of one context.
        fashion_drift: How far everybody's taste, a unit vector, moves every night, in the same random direction.
        model_noise: Length of the error of each learned embedding, a unit vector.
    """

    people: int = 150
    list_length: int = 40
    requests_per_day: float = 600.0
    fashion_drift: float = 0.2
    model_noise: float = 0.5


@dataclass(frozen=True)
class Setting:
    """A world with the moments at which its bandit is asked: one every half hour.

    Args:
        times: (T,) unix seconds, at the beginning of each step.
        tastes: Per day (U, D).
    """

    world: World
    cut: Cut
    times: Floats
    tastes: tuple[Floats, ...]
    streams: Streams

    @classmethod
    def of(cls, world: World, cut: Cut) -> "Setting":
        config, factors = world.first.scene.config, world.first.scene.population.users.factors
        streams = Streams(config.seed)
        rng = streams.rng("fashions")
        tastes = [factors]
        for _ in range(config.days - 1):
            fashion = unit(rng.normal(size=(1, factors.shape[1])))
            tastes.append(unit(tastes[-1] + cut.fashion_drift * fashion))
        starts = [
            day_bounds(config.first_day + timedelta(days=day), config.time_zone)[0].timestamp()
            for day in range(config.days)
        ]
        within = STEP_SECONDS * np.arange(STEPS_PER_DAY)
        times = np.concatenate([start + within for start in starts])
        return cls(world, cut, times, tuple(tastes), streams)

    @property
    def scene(self) -> Scene:
        return self.world.first.scene

    def requests(self) -> Floats:
        """(T,) expected requests, by the world's hours."""
        return traffic(self.scene.config.hour_weights, self.scene.config.days, self.cut.requests_per_day)

    def learned(self, factors: Floats, concern: str) -> Floats:
        """(N, D + 1) what a model has learnt of items: a constant, and their factors with an error."""
        noise = self.streams.rng(f"model of {concern}").normal(size=factors.shape)
        learned = unit(factors + self.cut.model_noise * unit(noise)) if len(factors) else factors
        return np.column_stack([np.ones(len(factors)), np.sqrt(factors.shape[1]) * learned])
