"""A day of a world's true schedule as events, through the consumer and a worker's mirror, in simulated time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
import redis

from contracts.clock import day_bounds
from contracts.live_events import EndLive
from contracts.names import STREAM_LIVE
from contracts.settings import LiveSettings, MirrorSettings
from serving.events.consumer import Consumer
from serving.events.live import live_topic
from serving.mirrors.live import LiveMirror
from serving.stores.leases import LeaseTerms
from serving.stores.redis_store import RedisStore
from tests.world.configs import small
from world.live_events import Pulse, Timed, live_events
from world.population import FIRST_STREAMER_ID
from world.schedule import Schedule
from world.streams import Streams
from world.world import World

LEASE_SECONDS = 90.0
TICK_SECONDS = 30.0


@dataclass
class Tally:
    """What look-ups said against what was true."""

    claims: int = 0
    wrong_after_an_end: int = 0
    wrong_after_a_crash: int = 0
    longest_after_a_crash: float = 0.0
    missed: int = 0
    other_broadcast: int = 0


class Replay:
    """The platform's clock, its events, and one worker."""

    def __init__(self, redis_url: str, begin: float) -> None:
        self.now = begin
        self.client = redis.Redis.from_url(redis_url)
        self.store = RedisStore.open(redis_url, 10_000, clock=lambda: self.now)
        terms = LeaseTerms(LEASE_SECONDS, 3_600.0, 10_000)
        self.consumer = Consumer(self.store, live_topic(self.store, terms), LiveSettings(batch_events=1_000))
        # The worker's own clock is off by some days, and runs since the machine was started.
        self.mirror = LiveMirror(self.store, MirrorSettings(block_ms=0), lambda: self.now - 1_234_567.0)

    def send(self, number: int, timed: Timed) -> None:
        """Append an event that arrives at a moment of the day."""
        self.client.xadd(STREAM_LIVE, {"e": timed.event.to_json()}, id=f"{round(timed.at * 1000)}-{number}")

    def tick(self, now: float) -> None:
        self.now = now
        self.consumer.catch_up()
        self.mirror.refresh()


def judge(tally: Tally, replay: Replay, schedule: Schedule, ended: set[int]) -> None:
    """Compare every streamer's look-up with the truth of this moment."""
    now = replay.now
    on, owners = schedule.on_at(now), schedule.streamer + FIRST_STREAMER_ID
    true = dict(zip(owners[on].tolist(), schedule.ids[on].tolist(), strict=True))
    streamers = np.unique(owners)
    table, rows = replay.mirror.lookup(streamers)
    ends = dict(zip(schedule.ids.tolist(), schedule.ended.tolist(), strict=True))
    for streamer, row in zip(streamers.tolist(), rows.tolist(), strict=True):
        claimed = int(table.broadcast_ids[row]) if row >= 0 else None
        tally.claims += claimed is not None
        tally.missed += claimed is None and streamer in true
        tally.other_broadcast += claimed is not None and streamer in true and claimed != true[streamer]
        if claimed is not None and streamer not in true:
            tally.wrong_after_an_end += claimed in ended
            tally.wrong_after_a_crash += claimed not in ended
            tally.longest_after_a_crash = max(tally.longest_after_a_crash, now - ends[claimed])


@pytest.fixture
def replay(redis_url: str) -> Iterator[Replay]:
    begin = day_bounds(small().first_day, "UTC")[0].timestamp()
    replay = Replay(redis_url, begin)
    yield replay
    replay.client.close()


def arrivals(events: list[Timed], seed: int | None) -> list[Timed]:
    """The events as they arrive: at once, or each twice and up to ten seconds late, so that many overtake others."""
    if seed is None:
        return events
    late = np.random.default_rng(seed).random(2 * len(events)) * 10
    twice = [replace(timed, at=timed.at + delay) for timed, delay in zip([*events, *events], late, strict=True)]
    return sorted(twice, key=lambda timed: timed.at)


@pytest.mark.parametrize(
    "seed",
    [pytest.param(None, id="in order"), pytest.param(3, id="each twice and out of order", marks=pytest.mark.slow)],
)
def test_nobody_who_ended_is_live_and_who_crashed_is_for_a_lease_at_most(replay: Replay, seed: int | None) -> None:
    config = small(streamers={"count": 60})
    scene = World.from_config(config).first.scene
    begin, end = replay.now, replay.now + 86_400
    waiting = arrivals(list(live_events(scene, begin, end, Pulse(crash_share=0.3), Streams(config.seed))), seed)
    ended: set[int] = set()
    tally, sent = Tally(), 0
    for now in np.arange(begin, end, TICK_SECONDS):
        while sent < len(waiting) and waiting[sent].at <= now:
            replay.send(sent, waiting[sent])
            event = waiting[sent].event
            ended |= {event.broadcast_id} if isinstance(event, EndLive) else set()
            sent += 1
        replay.tick(float(now))
        judge(tally, replay, scene.schedule, ended)
    assert len(ended) > 10
    assert tally.claims > 5_000
    assert (tally.wrong_after_an_end, tally.other_broadcast) == (0, 0)
    assert tally.wrong_after_a_crash > 0
    assert tally.longest_after_a_crash <= LEASE_SECONDS + (0 if seed is None else 10)
    if seed is None:
        assert tally.missed == 0
