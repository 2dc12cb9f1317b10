from collections import defaultdict

import numpy as np
import pytest

from contracts.clock import day_bounds
from contracts.live_events import EndLive, GoLive, Heartbeat
from tests.world.configs import small
from world.live_events import Pulse, Timed, live_events, paced
from world.population import FIRST_STREAMER_ID
from world.streams import Streams
from world.world import World

CONFIG = small()
SCENE = World.from_config(CONFIG).first.scene
BEGIN = day_bounds(CONFIG.first_day, CONFIG.time_zone)[0].timestamp()
END = BEGIN + 86_400


def events(pulse: Pulse) -> list[Timed]:
    return list(live_events(SCENE, BEGIN, END, pulse, Streams(CONFIG.seed)))


def test_every_broadcast_of_the_span_goes_live_lives_and_ends_at_its_true_times() -> None:
    found: dict[int, list[Timed]] = defaultdict(list)
    for timed in events(Pulse(60.0)):
        found[timed.event.broadcast_id].append(timed)
    schedule = SCENE.schedule
    rows = schedule.on_between(BEGIN, END)
    assert set(found) == set(schedule.ids[rows].tolist())
    for row in rows:
        first, *between, last = found[int(schedule.ids[row])]
        assert isinstance(first.event, GoLive)
        assert first.at == max(schedule.started[row], BEGIN)
        assert first.event.streamer_id == schedule.streamer[row] + FIRST_STREAMER_ID
        assert all(isinstance(timed.event, Heartbeat) for timed in between)
        assert isinstance(last.event, EndLive) == (schedule.ended[row] < END)
        assert last.at == schedule.ended[row] or schedule.ended[row] >= END
        steps = np.diff([first.at, *(timed.at for timed in between)])
        assert (steps == 60.0).all()


def test_events_come_by_time_and_equal_for_an_equal_seed() -> None:
    pulse = Pulse(300.0, 0.5)
    times = [timed.at for timed in events(pulse)]
    assert times == sorted(times)
    assert events(pulse) == events(pulse)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (1.0, 0.0)])
def test_a_broadcast_that_crashes_says_no_end(share: float, expected: float) -> None:
    ends = sum(isinstance(timed.event, EndLive) for timed in events(Pulse(300.0, share)))
    assert ends == expected * np.sum((SCENE.schedule.ended > BEGIN) & (SCENE.schedule.ended < END))


def test_events_are_paced_by_the_speed_and_catch_up_when_late() -> None:
    now, waits = [0.0], []

    def sleep(seconds: float) -> None:
        waits.append(round(seconds, 6))
        now[0] += seconds

    timed = [Timed(BEGIN + at, events(Pulse())[0].event) for at in (0.0, 60.0, 120.0, 180.0)]
    for number, _ in enumerate(paced(iter(timed), BEGIN, 60.0, lambda: now[0], sleep)):
        now[0] += 1.5 if number == 1 else 0.0
    assert waits == [0.0, 1.0, 0.0, 0.5]
