"""What later issues switch on has its place: a behaviour changes people or plays; the honest world stays as it was."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from tests.world.configs import small
from world.plays import Plays
from world.population import Population
from world.visits import hour_starts
from world.world import World


@dataclass(frozen=True)
class EveningOutage:
    """Nothing is logged from 18 to 21 of the second day."""

    name: str = "outage"

    def people(self, day: date, population: Population, rng: np.random.Generator) -> Population:
        return population

    def plays(self, day: date, plays: Plays, rng: np.random.Generator) -> Plays:
        rng.random(100)
        starts = hour_starts(day, "UTC")
        lost = (plays.started >= starts[18]) & (plays.started < starts[21])
        return plays.take(~lost) if day == date(2026, 3, 3) else plays


@dataclass(frozen=True)
class Drift:
    """From the third day on everybody's taste is turned around."""

    name: str = "drift"

    def people(self, day: date, population: Population, rng: np.random.Generator) -> Population:
        if day != date(2026, 3, 4):
            return population
        return replace(population, users=replace(population.users, factors=-population.users.factors))

    def plays(self, day: date, plays: Plays, rng: np.random.Generator) -> Plays:
        return plays


def test_an_outage_takes_its_hours_and_leaves_the_days_before_untouched() -> None:
    honest, broken = (list(World.from_config(small(), behaviours).days()) for behaviours in ((), (EveningOutage(),)))
    assert (honest[0].plays.started == broken[0].plays.started).all()
    starts = hour_starts(date(2026, 3, 3), "UTC")
    hours = np.searchsorted(starts, broken[1].plays.started, side="right") - 1
    assert set(range(18, 21)).isdisjoint(hours.tolist())
    kept = set(honest[1].plays.started.tolist())
    assert 0 < len(hours) < len(kept)
    assert set(broken[1].plays.started.tolist()) < kept


def test_drift_turns_tastes_from_its_day_on_and_the_answers_follow() -> None:
    world = World.from_config(small(), [Drift()])
    days = list(world.days())
    first = world.first.scene.population.users.factors
    turned = [bool((day.scene.population.users.factors == -first).all()) for day in days]
    assert turned == [False, False, True, True]
    assert world.state.scene is days[-1].scene
