"""Regret of every policy on many platforms, with intervals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bandit.policies import registry
from contracts.names import Surface
from contracts.settings import BanditSettings
from evaluation.intervals import Interval, bootstrap_mean, paired_difference
from world.config import ChoiceConfig
from world.regret.items import contents_problem, streamers_problem
from world.regret.platforms import Platform
from world.regret.play import play
from world.regret.problem import Problem
from world.regret.setting import Setting
from world.regret.slates import UNIFORM
from world.regret.sources import sources_problem

POLICIES: Final = (*registry.POLICIES, UNIFORM)
"""The first is the one that others are compared with."""
STATIONARY: Final = "stationary"
DRIFTING: Final = "drifting"

Runs = dict[tuple[str, str, str], list[tuple[float, float]]]
"""By surface, kind and policy: regret and what the oracle got, one pair per world."""


@dataclass(frozen=True)
class Case:
    """The contexts of one surface of one world, as they are or standing still."""

    surface: str
    kind: str
    contexts: tuple[Problem, ...]
    choice: ChoiceConfig
    seed: int


def cases(platforms: Mapping[str, Platform], seeds: Sequence[int]) -> list[Case]:
    """All contexts of every world of some platforms; every world has a seed of its own."""
    return [
        case
        for place, platform in enumerate(platforms.values())
        for seed in (start + len(seeds) * place for start in seeds)
        for case in _of_world(platform.setting(seed), seed)
    ]


def _of_world(setting: Setting, seed: int) -> Iterator[Case]:
    cut = {
        Surface.HOME_CLIPS: (sources_problem(setting, False), sources_problem(setting, True)),
        Surface.WATCH_NEXT: (contents_problem(setting),),
        Surface.RELATED_STREAMERS: (streamers_problem(setting),),
    }
    choice = setting.scene.config.choice
    for surface, contexts in cut.items():
        yield Case(surface.value, STATIONARY, tuple(context.still() for context in contexts), choice, seed)
        yield Case(surface.value, DRIFTING, contexts, choice, seed)


def measure(of: Sequence[Case], policies: Sequence[str], settings: BanditSettings) -> Runs:
    """Play every policy on every case."""
    runs: Runs = {}
    for case in of:
        for policy in policies:
            played = [play(context, policy, settings, case.choice, case.seed) for context in case.contexts]
            pair = sum(run.regret for run in played), sum(float(run.best.sum()) for run in played)
            runs.setdefault((case.surface, case.kind, policy), []).append(pair)
    return runs


def shares(runs: Runs) -> dict[tuple[str, str, str], np.ndarray]:
    """(W,) regret as a percentage of what the oracle got, per world."""
    return {key: 100 * np.array([regret / best for regret, best in pairs]) for key, pairs in runs.items()}


def report(runs: Runs) -> list[dict[str, Any]]:
    """One row per surface, kind and policy: means over worlds with 95 % bootstrap intervals."""
    by_key = shares(runs)
    rows: list[dict[str, Any]] = []
    for (surface, kind, policy), share in by_key.items():
        rng = np.random.default_rng(len(rows))
        lost = np.array([regret for regret, _ in runs[surface, kind, policy]])
        against = paired_difference(share, by_key[surface, kind, POLICIES[0]], rng)
        rows.append(
            {
                "surface": surface,
                "platform": kind,
                "policy": policy,
                "worlds": len(share),
                "regret_percent": _rounded(bootstrap_mean(share, rng)),
                "cumulative_regret": _rounded(bootstrap_mean(lost, rng)),
                "percent_more_than_thompson": _rounded(against),
            }
        )
    return rows


def _rounded(interval: Interval) -> list[float]:
    return [round(value, 2) for value in (interval.mean, interval.low, interval.high)]
