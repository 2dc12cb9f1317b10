"""The days of a world, one after the other: each begins with what the one before left."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from contracts.clock import days_between
from world.behaviours import Behaviour
from world.bonds import Bonds, adopted, next_day
from world.day import simulate_day
from world.plays import Plays, Raid
from world.population import Ints
from world.streams import Streams
from world.visits import Scene


@dataclass(frozen=True)
class State:
    """A world between two days."""

    scene: Scene
    bonds: Bonds


@dataclass(frozen=True)
class Day:
    """What a day brought: its beginning, the honest plays that reach the log, the rows that made ties, its end.

    Args:
        raid: What attackers add, from the day on which their accounts appear.
    """

    day: date
    scene: Scene
    bonds: Bonds
    plays: Plays
    new_ties: Ints
    after: State
    raid: Raid | None = None


def live_through(state: State, behaviours: Sequence[Behaviour], streams: Streams) -> Iterator[Day]:
    """Every day of the config in turn."""
    config = state.scene.config
    for day in days_between(config.first_day, config.last_day):
        scene = _changed(state.scene, day, behaviours, streams)
        plays = simulate_day(scene, state.bonds, day, streams)
        for behaviour in behaviours:
            plays = behaviour.plays(day, plays, streams.rng(f"{behaviour.name} plays", day.toordinal()))
        new_ties = adopted(config.bonds, state.bonds, plays, streams.rng("adoptions", day.toordinal()))
        endings = streams.rng("endings", day.toordinal())
        after = State(scene, next_day(config.bonds, state.bonds, plays, new_ties, endings))
        yield Day(day, scene, state.bonds, plays, new_ties, after)
        state = after


def _changed(scene: Scene, day: date, behaviours: Sequence[Behaviour], streams: Streams) -> Scene:
    for behaviour in behaviours:
        rng = streams.rng(f"{behaviour.name} people", day.toordinal())
        scene = replace(scene, population=behaviour.people(day, scene.population, rng))
    return scene
