"""Age limits."""

from dataclasses import dataclass

from serving.frame import Frame, Mask
from serving.kernels import drop_too_young
from serving.query import Query


@dataclass(frozen=True)
class AgeFilter:
    """Drops what the viewer is not old enough for.

    Args:
        unknown_age_years: Age of a viewer whose age the caller does not know.
    """

    unknown_age_years: int

    def drop(self, frame: Frame, may: Mask, query: Query) -> int | None:
        state, said = query.state, query.request.viewer_age_years
        age = self.unknown_age_years if said is None else said
        return drop_too_young(state.catalogue.min_ages(frame.rows), frame.live, state.live.min_ages, age, may)
