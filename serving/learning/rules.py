"""By which rules slates are judged, in the units of the streams."""

from dataclasses import dataclass
from typing import Final

from contracts.settings import BanditSettings

EARLY_MS: Final = 10_000
"""How much sooner than its slate feedback may stand in its stream: slates are appended in batches, and may wait."""


@dataclass(frozen=True)
class Rules:
    """Settings of judging.

    Args:
        window_ms: Feedback that arrives so long after its slate still counts.
        step_ms: Slates are judged in cells of this length, on a grid that does not depend on when anybody looks.
        is_click_enough: A click or any play is a success; else only a play of `valued_seconds`.
    """

    window_ms: int
    step_ms: int
    is_click_enough: bool
    valued_seconds: float
    prior_slates: float
    half_life_ms: float

    @classmethod
    def of(cls, bandit: BanditSettings) -> "Rules":
        return cls(
            max(1, round(bandit.attribution_minutes * 60_000)),
            max(1, round(bandit.step_seconds * 1_000)),
            bandit.reward == "click",
            bandit.valued_watch_seconds,
            bandit.examination_prior_slates,
            bandit.half_life_hours * 3_600_000,
        )

    def floor(self, at_ms: int) -> int:
        """The last edge of the grid that is not after a time."""
        return at_ms // self.step_ms * self.step_ms

    def ceiling(self, at_ms: int) -> int:
        """The end of the cell that a time is in; a cell holds its end, not its start."""
        return -(-at_ms // self.step_ms) * self.step_ms
