"""Which stages serve which surface, in order. No logic: lists."""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.names import Surface
from contracts.settings import Settings
from serving.filters.duplicate import DuplicateFilter
from serving.filters.hidden import HiddenFilter
from serving.filters.not_live import NotLiveFilter
from serving.filters.seen import SeenFilter
from serving.filters.streamer_cap import StreamerCapFilter
from serving.filters.target import TargetFilter
from serving.filters.visibility import VisibilityFilter
from serving.hydrators.live_broadcast import LiveBroadcastHydrator
from serving.hydrators.visibility import VisibilityHydrator
from serving.pipeline import Wiring
from serving.rerankers.thompson import ThompsonReranker
from serving.scorers.published import PublishedScorer
from serving.selectors.best_first import BestFirstSelector
from serving.side_effects.impressions import ImpressionLog
from serving.sources.personal import PersonalListSource
from serving.sources.segment import PopularListSource, SegmentListSource
from serving.sources.target import ChannelSource, NextContentsSource
from serving.stores.catalogue import Catalogue
from serving.stores.protocol import Store


@dataclass(frozen=True)
class Clients:
    """What stages are built of."""

    store: Store
    catalogue: Catalogue
    settings: Settings


def surfaces(clients: Clients) -> Mapping[Surface, Wiring]:
    """Every surface that is served."""
    store, serving = clients.store, clients.settings.serving
    ladder = (PersonalListSource(), SegmentListSource(store), PopularListSource(store))
    cap = StreamerCapFilter(serving.max_per_streamer)
    thompson = ThompsonReranker(store, clients.settings.bandit)
    log = ImpressionLog(store, serving.stream_max_length)
    contents = Wiring(
        sources=ladder,
        hydrators=(VisibilityHydrator(clients.catalogue),),
        filters=(DuplicateFilter(), SeenFilter(), HiddenFilter(), VisibilityFilter(), cap),
        scorer=PublishedScorer(),
        reranker=thompson,
        selector=BestFirstSelector(),
        side_effects=(log,),
        fills=True,
    )
    favorites = Wiring(
        sources=ladder,
        hydrators=contents.hydrators,
        filters=contents.filters,
        scorer=PublishedScorer(),
        reranker=thompson,
        selector=BestFirstSelector(),
        side_effects=(log,),
        fills=False,
    )
    live = Wiring(
        sources=ladder,
        hydrators=(LiveBroadcastHydrator(store), VisibilityHydrator(clients.catalogue)),
        filters=(NotLiveFilter(), DuplicateFilter(), SeenFilter(), HiddenFilter(), VisibilityFilter(), cap),
        scorer=PublishedScorer(),
        reranker=thompson,
        selector=BestFirstSelector(),
        side_effects=(log,),
        fills=True,
    )
    watch_next = Wiring(
        sources=(NextContentsSource(store), ChannelSource(store, clients.catalogue), *ladder),
        hydrators=contents.hydrators,
        filters=(TargetFilter(), *contents.filters),
        scorer=PublishedScorer(),
        reranker=thompson,
        selector=BestFirstSelector(),
        side_effects=(log,),
        fills=True,
        lists=Surface.HOME_CLIPS,
    )
    return {
        Surface.HOME_CLIPS: contents,
        Surface.CLIPS_FEED: contents,
        Surface.FAVORITES_CLIPS: favorites,
        Surface.HOME_LIVE: live,
        Surface.WATCH_NEXT: watch_next,
    }
