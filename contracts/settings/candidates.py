"""Settings of the lists that are published."""

from pydantic import Field

from contracts.names import ExplorationKind, FusionMethod, Source, Surface
from contracts.settings.section import Section


class SurfaceSources(Section):
    """Sources of one surface, how they are fused and how the result is ordered."""

    weights: dict[Source, float]
    length: int = Field(100, ge=1, description="Candidates published per user.")
    fusion: FusionMethod = Field(
        FusionMethod.RECIPROCAL_RANK, description="Needs no scores that mean the same in every source."
    )
    preference_weight: float = Field(0.0, ge=0, description="Lift of the most preferred streamer: 1 doubles a score.")
    freshness_weight: float = Field(0.0, ge=0, description="Lift of what was published just now: 1 doubles a score.")
    max_per_streamer: int = Field(20, ge=1, description="In a list; a request shows fewer, and fills up with others.")


def _surface_defaults() -> dict[Surface, SurfaceSources]:
    """Chosen by `benchmarks/fusion_weights.py` on a platform and a day of KuaiRand of which no number is reported."""
    clips = SurfaceSources(
        weights={Source.TWO_TOWER: 1.0, Source.PREFERRED: 1.0, Source.POPULAR: 0.5},
        fusion=FusionMethod.WEIGHTED_SCORE,
        length=200,
        preference_weight=0.5,
        freshness_weight=2.0,
    )
    live = SurfaceSources(
        weights={Source.TWO_TOWER: 1.0, Source.PREFERRED: 0.25, Source.POPULAR: 0.5, Source.LIVE_NEIGHBORS: 0.1},
        fusion=FusionMethod.WEIGHTED_SCORE,
        length=100,
    )
    favorites = SurfaceSources(weights={Source.PREFERRED: 1.0}, length=100)
    # A feed goes on for long: it has room for what a home page risks less of.
    exploring = {kind.source: 0.3 for kind in ExplorationKind}
    feed = clips.model_copy(update={"weights": {**clips.weights, **exploring}})
    surfaces = (Surface.HOME_CLIPS, Surface.HOME_LIVE, Surface.FAVORITES_CLIPS, Surface.CLIPS_FEED)
    return dict(zip(surfaces, (clips, live, favorites, feed), strict=True))


class CandidateSettings(Section):
    """Fusion of sources into lists."""

    rank_offset: float = Field(60.0, ge=0, description="k of reciprocal rank fusion (Cormack et al., SIGIR 2009).")
    surfaces: dict[Surface, SurfaceSources] = Field(
        default_factory=_surface_defaults, description="Sources, weights and length per surface."
    )
    freshness_half_life_days: float = Field(2.0, gt=0, description="A clip is talked about for a few days.")
    seen_share: float = Field(0.5, ge=0, le=1, description="Watched share from which a content counts as seen.")
    seen_seconds: float = Field(300.0, ge=0, description="Or watched seconds, whichever comes first.")
    seen_window_days: int = Field(28, ge=1, description="Days of views that are looked at for `seen`.")
    earlier_views_are_seen: bool = Field(True, description="Views from before the log have no seconds; they were met.")
