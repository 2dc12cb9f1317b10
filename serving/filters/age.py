"""Age limits."""

from dataclasses import dataclass

from serving.frame import Frame, Mask
from serving.kernels import old_enough
from serving.query import Query


@dataclass(frozen=True)
class AgeFilter:
    """Keeps what the viewer is old enough for.

    Args:
        unknown_age_years: Age of a viewer whose age the caller does not know.
    """

    unknown_age_years: int

    def keep(self, frame: Frame, query: Query) -> Mask | None:
        state, said = query.state, query.request.viewer_age_years
        age = self.unknown_age_years if said is None else said
        return old_enough(state.catalogue.min_ages(frame.rows), frame.live, state.live.min_ages, age)
