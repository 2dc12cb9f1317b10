"""Pages of one feed."""

import base64
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import CursorExpiredError, InvalidRequestError
from contracts.names import Surface
from contracts.tables import CANDIDATE_LIST
from serving.http.cursor import MAX_SERVED, next_cursor, with_cursor
from serving.http.replies import to_body
from serving.publish import publish
from serving.query import Request
from serving.slate import Slate
from serving.stores.protocol import MarkKey
from tests.serving.builders import DAY, NOW, candidate_rows, clips, write
from tests.serving.http.running import Running
from tests.serving.platform import Platform, ids

EVERY_ID = st.integers(-(2**63), 2**63 - 1)
ASKED = Request("r", 1, Surface.HOME_CLIPS, 5, NOW)


def array(*values: int) -> Any:  # noqa: ANN401
    return np.array(values, np.int64)


@given(st.sets(EVERY_ID, max_size=50), st.sets(EVERY_ID, max_size=50))
def test_a_cursor_carries_what_was_shown_and_the_generation(served: set[int], shown: set[int]) -> None:
    before = msgspec.structs.replace(ASKED, served=array(*sorted(served - shown)))
    cursor = next_cursor(before, "20260130-abcdef01", array(*shown))
    assert cursor is not None
    following = with_cursor(ASKED, cursor)
    assert following.served.tolist() == sorted(served | shown)
    assert following.generation == "20260130-abcdef01"


def test_a_cursor_goes_into_an_address_as_it_is() -> None:
    cursor = next_cursor(ASKED, "g", array(*range(0, 2**62, 2**54)))
    assert cursor is not None
    assert cursor.replace("-", "").replace("_", "").isalnum()


def test_what_would_carry_too_much_has_no_next_page() -> None:
    shown = array(*range(MAX_SERVED))
    assert next_cursor(ASKED, "g", shown) is not None
    assert next_cursor(msgspec.structs.replace(ASKED, served=array(-1)), "g", shown) is None


@pytest.mark.parametrize(
    "other",
    [{"user_id": 2}, {"user_id": None}, {"surface": Surface.CLIPS_FEED}, {"context": 5}],
)
def test_a_cursor_of_another_question_is_refused(other: dict[str, Any]) -> None:
    cursor = next_cursor(msgspec.structs.replace(ASKED, **other), "g", array(1)) or ""
    with pytest.raises(InvalidRequestError, match="the cursor belongs to another user, surface or context"):
        with_cursor(ASKED, cursor)


GIVEN = next_cursor(ASKED, "g", array(1, 2, 300)) or ""


def changed(place: int, value: int) -> str:
    packed = bytearray(base64.urlsafe_b64decode(GIVEN + "=" * (-len(GIVEN) % 4)))
    packed[place] = value
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "a",
        "ab",
        "!!!!",
        "ü",
        " ",
        GIVEN[:-4],
        GIVEN + "AAAA",
        GIVEN[:10],
        changed(0, 2),
        changed(5, 200),
        changed(6, 3),
    ],
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidRequestError, match="the cursor is not one that this service gave"):
        with_cursor(ASKED, cursor)


@given(st.one_of(st.text(max_size=80), st.binary(max_size=80).map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_whatever_stands_for_a_cursor_is_read_or_refused(text: str) -> None:
    try:
        assert len(with_cursor(ASKED, text).served) <= MAX_SERVED
    except InvalidRequestError as error:
        assert "the cursor" in str(error)  # noqa: PT017  either outcome is right


# Feeds, to their end


@pytest.fixture
def feed(platform: Platform) -> Platform:
    """User 1 has sixty clips of as many streamers, and a few of everybody's come after them."""
    write(platform.warehouse, CANDIDATE_LIST, DAY, candidate_rows(clips(1, 60, first=1_000)))
    publish(platform.warehouse, platform.store, platform.settings.serving, DAY, NOW)
    return platform


def page(feed: Platform, cursor: str | None, number: int, limit: int = 7) -> tuple[Slate, str | None]:
    asked = msgspec.structs.replace(ASKED, request_id=f"r{number}", limit=limit)
    slate = feed.serve(with_cursor(asked, cursor) if cursor is not None else asked)
    return slate, to_body(slate).cursor


def republish(feed: Platform) -> str:
    return publish(feed.warehouse, feed.store, feed.settings.serving, DAY, NOW).generation


def test_pages_never_repeat_and_together_are_the_feed(feed: Platform) -> None:
    shown: list[int] = []
    cursor: str | None = None
    for number in range(20):
        slate, cursor = page(feed, cursor, number)
        shown += ids(slate)
        if cursor is None:
            break
    assert len(shown) == len(set(shown))
    assert set(range(1_000, 1_060)) <= set(shown)
    # The lists of everybody go on where the user's own ends.
    assert set(shown) - set(range(1_000, 1_060)) <= {500, 501, 502, 503, 504, 505}


def test_what_happens_between_two_pages_is_obeyed_and_nothing_repeats(feed: Platform) -> None:
    first, cursor = page(feed, None, 0)
    generation = first.query.generation.name
    gone = [content for content in range(1_000, 1_060) if content not in ids(first)][:20]
    feed.store.add_marks(MarkKey.SEEN, {1: dict.fromkeys(gone[:10], 5.0)}, 0.0, 100, 60)
    feed.store.add_marks(MarkKey.HIDDEN_CONTENTS, {1: dict.fromkeys(gone[10:], 5.0)}, 0.0, 100, 60)
    republish(feed)
    shown = ids(first)
    for number in range(1, 20):
        slate, cursor = page(feed, cursor, number)
        assert slate.query.generation.name == generation
        shown += ids(slate)
        if cursor is None:
            break
    assert len(shown) == len(set(shown))
    assert not set(gone) & set(shown)
    assert set(shown) >= set(range(1_000, 1_060)) - set(gone)


def test_the_pages_of_a_generation_that_was_swept_are_gone(feed: Platform) -> None:
    _, cursor = page(feed, None, 0)
    for _ in range(2):
        republish(feed)
    with pytest.raises(CursorExpiredError, match="is gone; ask again without the cursor"):
        page(feed, cursor, 1)


def test_a_page_that_is_not_full_is_the_last(feed: Platform) -> None:
    _, cursor = page(feed, None, 0, 100)
    assert cursor is None


# Over HTTP


def test_a_feed_is_walked_through_a_publish_and_not_through_two(server: Running) -> None:
    generation = server.worker.mirrored.state().published.current
    first = server.ask(1, limit=3)
    server.publish()
    second = server.ask(1, limit=3, cursor=first["cursor"])
    assert (first["generation"], second["generation"]) == (generation, generation)
    assert {item["id"] for item in first["items"]}.isdisjoint(item["id"] for item in second["items"])
    server.publish()
    gone = server.get(f"/v1/recommendations/1?surface=home_clips&limit=3&cursor={first['cursor']}")
    assert (gone.status_code, gone.json()["error"]) == (410, "cursor_expired")
    assert server.ask(1, limit=3)["cursor"]


def test_a_worker_that_two_publishes_have_overtaken_lets_no_cursor_ask_for_what_was_swept(server: Running) -> None:
    first = server.ask(1, limit=3)
    server.publish_once()
    server.publish()
    server.until(lambda: status_of(server, first["cursor"]) == 410)


def status_of(server: Running, cursor: str) -> int:
    return server.get(f"/v1/recommendations/1?surface=home_clips&limit=3&cursor={cursor}").status_code


def test_somebody_elses_cursor_is_400(server: Running) -> None:
    cursor = server.ask(1, limit=3)["cursor"]
    answer = server.get(f"/v1/recommendations/2?surface=home_clips&limit=3&cursor={cursor}")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_surfaces_of_a_context_have_pages_and_continue_watching_has_none(server: Running) -> None:
    first = server.ask(1, "watch_next", context=101, limit=1)
    second = server.ask(1, "watch_next", context=101, limit=1, cursor=first["cursor"])
    assert first["items"][0]["id"] != second["items"][0]["id"]
    server.store.add_marks(MarkKey.PROGRESS, {1: {101: 5.0}}, 0.0, 10, 60)
    begun = server.ask(1, "continue_watching", limit=1)
    assert ([item["id"] for item in begun["items"]], begun["cursor"]) == (["101"], None)
