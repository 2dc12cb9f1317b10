"""Chooses the bandit's settings by coordinate search on platforms that no figure is reported of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bandit.policies import epsilon_greedy, linear_thompson, thompson
from contracts.settings import BanditSettings
from world.regret.report import Case, measure, shares

_GRID: Final[Sequence[tuple[str, str, tuple[float, ...]]]] = (
    (thompson.POLICY_ID, "exploration_scale", (0.02, 0.05, 0.1, 0.2, 1.0)),
    (thompson.POLICY_ID, "context_strength", (10.0, 30.0, 100.0)),
    (thompson.POLICY_ID, "source_strength", (3.0, 10.0, 30.0)),
    (thompson.POLICY_ID, "streamer_strength", (10.0, 30.0, 100.0)),
    (thompson.POLICY_ID, "prior_strength", (3.0, 10.0, 30.0)),
    (thompson.POLICY_ID, "half_life_hours", (36.0, 72.0, 144.0)),
    (thompson.POLICY_ID, "exploration_scale", (0.02, 0.05, 0.1, 0.2)),
    (epsilon_greedy.POLICY_ID, "epsilon", (0.01, 0.02, 0.05, 0.1)),
    (linear_thompson.POLICY_ID, "linear_noise", (0.001, 0.003, 0.01, 0.03, 0.1)),
    (linear_thompson.POLICY_ID, "linear_precision", (1.0, 10.0, 100.0)),
)
"""Policy, setting and the values tried, in this order; what is best so far stays for what follows.

`prior_strength` is a + b of the prior at its mean.
"""


@dataclass(frozen=True)
class Trial:
    """Mean regret in percent of the oracle, over surfaces, kinds and worlds, with one setting changed."""

    policy: str
    setting: str
    value: float
    regret_percent: float
    is_best: bool


def tune(on: Sequence[Case], start: BanditSettings) -> Iterator[tuple[list[Trial], BanditSettings]]:
    """The trials of each step of the search, and the settings that are best after it."""
    best = start
    for policy, setting, values in _GRID:
        tried = [changed(best, setting, value) for value in values]
        lost = [_mean(on, policy, settings) for settings in tried]
        winner = int(np.argmin(lost))
        best = tried[winner]
        yield (
            [
                Trial(policy, setting, value, round(loss, 3), place == winner)
                for place, (value, loss) in enumerate(zip(values, lost, strict=True))
            ],
            best,
        )


def changed(settings: BanditSettings, setting: str, value: float) -> BanditSettings:
    """The settings with one of them changed."""
    if setting != "prior_strength":
        return settings.model_copy(update={setting: value})
    scale = value / (settings.prior_successes + settings.prior_failures)
    betas = {"prior_successes": settings.prior_successes * scale, "prior_failures": settings.prior_failures * scale}
    return settings.model_copy(update=betas)


def _mean(on: Sequence[Case], policy: str, settings: BanditSettings) -> float:
    found = shares(measure(on, [policy], settings))
    return float(np.mean([share.mean() for share in found.values()]))
