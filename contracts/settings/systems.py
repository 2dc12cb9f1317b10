"""Settings of the batch systems, see docs/systems.md."""

from typing import Self

from pydantic import Field, model_validator

from contracts.names import ContentKind
from contracts.settings.section import Section


class PreferenceSettings(Section):
    """Preferred streamers."""

    half_life_days: float = Field(14.0, gt=0, description="Taste for a streamer halves in two weeks without a visit.")
    saturation_seconds: float = Field(600.0, gt=0, description="log1p(seconds / this): ten minutes say most of it.")
    kind_weights: dict[ContentKind, float] = Field(
        {ContentKind.LIVE: 1.0, ContentKind.VOD: 1.0, ContentKind.CLIP: 0.5},
        description="A clip is met by chance more often than chosen for its streamer.",
    )
    day_weight: float = Field(0.3, ge=0, description="Score per distinct (decayed) day: coming back is preference.")
    min_views: int = Field(2, ge=1, description="Fewer views of anything at all say nothing of a user.")
    min_score: float = Field(0.3, ge=0, description="Below it a streamer is noise; about three minutes once.")
    list_length: int = Field(20, ge=1, description="Preferred streamers per user.")
    full_every_days: int = Field(
        14,
        ge=1,
        description="Every so often a partition holds everybody, the others who came that day: more often costs the"
        " writer, more seldom the readers. At most eight half-lives, or the stored units would not fit.",
    )
    retention_days: int = Field(
        112, ge=1, description="A streamer not visited for so long is forgotten: eight half-lives leave 1/256."
    )

    @model_validator(mode="after")
    def _units_fit(self) -> Self:
        if self.full_every_days > 8 * self.half_life_days:
            raise ValueError("full_every_days is more than eight half-lives; make it smaller")
        return self


class ValuationSettings(Section):
    """Value of a view and of a content."""

    window_days: int = Field(14, ge=1, description="Days whose views give a user's and a content's usual watch time.")
    length_groups: int = Field(4, ge=1, description="Quantiles of a kind's lengths within which views are compared.")
    prior_views: float = Field(5.0, gt=0, description="Views' worth of shrinkage of a content to its wider group.")
    user_prior_views: float = Field(20.0, gt=0, description="Of a user's mean to 0: users differ less than contents.")
    group_prior_views: float = Field(
        100.0, gt=0, description="Of a length's mean to its kind's: few lengths, many views."
    )
    streamer_prior_viewers: float = Field(20.0, gt=0, description="Of a streamer's mean to their kind's.")
    valued_threshold: float = Field(0.6, ge=0, le=1, description="At or above it a view is a valued watch.")
    confidence_z: float = Field(0.5, gt=0, description="Ranks `world`'s contents best; shrinkage is caution already.")
    prior_streamers: float = Field(5.0, gt=0, description="Streamers beside the first at which an account counts half.")
    crowd_evidence: float = Field(
        7.0,
        gt=0,
        description="Log-likelihood ratio; honest days of `world` stay below it on all but 1 in 10,000 views.",
    )
    max_user_views_per_day: int = Field(200, ge=1, description="Views beyond it share this many views' weight.")
    max_single_streamer_views: int = Field(
        10, ge=1, description="The same for a day with one streamer: a fan's evening."
    )
    max_live_hours_per_day: float = Field(
        12.0, gt=0, le=24, description="Longer, nobody is there; honest users of `world` reach 11.6."
    )
    near_zero_seconds: float = Field(2.0, ge=0, description="A play this short is a skip.")
    near_zero_burst: int = Field(50, ge=1, description="This many skips within a day are a burst: no person's visit.")
    overlap_tolerance: float = Field(1.5, ge=1, description="Watched over elapsed time; a second screen is believed.")
    min_deviation: float = Field(1e-3, gt=0, description="Of watched shares; below it all watches are alike.")


class PopularitySettings(Section):
    """Recent popularity."""

    window_days: int = Field(14, ge=1, description="Seven half-lives: the rest is below 1 %.")
    half_life_days: float = Field(2.0, gt=0, description="Best on KuaiRand's next day (BENCHMARKS.md B).")
    list_length: int = Field(1_000, ge=1, description="Items per kind.")


class RepresentativeSettings(Section):
    """Representative VODs and clips of a streamer."""

    half_life_days: float = Field(7.0, gt=0, description="Age at which a VOD is worth half.")
    least_viewers: float = Field(0.5, ge=0, description="What viewers count who watch nobody else, all together.")
    unknown_age_days: float = Field(7.0, ge=0, description="For contents without a time of publication: a half-life.")
    duplicate_overlap: float = Field(
        0.2, gt=0, le=1, description="Shared part of the longer of two spans from which both show one moment."
    )
    list_length: int = Field(10, ge=1, description="VODs and clips per streamer.")


class NeighborSettings(Section):
    """Related streamers, streamer orientation and live candidates."""

    prior_support: float = Field(5.0, ge=0, description="Users who prefer both, at which relatedness counts half.")
    related_length: int = Field(20, ge=1, description="Related streamers per streamer: a user's twenty have 400.")
    visit_window_days: int = Field(28, ge=1, description="Days whose visits tell orientation, and returns apart.")
    prior_pairs: float = Field(10.0, ge=0, description="Pairs of visits' worth of shrinkage to what is expected.")
    min_orientation: float = Field(0.1, ge=0, le=1, description="From here on a user follows streamers.")
    return_length: int = Field(50, ge=0, description="Return quota: live candidates the user has watched.")
    discovery_length: int = Field(50, ge=0, description="Discovery quota: live candidates the user has not.")


class NextContentSettings(Section):
    """What is offered after a content."""

    max_contents: int = Field(30, ge=2, description="A user's newest valued ones: 435 pairs; 1,000 would have 500,000.")
    min_support: float = Field(2.0, ge=0, description="Users who valued both; fewer is chance, or somebody's bots.")
    prior_support: float = Field(5.0, ge=0, description="Users who valued both, at which closeness counts half.")
    list_length: int = Field(20, ge=1, description="Contents per content: a slate.")


class ExplorationSettings(Section):
    """Streamers for exploration, and which of their contents are shown."""

    window_days: int = Field(28, ge=2, description="Days whose views tell tastes and trends, and who is watched.")
    length: int = Field(10, ge=1, description="Streamers per user and kind.")
    categories: int = Field(3, ge=1, description="Categories of a user, by visits; further ones are whims.")
    per_category: int = Field(20, ge=1, description="Rising streamers, and newcomers, that a category has to offer.")
    recent_days: int = Field(3, ge=1, description="What has been rising for longer is popular by now.")
    prior_daily_viewers: float = Field(2.0, gt=0, description="From one viewer to three is no rise.")
    min_rise: float = Field(1.2, ge=1, description="Recent over earlier viewers a day, from which a streamer rises.")
    newcomer_days: int = Field(7, ge=1, description="First viewed less than this ago: new.")
    small_share: float = Field(0.5, ge=0, le=1, description="Share of streamers, by viewers, that counts as small.")
    min_viewers: int = Field(3, ge=1, description="Fewer viewers are a newcomer's friends.")
    prior_variance: float = Field(0.05, ge=0, description="Variance of values that three equal ones do not disprove.")
    confidence_z: float = Field(1.0, ge=0, description="Standard errors below the mean: what is likely, not possible.")
    lapsed_days: int = Field(7, ge=1, description="Who comes once a week has not lapsed; who missed a week has.")
    newest_days: int = Field(7, ge=1, description="Contents published less than this ago can be the newest.")
    newest_per_streamer: int = Field(2, ge=0, description="Newest contents that take turns with the best-valued.")


class FeatureSettings(Section):
    """Features of users and streamers."""

    window_days: int = Field(28, ge=1, description="Days of views that count.")
    history_length: int = Field(50, ge=1, description="Contents and streamers of a pooled history.")
    heavy_views: int = Field(30, ge=1, description="Views in the window that make a user `heavy`.")
    light_views: int = Field(5, ge=1, description="Fewer make a user `new`.")
