"""Which stages serve which surface, in order. No logic: lists."""

from collections.abc import Mapping

from bandit.policies.registry import policy_named
from contracts.names import Surface
from contracts.settings import Settings
from serving.caps.duplicate import DuplicateCap
from serving.caps.moment_cap import MomentCap
from serving.caps.streamer_cap import StreamerCap
from serving.epochs import prior_epoch
from serving.filters.age import AgeFilter
from serving.filters.excluded import ExcludedFilter
from serving.filters.hidden import HiddenFilter
from serving.filters.language import LanguageFilter
from serving.filters.not_live import NotLiveFilter
from serving.filters.seen import SeenFilter
from serving.filters.visibility import VisibilityFilter
from serving.hydrators.catalogue_rows import CatalogueHydrator
from serving.hydrators.live_broadcast import LiveBroadcastHydrator
from serving.hydrators.live_mark import LiveMarkHydrator
from serving.pipeline import Wiring
from serving.query import Level
from serving.rerankers.as_listed import AsListedReranker
from serving.rerankers.reserved import Reserved
from serving.rerankers.source import SourceReranker
from serving.rerankers.target import TargetReranker
from serving.scorers.published import PublishedScorer
from serving.sources.begun import BegunSource
from serving.sources.fresh import FreshSource
from serving.sources.offline import OfflineStreamerSource
from serving.sources.personal import PersonalListSource
from serving.sources.segment import PopularListSource, SegmentListSource
from serving.sources.target import TargetListSource


def surfaces(settings: Settings) -> Mapping[Surface, Wiring]:
    """Every surface that is served."""
    serving = settings.serving
    policy, prior = policy_named(settings.bandit.policy), prior_epoch(settings.bandit)
    by_source = SourceReranker(policy, prior)
    reserved = Reserved(serving.min_return_share, serving.min_discovery_share)
    by_source_and_visit = SourceReranker(policy, prior, reserved)
    by_target = TargetReranker(policy, prior, serving.target_arms, serving.least_target_weight)
    personal, segment, popular = PersonalListSource(), SegmentListSource(), PopularListSource()
    limits = (LanguageFilter(), AgeFilter(serving.unknown_viewer_age_years))
    of_contents = (ExcludedFilter(), SeenFilter(), HiddenFilter(), VisibilityFilter(), *limits)
    of_streamers = (ExcludedFilter(), HiddenFilter(), *limits)
    moments, streamers = MomentCap(serving.max_per_moment), StreamerCap(serving.max_per_streamer)
    fresh = FreshSource(settings.fresh.candidates, serving.unknown_viewer_age_years)
    contents = Wiring(
        lanes=(fresh,),
        sources=(personal, segment, popular),
        hydrators=(CatalogueHydrator(),),
        filters=of_contents,
        caps=(DuplicateCap(), moments, streamers),
        scorer=PublishedScorer(),
        reranker=by_source_and_visit,
        fills=True,
    )
    favorites = Wiring(
        sources=contents.sources,
        hydrators=contents.hydrators,
        filters=of_contents,
        caps=(DuplicateCap(), moments, streamers),
        scorer=PublishedScorer(),
        reranker=by_source,
        fills=False,
    )
    live = Wiring(
        sources=(personal, OfflineStreamerSource(), segment, popular),
        hydrators=(LiveBroadcastHydrator(), CatalogueHydrator()),
        filters=(NotLiveFilter(), *of_contents),
        caps=(DuplicateCap(), streamers),
        scorer=PublishedScorer(),
        reranker=by_source_and_visit,
        fills=True,
    )
    watch_next = Wiring(
        sources=(
            TargetListSource(0, "content"),
            TargetListSource(1, "the channel of content", Level.CHANNEL),
            *contents.sources,
        ),
        hydrators=contents.hydrators,
        filters=of_contents,
        caps=(DuplicateCap(), moments, streamers),
        scorer=PublishedScorer(),
        reranker=by_target,
        fills=True,
        learns_target=True,
        targets=(Surface.WATCH_NEXT, Surface.CHANNEL_VODS),
        lists=Surface.HOME_CLIPS,
    )
    channel_vods = Wiring(
        sources=(TargetListSource(0, "streamer"),),
        hydrators=contents.hydrators,
        filters=of_contents,
        caps=(DuplicateCap(), moments),
        scorer=PublishedScorer(),
        reranker=AsListedReranker(),
        fills=True,
        targets=(Surface.CHANNEL_VODS,),
    )
    related_streamers = Wiring(
        sources=(TargetListSource(0, "streamer"),),
        hydrators=(LiveMarkHydrator(),),
        filters=of_streamers,
        caps=(DuplicateCap(),),
        scorer=PublishedScorer(),
        reranker=by_target,
        fills=True,
        learns_target=True,
        targets=(Surface.RELATED_STREAMERS,),
    )
    continue_watching = Wiring(
        sources=(BegunSource(),),
        hydrators=contents.hydrators,
        filters=of_contents,
        caps=(DuplicateCap(),),
        scorer=PublishedScorer(),
        reranker=AsListedReranker(),
        fills=False,
    )
    return {
        Surface.HOME_CLIPS: contents,
        Surface.CLIPS_FEED: contents,
        Surface.FAVORITES_CLIPS: favorites,
        Surface.HOME_LIVE: live,
        Surface.WATCH_NEXT: watch_next,
        Surface.CHANNEL_VODS: channel_vods,
        Surface.RELATED_STREAMERS: related_streamers,
        Surface.CONTINUE_WATCHING: continue_watching,
    }
