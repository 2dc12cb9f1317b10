from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.errors import EventError, EventVersionError
from contracts.feedback_events import Feedback
from contracts.names import FeedbackAction, ItemKind

PLAY = Feedback(
    request_id="r1",
    user_id=-(2**63),
    item_id=2**63 - 1,
    item_kind=ItemKind.CLIP,
    action=FeedbackAction.PLAY,
    watched_seconds=12.5,
    event_time=datetime(2026, 1, 30, 12, tzinfo=UTC),
    event_id="e1",
)
GOOD = (
    '{"version": 1, "request_id": "r1", "item_id": 5, "item_kind": "vod", "action": "play", "watched_seconds": 3,'
    ' "event_time": "2026-01-30T13:00:00+01:00"}'
)


def test_an_event_reads_back_equal() -> None:
    assert Feedback.from_json(PLAY.to_json()) == PLAY


def test_what_is_unset_is_not_written() -> None:
    event = Feedback.from_json(GOOD.encode())
    assert (event.user_id, event.streamer_id, event.event_id) == (None, None, None)
    assert b"null" not in event.to_json()
    assert event.event_time == datetime(2026, 1, 30, 12, tzinfo=UTC)


def test_an_event_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        PLAY.item_id = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (b"", EventError, "Invalid JSON"),
        (b"\xff\xfe", EventError, "Invalid JSON"),
        (b"[" * 100_000, EventError, "Invalid JSON"),
        (b"[]", EventError, "should be an object"),
        (b"{}", EventError, "request_id: Field required"),
        (b'{"version": 2, "anything": 1}', EventVersionError, "event of version 2; this reader knows 1"),
        (GOOD.replace("1,", "2,", 1).encode(), EventVersionError, "version 2"),
        (GOOD.replace('"version": 1', '"version": "1"').encode(), EventError, "version: "),
        (GOOD.replace('"vod"', '"film"').encode(), EventError, "item_kind: "),
        (GOOD.replace('"play"', '"like"').encode(), EventError, "action: "),
        (GOOD.replace('"play"', '"click"').encode(), EventError, "only a play has any"),
        (GOOD.replace(": 5", ": 5.0").encode(), EventError, "item_id: "),
        (GOOD.replace(": 5", ": true").encode(), EventError, "item_id: "),
        (GOOD.replace(": 5", ': "5"').encode(), EventError, "item_id: "),
        (GOOD.replace(": 5", ": 9223372036854775808").encode(), EventError, "item_id: "),
        (GOOD.replace(": 3,", ": -0.1,").encode(), EventError, "watched_seconds: "),
        (GOOD.replace(": 3,", ": NaN,").encode(), EventError, "watched_seconds: "),
        (GOOD.replace(": 3,", ": 1e999,").encode(), EventError, "watched_seconds: "),
        (GOOD.replace("+01:00", "").encode(), EventError, "event_time: "),
        (GOOD.replace('"2026-01-30T13:00:00+01:00"', "1769774400").encode(), EventError, "event_time: "),
        (GOOD.replace('"r1"', '""').encode(), EventError, "request_id: "),
        (GOOD.replace('"r1"', f'"{"r" * 129}"').encode(), EventError, "request_id: "),
        (GOOD.replace("}", ', "more": 1}').encode(), EventError, "more: "),
    ],
)
def test_what_is_no_event_is_named(text: bytes, error: type[EventError], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        Feedback.from_json(text)
    assert type(raised.value) is error


@pytest.mark.parametrize("wrong", [{"user_id": 2**63}, {"item_id": "5"}, {"watched_seconds": float("inf")}])
def test_a_sender_in_python_is_held_to_the_same(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Feedback(**{**PLAY.model_dump(), **wrong})
