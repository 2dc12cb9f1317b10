"""The log holds what recommenders live on: who watched alike meets alike, beyond what is popular."""

from functools import cache

import numpy as np

from tests.world.configs import small
from world.days import Day
from world.population import Bools, Floats
from world.world import World

_RANK = 4


@cache
def _days(taste: float) -> tuple[Day, ...]:
    taste_free = {"watch_taste": taste, "click_taste": taste, "taste_weight": 1.5 * taste, "language_weight": 0.0}
    config = small(
        users={"count": 1_000, "curiosity": 0.7, "loyalty": 0.4},
        streamers={"count": 60, "categories": 6, "born_share": 0.0},
        choice=taste_free,
    )
    return tuple(World.from_config(config).days())


def _watched(days: tuple[Day, ...]) -> Floats:
    """Plays by user and streamer."""
    users, streamers = days[0].bonds.ties.shape
    plays = np.zeros((users, streamers))
    for day in days:
        np.add.at(plays, (day.plays.user, day.plays.streamer), day.plays.is_click)
    return plays


def _chance_of_order(score: Floats, hits: Bools, open_pairs: Bools) -> float:
    """Share of (met, not met) pairs of streamers of one user that a score orders rightly: AUC per user, averaged."""
    areas = []
    for row in np.flatnonzero(hits.any(axis=1)):
        met, missed = score[row, hits[row]], score[row, open_pairs[row] & ~hits[row]]
        areas.append((met[:, None] > missed[None, :]).mean() + 0.5 * (met[:, None] == missed[None, :]).mean())
    return float(np.mean(areas))


def _areas(taste: float) -> tuple[float, float]:
    """Next day's discoveries, ordered by low-rank co-watching and by popularity."""
    days = _days(taste)
    before = _watched(days[:-1])
    open_pairs = before == 0
    hits = (_watched(days[-1:]) > 0) & open_pairs
    left, strength, right = np.linalg.svd(np.log1p(before), full_matrices=False)
    alike = (left[:, :_RANK] * strength[:_RANK]) @ right[:_RANK]
    popular = np.broadcast_to((before > 0).sum(axis=0).astype(float), before.shape)
    return _chance_of_order(alike, hits, open_pairs), _chance_of_order(popular, hits, open_pairs)


def test_users_who_watched_alike_discover_alike_beyond_popularity() -> None:
    alike, popular = _areas(taste=0.8)
    assert popular > 0.55
    assert alike > popular + 0.05


def test_without_tastes_nothing_beats_popularity() -> None:
    alike, popular = _areas(taste=0.0)
    assert alike < popular + 0.01
