"""Attackers: accounts beside the honest people that want one VOD, the target, to rise.

The honest never meet them: their plays are added to the log of a day, so that the honest rows of a world are the same
with and without an attack. Accounts look like doubles of honest users to the platform, registered when they appear.

- fresh_bots: each watches the target in full, once.
- loop_bots: each watches the target in full, `loops` times; a day is too short for that, so players run side by side.
- streamer_farm: each watches in full every VOD of the target's streamer, and nothing else.
- idle_live: each leaves a player on live broadcasts for `idle_hours`, the target's streamer first.
- mimics: each lives for `honest_days` by the choice model of the honest, then watches the target in full, once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from contracts.clock import day_bounds
from contracts.errors import WorldConfigError
from world.bonds import first_bonds
from world.catalogue import FIRST_CONTENT_ID
from world.choice import LIVE, VOD
from world.config import AttackConfig, AttackKind, WorldConfig
from world.days import Day, State, live_through
from world.plays import Plays, Raid, join
from world.population import Floats, Ints, Users
from world.streams import Streams
from world.visits import Scene


@dataclass(frozen=True)
class _Plan:
    """An attack when its accounts appear.

    Args:
        doubles: Row of the honest user of whom each account is a double.
        begin: First moment of the day of the boost, in epoch seconds.
    """

    attack: AttackConfig
    scene: Scene
    target: int
    doubles: Ints
    begin: float
    end: float

    @property
    def accounts(self) -> Ints:
        """Rows of the accounts, after those of the honest users."""
        return len(self.scene.population.users.activity) + np.arange(len(self.doubles))


def with_attackers(days: Iterable[Day], config: WorldConfig, streams: Streams) -> Iterator[Day]:
    """The same days, with the raid of the configured attack from the day on which its accounts appear.

    Raises:
        WorldConfigError: the target is no VOD that is there on the day of the boost, or nobody watched one.
    """
    if config.attack is None:
        yield from days
        return
    first = config.first_day + timedelta(days=config.attack_begins - 1)
    raid, seconds = None, []
    for day in days:
        if raid is None:
            seconds.append(_watched_seconds(day))
        if day.day == first:
            raid = _raid(day, config.attack, np.sum(seconds, axis=0), streams)
        yield replace(day, raid=raid)


def _watched_seconds(day: Day) -> Floats:
    """Seconds that the honest watched of each content."""
    lasting = day.plays.take(day.plays.kind != LIVE)
    return np.bincount(lasting.item, lasting.seconds, len(day.scene.contents.streamer)).astype(np.float64)


def _raid(day: Day, attack: AttackConfig, watched: Floats, streams: Streams) -> Raid:
    config, people = day.scene.config, day.scene.population.users
    boost_day = config.first_day + timedelta(days=attack.day - 1)
    begin, end = (moment.timestamp() for moment in day_bounds(boost_day, config.time_zone))
    appears = day_bounds(day.day, config.time_zone)[0].timestamp()
    active = np.unique(day.plays.user[day.plays.is_click])
    rng = streams.rng("attackers")
    doubles = rng.choice(active, max(1, round(attack.share * len(active))), replace=False)
    plan = _Plan(attack, day.scene, _target(day.scene, attack, watched, (appears, end)), doubles, begin, end)
    accounts = replace(people.take(doubles), registered=np.full(len(doubles), appears))
    earlier = _honest_life(plan, accounts, day.day, streams) if attack.kind is AttackKind.MIMICS else {}
    return Raid(accounts, plan.target, {**earlier, boost_day: _BOOSTS[attack.kind](plan, rng)})


def _target(scene: Scene, attack: AttackConfig, watched: Floats, span: tuple[float, float]) -> int:
    """Row of the target: the configured VOD, else the one of median rank by seconds watched."""
    contents, (begin, end) = scene.contents, span
    there = ~contents.is_clip & (contents.published < begin) & (contents.removed >= end)
    if attack.target is not None:
        row = attack.target - FIRST_CONTENT_ID
        if not 0 <= row < len(there) or not there[row]:
            raise WorldConfigError(f"attack.target {attack.target} is no VOD that is there during the attack")
        return row
    candidates = np.flatnonzero(there & (watched > 0))
    if not len(candidates):
        raise WorldConfigError("nobody watched a VOD before the attack; name attack.target or attack on a later day")
    return int(candidates[np.argsort(watched[candidates], kind="stable")[(len(candidates) - 1) // 2]])


def _boost_once(plan: _Plan, rng: np.random.Generator) -> Plays:
    return _in_full(plan, plan.accounts, np.full(len(plan.accounts), plan.target), rng)


def _boost_often(plan: _Plan, rng: np.random.Generator) -> Plays:
    users = np.repeat(plan.accounts, plan.attack.loops)
    return _in_full(plan, users, np.full(len(users), plan.target), rng)


def _boost_streamer(plan: _Plan, rng: np.random.Generator) -> Plays:
    contents = plan.scene.contents
    is_own = ~contents.is_clip & (contents.streamer == contents.streamer[plan.target])
    vods = np.flatnonzero(is_own & (contents.published < plan.begin) & (contents.removed >= plan.end))
    return _in_full(plan, np.repeat(plan.accounts, len(vods)), np.tile(vods, len(plan.accounts)), rng)


def _in_full(plan: _Plan, users: Ints, items: Ints, rng: np.random.Generator) -> Plays:
    """Each user watches the item to its end, at any time of the day that leaves room for it."""
    length = plan.scene.contents.duration[items]
    room = np.maximum(plan.end - plan.begin - length, 0.0)
    started = plan.begin + room * rng.random(len(items))
    return _plays(users, VOD, items, plan.scene.contents.streamer[items], (started, length))


def _leave_live_on(plan: _Plan, rng: np.random.Generator) -> Plays:
    idle_seconds = 3_600 * plan.attack.idle_hours
    starts = plan.begin + rng.random(len(plan.accounts)) * max(plan.end - plan.begin - idle_seconds, 0.0)
    parts = [
        _left_on(plan, account, start, min(start + idle_seconds, plan.end))
        for account, start in zip(plan.accounts, starts, strict=True)
    ]
    return join(parts)


def _left_on(plan: _Plan, account: int, now: float, until: float) -> Plays:
    """One player: what it shows ends, and it goes on to the broadcast that stays longest, of the streamer if it can."""
    schedule, streamer = plan.scene.schedule, plan.scene.contents.streamer[plan.target]
    shown: list[tuple[int, float, float]] = []
    while now < until:
        on = schedule.on_at(now)
        if not len(on):
            later = schedule.started[schedule.started > now]
            now = float(later.min()) if len(later) else until
            continue
        best = int(on[np.lexsort((-schedule.ended[on], schedule.streamer[on] != streamer))[0]])
        end = min(float(schedule.ended[best]), until)
        shown.append((best, now, end))
        now = end
    item = np.array([row for row, _, _ in shown], dtype=np.int64)
    begins, ends = (np.array([play[place] for play in shown], dtype=np.float64) for place in (1, 2))
    return _plays(np.full(len(item), account), LIVE, item, schedule.streamer[item], (begins, ends - begins))


def _plays(users: Ints, kind: int, items: Ints, streamers: Ints, span: tuple[Floats, Floats]) -> Plays:
    started, seconds = span
    nothing = np.zeros(len(items))
    chosen = np.ones(len(items), dtype=bool)
    return Plays(users, np.full(len(items), kind), items, streamers, started, seconds, nothing, chosen)


def _honest_life(plan: _Plan, accounts: Users, first: date, streams: Streams) -> dict[date, Plays]:
    """What the accounts play before the boost: a small world of their own, on the same shelves."""
    own = Streams(int(streams.rng("mimics").integers(1 << 31)))
    config = plan.scene.config.model_copy(update={"first_day": first, "days": plan.attack.honest_days, "attack": None})
    scene = replace(plan.scene, config=config, population=replace(plan.scene.population, users=accounts))
    state = State(scene, first_bonds(config, scene.population, own))
    lived = live_through(state, (), own)
    return {day.day: replace(day.plays, user=plan.accounts[day.plays.user]) for day in lived}


_BOOSTS: Mapping[AttackKind, Callable[[_Plan, np.random.Generator], Plays]] = {
    AttackKind.FRESH_BOTS: _boost_once,
    AttackKind.LOOP_BOTS: _boost_often,
    AttackKind.STREAMER_FARM: _boost_streamer,
    AttackKind.IDLE_LIVE: _leave_live_on,
    AttackKind.MIMICS: _boost_once,
}
