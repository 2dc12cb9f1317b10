"""`World`: a streaming platform with known truth that writes logs, keeps a live schedule and answers slates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from world.answer import Feedback, answer_slate
from world.attackers import with_attackers
from world.behaviours import Behaviour
from world.bonds import first_bonds
from world.catalogue import make_contents
from world.config import WorldConfig
from world.days import Day, State, live_through
from world.population import FIRST_STREAMER_ID, make_population
from world.schedule import make_schedule
from world.streams import Streams
from world.visits import Scene
from world.writer import Written, write_world


@dataclass(frozen=True)
class LiveBroadcast:
    """A broadcast that is on."""

    broadcast_id: int
    streamer_id: int
    started_at: datetime


class World:
    """A platform whose truth is known.

    Attributes:
        first: the state before the first day.
        state: the state that answers slates: `first`, or after `generate` that of the end of the last day.
    """

    def __init__(self, first: State, streams: Streams, behaviours: Sequence[Behaviour] = ()) -> None:
        self.first, self.state = first, first
        self._streams, self._behaviours = streams, tuple(behaviours)

    @classmethod
    def from_config(cls, config: WorldConfig, behaviours: Sequence[Behaviour] = ()) -> "World":
        streams = Streams(config.seed)
        population = make_population(config, streams)
        schedule = make_schedule(config, population.streamers, streams)
        contents = make_contents(config, population, schedule, streams)
        scene = Scene(config, population, schedule, contents)
        return cls(State(scene, first_bonds(config, population, streams)), streams, behaviours)

    def days(self) -> Iterator[Day]:
        """Live through every day of the config, always from the first state."""
        honest = live_through(self.first, self._behaviours, self._streams)
        for day in with_attackers(honest, self.first.scene.config, self._streams):
            self.state = day.after
            yield day

    def generate(self, out_dir: Path) -> list[Written]:
        """Write the canonical log, the truth and `world.json` below a folder; equal bytes for an equal config."""
        return list(write_world(self.first.scene, self.days(), self._streams, out_dir))

    def live_at(self, time: datetime) -> list[LiveBroadcast]:
        """The broadcasts that are truly on at a moment, by start."""
        schedule = self.state.scene.schedule
        return [
            LiveBroadcast(
                int(schedule.ids[row]),
                int(schedule.streamer[row]) + FIRST_STREAMER_ID,
                datetime.fromtimestamp(schedule.started[row], UTC),
            )
            for row in schedule.on_at(time.timestamp())
        ]

    def answer(self, slate: Sequence[int], user_id: int, time: datetime, rng: np.random.Generator) -> Feedback:
        """What a user does with a ranked slate of content and broadcast ids.

        Raises:
            UnknownItemError: the world has no such user or item.
        """
        return answer_slate(self.state.scene, self.state.bonds, (user_id, time.timestamp()), slate, rng)
