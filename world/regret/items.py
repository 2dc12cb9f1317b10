"""Items as arms: what comes after one target, contents (`watch_next`) or streamers that are live (`related_streamers`).

Those who ask are users whom the target's streamer pulls; the list holds what is nearest to the target of what can be
had at the moment.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bandit.arms import item_arm, streamer_arm
from contracts.names import Source
from world.bonds import pull
from world.population import FIRST_STREAMER_ID, Bools, Floats, Ints
from world.regret.problem import STEPS_PER_DAY, Problem, nearest, success_chances
from world.regret.setting import Setting

_SHELF_SECONDS: Final = 3 * 86_400.0


@dataclass(frozen=True)
class _Items:
    """What may stand on the lists, M rows; `streamer` and `names` alike."""

    streamer: Ints
    factors: Floats
    quality: Floats
    names: tuple[str, ...]
    parents: tuple[tuple[str, ...], ...]
    slots: int


def contents_problem(setting: Setting) -> Problem:
    """What comes after the newest content, before the run, of a streamer of middling size."""
    scene = setting.scene
    contents, target = scene.contents, _middling(setting)
    sources = np.where(contents.streamer == target, str(Source.REPRESENTATIVE), str(Source.CO_WATCHED))
    items = _Items(
        contents.streamer,
        contents.factors,
        contents.quality,
        tuple(item_arm(number) for number in (contents.ids).tolist()),
        tuple(
            (streamer_arm(FIRST_STREAMER_ID + owner), source)
            for owner, source in zip(contents.streamer.tolist(), sources.tolist(), strict=True)
        ),
        10,
    )
    to_be_had = [
        contents.available_at(time) & (contents.published > time - _SHELF_SECONDS) for time in setting.times.tolist()
    ]
    return _problem(setting, target, items, to_be_had)


def streamers_problem(setting: Setting) -> Problem:
    """Which streamers, live at the moment, are shown beside a streamer of middling size."""
    scene, target = setting.scene, _middling(setting)
    streamers, schedule = scene.population.streamers, scene.schedule
    sources = np.where(streamers.born > setting.times[0], str(Source.EXPLORATION_NEWCOMER), str(Source.CO_WATCHED))
    items = _Items(
        np.arange(len(streamers.size)),
        streamers.factors,
        streamers.quality,
        tuple(streamer_arm(number) for number in streamers.ids.tolist()),
        tuple((source,) for source in sources.tolist()),
        6,
    )
    live = np.zeros((len(setting.times), len(streamers.size)), bool)
    for step, time in enumerate(setting.times.tolist()):
        live[step, schedule.streamer[schedule.on_at(time)]] = True
    live[:, target] = False
    return _problem(setting, target, items, list(live))


def _middling(setting: Setting) -> int:
    """The streamer of median size among those who have contents before the run."""
    contents, size = setting.scene.contents, setting.scene.population.streamers.size
    owners = np.unique(contents.streamer[contents.published < setting.times[0]])
    return int(owners[np.argsort(size[owners], kind="stable")[len(owners) // 2]])


def _problem(setting: Setting, target: int, items: _Items, to_be_had: list[Bools]) -> Problem:
    scene = setting.scene
    near = items.factors @ scene.population.streamers.factors[target]
    steps, count = len(setting.times), setting.cut.list_length
    shown = np.zeros((steps, len(items.names)), bool)
    for step, allowed in enumerate(to_be_had):
        shown[step, nearest(near, allowed, count)] = True
    ever = np.flatnonzero(shown.any(axis=0))
    people = _audience(setting, target)
    ties = setting.world.first.bonds.ties[np.ix_(people, items.streamer[ever])]
    daily = [
        success_chances(scene.config.choice, taste[people], items.factors[ever], items.quality[ever], ties).mean(axis=0)
        for taste in setting.tastes
    ]
    return Problem(
        arms=tuple(items.names[row] for row in ever),
        parents=tuple(items.parents[row] for row in ever),
        features=setting.learned(items.factors[ever], "items"),
        candidates=1,
        slots=items.slots,
        chances=np.repeat(daily, STEPS_PER_DAY, axis=0),
        shown=shown[:, ever],
        requests=setting.requests(),
    )


def _audience(setting: Setting, target: int) -> Ints:
    """Users by how strongly the target pulls them."""
    scene = setting.scene
    users = np.arange(len(scene.population.users.activity))
    logs = pull(scene.config.choice, scene.population, users)[:, target]
    rng = setting.streams.rng("audience")
    count = min(setting.cut.people, len(users))
    return np.argsort(-(logs + rng.gumbel(size=len(users))), kind="stable")[:count]
