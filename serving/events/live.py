"""Go-live, heartbeat and end events become leases."""

from collections.abc import Sequence

from contracts import redis_keys
from contracts.live_events import EndLive, GoLive, Heartbeat, live_event
from contracts.names import STREAM_LIVE
from serving.events.consumer import Received, Topic
from serving.stores.leases import Ending, LeaseDetails, LeaseStore, LeaseTerms, Renewal

LiveEvent = GoLive | Heartbeat | EndLive


def live_topic(store: LeaseStore, terms: LeaseTerms) -> Topic[LiveEvent]:
    """The stream of live events, taken into leases."""

    def handle(received: Sequence[Received[LiveEvent]], position: str) -> None:
        store.apply_live([to_change(one.event, one.received_at) for one in received], terms, position)

    return Topic(STREAM_LIVE, redis_keys.LIVE_POSITION, live_event, handle)


def to_change(event: LiveEvent, received_at: float | None) -> Renewal | Ending:
    """What an event asks of the leases."""
    if isinstance(event, EndLive):
        return Ending(event.streamer_id, event.broadcast_id)
    at = event.event_time.timestamp()
    started = at if event.started_at is None else event.started_at.timestamp()
    return Renewal(event.streamer_id, event.broadcast_id, started, at, _details(event), received_at)


def _details(event: GoLive | Heartbeat) -> LeaseDetails | None:
    said = LeaseDetails(event.title, event.category, event.language, event.min_age)
    return None if said == LeaseDetails() else said
