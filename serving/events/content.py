"""Takedowns and changes of visibility; what a published content becomes beside that is the fresh lane's."""

from collections.abc import Sequence

from contracts import redis_keys
from contracts.content_events import ContentChanged, ContentPublished, ContentTakenDown, content_event
from contracts.names import STREAM_CONTENT, Visibility
from contracts.settings import LiveSettings
from serving.events.consumer import Received, Topic
from serving.stores.leases import TakedownStore, VisibilityChange

ContentEvent = ContentPublished | ContentChanged | ContentTakenDown


def content_topic(store: TakedownStore, settings: LiveSettings) -> Topic[ContentEvent]:
    """The stream of content events, taken into what must not be shown."""

    def handle(received: Sequence[Received[ContentEvent]], position: str) -> None:
        changes = [change for one in received if (change := to_change(one.event)) is not None]
        store.apply_visibility(changes, settings.removed_hours * 3_600, settings.changes_length, position)

    return Topic(STREAM_CONTENT, redis_keys.CONTENT_POSITION, content_event, handle)


def to_change(event: ContentEvent) -> VisibilityChange | None:
    """What an event says of a content's visibility; a public one that appears for the first time says nothing new."""
    at = event.event_time.timestamp()
    if isinstance(event, ContentTakenDown):
        return VisibilityChange(event.content_id, at, True)
    is_public = event.visibility is Visibility.PUBLIC
    if isinstance(event, ContentPublished) and is_public:
        return None
    return VisibilityChange(event.content_id, at, not is_public)
