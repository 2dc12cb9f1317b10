"""How likely each arm's draw is the highest, by quadrature: no sampling noise, and no sampling in a request.

All integrals run over u = logit(theta) on one grid that is dense where some arm has its mass. There the density of a
Beta(a, b) is proportional to sigma(u)^a sigma(-u)^b, whose slope is known, so every integral is the trapezoid rule with
its end correction (error of fourth order in the step). Chances are right to about 1e-4.

Letters: A arms, G points of the grid, S slots.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bandit.outcomes import Floats

_CORE = np.linspace(-4.5, 4.5, 37)
"""Standard deviations around the mode."""
_TAIL = np.linspace(0.0, 1.0, 17)[1:] ** 2
_TAIL_REACH = 14.0
"""Towards minus infinity the density falls like exp(a u): beyond 14 / a lies a millionth."""
_TINY = 1e-300


@dataclass(frozen=True)
class Densities:
    """What arms' draws look like on a shared grid.

    Args:
        grid: (G,) rising.
        density: (A, G)
        slope: (A, G) derivative of the density.
        below: (A, G) chance that an arm's draw is lower.
    """

    grid: Floats
    density: Floats
    slope: Floats
    below: Floats

    @classmethod
    def of(cls, a: Floats, b: Floats) -> "Densities":
        """Of Beta posteriors (A,), (A,)."""
        grid = _grid(a, b)
        log_up, log_down = -np.logaddexp(0.0, -grid), -np.logaddexp(0.0, grid)
        logs = np.outer(a, log_up) + np.outer(b, log_down)  # (A, G)
        density = np.exp(logs - logs.max(axis=1, keepdims=True))
        slope = density * (a[:, None] - np.outer(a + b, np.exp(log_up)))
        mass = np.cumsum(_steps(grid, density, slope), axis=1)
        whole = mass[:, -1:]
        below = np.concatenate([np.zeros_like(whole), mass / whole], axis=1).clip(_TINY, 1.0)
        return cls(grid, density / whole, slope / whole, below)

    def best(self, available: npt.NDArray[np.bool_]) -> Floats:
        """(A,) chance of each arm to have the highest draw of those available; 0 for the others."""
        arms = np.flatnonzero(available)
        chances = np.zeros(len(available))
        highest = np.exp(np.log(self.below[arms]).sum(axis=0))  # (G,) all are below
        others = highest / self.below[arms]
        # d/du of the product of the others' distributions
        rising = others * ((self.density[arms] / self.below[arms]).sum(axis=0) - self.density[arms] / self.below[arms])
        value = self.density[arms] * others
        slope = self.slope[arms] * others + self.density[arms] * rising
        found = _steps(self.grid, value, slope).sum(axis=1).clip(0.0)
        chances[arms] = found / found.sum()
        return chances

    def ranked(self, order: npt.NDArray[np.intp]) -> Floats:
        """(S,) chance that one draw per arm puts each arm of `order` at its slot, given the slots above.

        With H_k(x) the chance that the first k are ordered so, the k-th above x, and F the others' distributions::

            H_k(x) = integral from x of f_k(u) H_{k-1}(u) du
            chance of the first k = integral of f_k(u) H_{k-1}(u) product F(u) du
        """
        hazard = self.density / self.below  # (A, G) d/du log F
        others, pushed = np.log(self.below).sum(axis=0), hazard.sum(axis=0)
        above, rising = np.ones(len(self.grid)), np.zeros(len(self.grid))
        chances, before = np.ones(len(order)), 1.0
        for slot, arm in enumerate(order[: len(self.density) - 1]):  # the last arm has no rival
            others, pushed = others - np.log(self.below[arm]), pushed - hazard[arm]
            value = self.density[arm] * above
            slope = self.slope[arm] * above + self.density[arm] * rising
            rest = np.exp(others)
            joint = max(_steps(self.grid, value * rest, (slope + value * pushed) * rest).sum(), _TINY)
            chances[slot] = min(joint / before, 1.0)
            above = np.cumsum(_steps(self.grid, value, slope)[::-1])[::-1].clip(0.0)
            # Long orders are so unlikely that their chance would underflow.
            scale = max(above[0], _TINY)
            above, rising, before = np.append(above, 0.0) / scale, -value / scale, joint / scale
        return chances


def _grid(a: Floats, b: Floats) -> Floats:
    mode, deviation = np.log(a / b), np.sqrt(1.0 / a + 1.0 / b)
    core = mode[:, None] + np.outer(deviation, _CORE)
    low = core[:, :1] - np.outer(_TAIL_REACH / a, _TAIL)
    high = core[:, -1:] + np.outer(_TAIL_REACH / b, _TAIL)
    return np.unique(np.concatenate([low, core, high], axis=1))


def _steps(grid: Floats, value: Floats, slope: Floats) -> Floats:
    """(..., G - 1) integral over each interval of the grid."""
    width = np.diff(grid)
    flat = (value[..., 1:] + value[..., :-1]) * (width / 2)
    return np.asarray(flat + (slope[..., :-1] - slope[..., 1:]) * (width**2 / 12))
