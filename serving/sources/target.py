"""The lists that go with what was just watched: the content's own, then its streamer's."""

from dataclasses import dataclass

from contracts.names import Surface
from serving.query import Level, Query
from serving.sources.unpacked import unpacked
from serving.stages import Fetched
from serving.stores.catalogue import Catalogue
from serving.stores.protocol import GenerationStore


@dataclass(frozen=True)
class NextContentsSource:
    """What is offered after the content that was watched."""

    store: GenerationStore
    level = Level.TARGET

    def fetch(self, query: Query) -> Fetched:
        content = query.request.after
        if content is None:
            return Fetched(None, "the request names no content that was watched")
        return unpacked(self.store.target_list(query.generation, Surface.WATCH_NEXT, content), f"content {content}")


@dataclass(frozen=True)
class ChannelSource:
    """The representative VODs and clips of the streamer whose content was watched."""

    store: GenerationStore
    catalogue: Catalogue
    level = Level.CHANNEL

    def fetch(self, query: Query) -> Fetched:
        streamer = None if query.request.after is None else self.catalogue.streamer(query.request.after)
        if streamer is None:
            return Fetched(None, f"the catalogue does not know whose content {query.request.after} is")
        packed = self.store.target_list(query.generation, Surface.CHANNEL_VODS, streamer)
        return unpacked(packed, f"the channel of streamer {streamer}")
