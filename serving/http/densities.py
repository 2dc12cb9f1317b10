"""Beta posteriors as curves to draw."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bandit.arms import ArmSet
from bandit.outcomes import Floats
from bandit.posteriors import PosteriorEpoch
from contracts.payload import SOURCES

WIDTH: Final = 320
HEIGHT: Final = 44
"""Of a curve, in units of its drawing."""
_POINTS: Final = 240
_MOST: Final = 12
"""Curves that a person compares; where arms are contents there may be a hundred."""
_BELOW, _ABOVE = 0.05, 0.95
_CODES: Final = {str(source): code for code, source in enumerate(SOURCES)}


@dataclass(frozen=True)
class Curve:
    """The posterior of an arm.

    Args:
        colour: Of the arm's source; None where the arm is none.
        slots: Positions of the slate that the arm won.
        low: 5 % of the posterior lie below; 95 % below `high`.
        won: Decayed evidence, without the prior; so is `lost`.
        outline: SVG path of the density above the axis.
        belt: The part of it between low and high.
        middle: Where the mean is, in units of the drawing.
    """

    arm: str
    colour: int | None
    slots: int
    mean: float
    low: float
    high: float
    won: float
    lost: float
    outline: str
    belt: str
    middle: float


@dataclass(frozen=True)
class Plot:
    """Curves over one axis.

    Args:
        ticks: Places in units of the drawing, and what stands there.
        hidden: Arms that are not drawn.
    """

    curves: list[Curve]
    ticks: list[tuple[float, str]]
    hidden: int


def plot(posterior: PosteriorEpoch, arm_set: ArmSet, chosen: Sequence[str | None]) -> Plot:
    """The arms of a slate, highest mean first.

    Args:
        chosen: The arm of each position.
    """
    a, b = posterior.parameters(arm_set)
    means, spreads = a / (a + b), np.sqrt(a * b / (a + b + 1)) / (a + b)
    shown = np.argsort(-means, kind="stable")[:_MOST].tolist()
    reach = min(1.0, float((means + 4 * spreads)[shown].max(initial=0.01)))
    slots = Counter(chosen)
    curves = []
    for arm in shown:
        name = arm_set.arms[arm]
        grid, density, (low, high) = _beta(a[arm], b[arm], means[arm], spreads[arm])
        between = (grid >= low) & (grid <= high)
        won, lost = posterior.evidence(name)
        curves.append(
            Curve(
                name,
                _CODES.get(name),
                slots[name],
                float(means[arm]),
                low,
                high,
                won,
                lost,
                _path(grid, density, reach),
                _path(grid[between], density[between], reach),
                round(WIDTH * float(means[arm]) / reach, 1),
            )
        )
    return Plot(curves, _ticks(reach), len(a) - len(shown))


def _beta(a: float, b: float, mean: float, spread: float) -> tuple[Floats, Floats, tuple[float, float]]:
    """(G,) a grid where the mass lies, (G,) the density by its highest value, and the 5 % and 95 % quantiles."""
    first, last = max(0.0, mean - 6 * spread), min(1.0, mean + 8 * spread)
    # The middles of cells: the density may be infinite at 0 and at 1.
    grid = first + (last - first) * (np.arange(_POINTS) + 0.5) / _POINTS
    logs = (a - 1) * np.log(grid) + (b - 1) * np.log1p(-grid)
    density = np.exp(logs - logs.max())
    below = (np.cumsum(density) - density / 2) / density.sum()
    low, high = np.interp((_BELOW, _ABOVE), below, grid)
    return grid, density, (float(low), float(high))


def _path(grid: Floats, density: Floats, reach: float) -> str:
    """A closed outline down to the axis, of what lies within its reach."""
    inside = grid <= reach
    if not inside.any():
        return ""
    across, up = WIDTH * grid[inside] / reach, HEIGHT * (1 - 0.94 * density[inside])
    points = " ".join(f"L{x:.1f} {y:.1f}" for x, y in zip(across, up, strict=True))
    return f"M{across[0]:.1f} {HEIGHT} {points} L{across[-1]:.1f} {HEIGHT}Z"


def _ticks(reach: float) -> list[tuple[float, str]]:
    """Three to six round places from 0."""
    step = next(step for step in (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if reach / step <= 5)
    count = int(reach / step) + 1
    return [(round(WIDTH * place * step / reach, 1), f"{place * step:.3g}") for place in range(count)]
