"""Sources as arms: which process should fill the slots of `home_clips` for a segment."""

from typing import Final

import numpy as np

from contracts.names import Source
from world.population import Bools, Floats, Ints
from world.regret.problem import STEPS_PER_DAY, Problem, success_chances
from world.regret.setting import Setting

_SOURCES: Final = (
    Source.PREFERRED,
    Source.TWO_TOWER,
    Source.POPULAR,
    Source.FRESH,
    Source.EXPLORATION_CO_WATCHED,
    Source.EXPLORATION_NEWCOMER,
)
_SLOTS: Final = 20
_SHELF_SECONDS: Final = 3 * 86_400.0
_EVERY: Final = 8
"""Steps for which lists stay: four hours."""
_PROPOSED: Final = 10
"""Items per user and source."""


def sources_problem(setting: Setting, is_heavy: bool) -> Problem:
    """The context of the more or of the less active half of the users."""
    activity = setting.scene.population.users.activity
    half = np.flatnonzero((activity > np.median(activity)) == is_heavy)
    rng = setting.streams.rng("people of home_clips", int(is_heavy))
    people = rng.choice(half, min(setting.cut.people, len(half)), replace=False)
    moments = range(0, len(setting.times), _EVERY)
    chances = np.repeat([_means(setting, people, step, rng) for step in moments], _EVERY, axis=0)
    shown = np.isfinite(chances)
    return Problem(
        arms=tuple(map(str, _SOURCES)),
        parents=(),
        features=np.eye(len(_SOURCES)),
        candidates=_SLOTS,
        slots=_SLOTS,
        chances=np.where(shown, chances, 0.0),
        shown=shown,
        requests=setting.requests(),
    )


def _means(setting: Setting, people: Ints, step: int, rng: np.random.Generator) -> Floats:
    """(A,) mean success chance of what each source proposes at a moment; NaN where it proposes nothing."""
    scene, bonds, time = setting.scene, setting.world.first.bonds, float(setting.times[step])
    contents = scene.contents
    shelf = np.flatnonzero(contents.available_at(time) & (contents.published > time - _SHELF_SECONDS))
    if not len(shelf):
        return np.full(len(_SOURCES), np.nan)
    streamer = contents.streamer[shelf]
    taste = setting.tastes[step // STEPS_PER_DAY][people]
    ties = bonds.ties[np.ix_(people, streamer)]
    truth = success_chances(scene.config.choice, taste, contents.factors[shelf], contents.quality[shelf], ties)
    # What a model knows of a user is yesterday's taste.
    known = setting.tastes[max(step // STEPS_PER_DAY - 1, 0)][people]
    learned = known @ setting.learned(contents.factors, "contents")[shelf, 1:].T
    born, size = scene.population.streamers.born[streamer], scene.population.streamers.size[streamer]
    age = np.broadcast_to(time - contents.published[shelf], truth.shape)
    everyone = np.ones(truth.shape, bool)
    unknown = ~bonds.known[np.ix_(people, streamer)]
    proposals = (
        (-age, ties),
        (learned, everyone),
        (np.broadcast_to(np.log(size), truth.shape) - age / 86_400, everyone),
        (-age, everyone),
        (learned, unknown),
        (rng.random(truth.shape), np.broadcast_to(born > setting.times[0], truth.shape)),
    )
    return np.array([_mean_of_best(truth, scores, allowed) for scores, allowed in proposals])


def _mean_of_best(truth: Floats, scores: Floats, allowed: Bools) -> float:
    count = min(_PROPOSED, truth.shape[1])
    ranked = np.where(allowed, scores, -np.inf)
    best = np.argpartition(-ranked, count - 1, axis=1)[:, :count]
    proposed = np.take_along_axis(allowed, best, axis=1)
    values = np.take_along_axis(truth, best, axis=1)
    return float(values[proposed].mean()) if proposed.any() else float("nan")
