"""What users did: marks that the very next request obeys, and events that the bandit learns from."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Final

from contracts.errors import InvalidRequestError
from contracts.feedback_events import Feedback as FeedbackRecord
from contracts.names import STREAM_FEEDBACK, FeedbackAction, ItemKind
from contracts.settings import CandidateSettings, ServingSettings, Settings
from serving.http.bodies import Feedback, FeedbackEvent
from serving.stores.protocol import MarkKey
from serving.stores.redis_feeds import STREAM_FIELD
from serving.stores.redis_users import drop_command, mark_command
from serving.stores.user_reads import Command

HIDE: Final = "hide"
_LOGGED: Final = frozenset(map(str, FeedbackAction))


def users_of(feedback: Feedback) -> list[int]:
    """Who is named.

    Raises:
        InvalidRequestError: an id that does not fit 64 bits.
    """
    return sorted({_id(event.user_id) for event in feedback.events if event.user_id is not None})


def to_commands(feedback: Feedback, erased: Collection[int], settings: Settings, at: datetime) -> list[Command]:
    """All that is to be written, none of which needs another's answer.

    Args:
        erased: Users who were erased: what they do is nobody's.

    Raises:
        InvalidRequestError: an event that makes no sense; then none is taken.
    """
    return [command for event in feedback.events for command in _of_event(event, erased, settings, at)]


def _of_event(event: FeedbackEvent, erased: Collection[int], settings: Settings, at: datetime) -> Iterator[Command]:
    item, user = _id(event.item_id), None if event.user_id is None else _id(event.user_id)
    when = _time(event.event_time, at)
    if event.action == HIDE and user is None:
        raise InvalidRequestError("to `hide` something an event needs a user_id")
    if event.watched_seconds is not None and event.action != FeedbackAction.PLAY:
        raise InvalidRequestError(f"watched_seconds stands beside `{event.action}`; only a play has any")
    if user in erased:
        user = None
    if user is not None:
        yield from _marks(event, user, item, when.timestamp(), settings)
    if event.request_id is not None and event.action in _LOGGED:
        record = FeedbackRecord(
            request_id=event.request_id,
            user_id=user,
            item_id=item,
            item_kind=ItemKind(event.item_kind),
            streamer_id=None if event.streamer_id is None else _id(event.streamer_id),
            action=FeedbackAction(event.action),
            watched_seconds=event.watched_seconds,
            event_time=when,
            event_id=event.event_id,
        )
        length = settings.serving.stream_max_length
        yield "XADD", STREAM_FEEDBACK, "MAXLEN", "~", length, "*", STREAM_FIELD, record.to_json()


def _marks(event: FeedbackEvent, user: int, item: int, when: float, settings: Settings) -> Iterator[Command]:
    serving = settings.serving
    if event.action in {HIDE, FeedbackAction.DISMISS}:
        is_streamer = event.item_kind == ItemKind.STREAMER
        key = MarkKey.HIDDEN_STREAMERS if is_streamer else MarkKey.HIDDEN_CONTENTS
        yield mark_command(key, user, {item: when}, serving.max_hidden_marks, _ttl(serving))
    elif event.action == FeedbackAction.PLAY and event.item_kind in {ItemKind.VOD, ItemKind.CLIP}:
        key = MarkKey.SEEN if is_seen(event, settings.candidates) else MarkKey.PROGRESS
        yield mark_command(key, user, {item: when}, serving.max_seen_marks, _ttl(serving))
        if key is MarkKey.SEEN:
            yield drop_command(MarkKey.PROGRESS, user, item)


def is_seen(event: FeedbackEvent, settings: CandidateSettings) -> bool:
    """Whether a play is long enough for the content to count as seen; the same rule as the batch's."""
    seconds = event.watched_seconds or 0.0
    share = seconds / event.duration_seconds if event.duration_seconds else 0.0
    return seconds >= settings.seen_seconds or share >= settings.seen_share


def _ttl(settings: ServingSettings) -> int:
    return max(1, round(settings.seen_ttl_days * 86_400))


def _id(text: str) -> int:
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise InvalidRequestError(f"id {text} does not fit 64 bits")
    return number


def _time(text: str | None, now: datetime) -> datetime:
    """The event's time; one from ahead of this clock counts as now."""
    if text is None:
        return now
    try:
        at = datetime.fromisoformat(text)
        # An offset may lead out of the years that there are.
        at = at if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequestError("event_time is not an ISO time like 2026-01-31T20:00:00+00:00") from error
    if at.tzinfo is None:
        raise InvalidRequestError("event_time needs an offset from UTC")
    return min(at, now)
