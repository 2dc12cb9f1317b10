"""What is offered after a content.

After 101 come 200, 102, which was removed, and 103; 101 is streamer 10's, whose channel has 101 and 103.
"""

from typing import Any

import pytest

from contracts import redis_keys
from contracts.errors import InvalidRequestError
from serving.recommend import Recommender, after_content, to_request
from serving.slate import Slate
from tests.serving.builders import NOW


def ask(recommender: Recommender, after: int, limit: int = 2, user: int | None = 1) -> Slate:
    return recommender.recommend(after_content(to_request("r-1", user, "watch_next", limit, NOW, 100), after))


def shown(slate: Slate) -> list[tuple[int, str]]:
    return sorted((item.item_id, item.level) for item in slate.items)


def test_the_contents_own_list_is_offered(recommender: Recommender) -> None:
    slate = ask(recommender, 101)
    assert (slate.level, shown(slate), slate.notes) == ("target", [(103, "target"), (200, "target")], ())
    assert {item.why for item in slate.items} == {"valued by those who valued what you just watched", "just published"}


def test_a_short_list_goes_on_with_the_streamers_and_then_the_users(recommender: Recommender) -> None:
    slate = ask(recommender, 101, limit=20)
    levels = dict(shown(slate))
    assert 101 not in levels
    assert {levels[item] for item in (103, 200)} == {"target"}
    assert {levels[item] for item in (100, 201, 202)} == {"personal"}
    assert "2 of 3 candidates of the target list passed the filters; 20 were wanted" in slate.notes


def test_a_content_without_a_list_gets_its_streamers_and_says_so(recommender: Recommender) -> None:
    slate = ask(recommender, 102, limit=1)
    assert (slate.level, slate.items[0].source) == ("channel", "representative")
    assert slate.notes == ("content 102 has no list in this generation",)


def test_a_content_that_nobody_knows_gets_the_users_own_clips_and_says_so(recommender: Recommender) -> None:
    slate = ask(recommender, 999, limit=3)
    assert (slate.level, set(slate.notes)) == (
        "personal",
        {
            "content 999 has no list in this generation",
            "the catalogue does not know whose content 999 is",
        },
    )


def test_a_request_that_names_no_content_gets_the_users_own_clips(recommender: Recommender) -> None:
    slate = recommender.recommend(to_request("r-1", 1, "watch_next", 2, NOW, 100))
    assert (slate.level, slate.notes[0]) == ("personal", "the request names no content that was watched")


def test_nobody_signed_in_gets_the_contents_list_too(recommender: Recommender) -> None:
    slate = ask(recommender, 101, user=None)
    assert (slate.level, slate.segment) == ("target", "all")


def test_what_the_user_has_seen_or_hidden_is_not_offered(recommender: Recommender) -> None:
    store = recommender.clients.store
    store.add_seen({1: {103: NOW.timestamp()}}, 0.0, 60)
    store.add_hidden({1: ["content:200"]}, 60)
    assert not {103, 200} & {item for item, _ in shown(ask(recommender, 101, limit=20))}


def test_no_streamer_has_more_items_than_the_cap(recommender: Recommender) -> None:
    streamers = [item.streamer_id for item in ask(recommender, 101, limit=20).items]
    assert max(streamers.count(streamer) for streamer in streamers) == 2


def test_a_list_that_cannot_be_read_is_replaced_and_named(recommender: Recommender) -> None:
    store = recommender.clients.store
    generation = store.current_generation() or ""
    store.write_hashes(generation, {redis_keys.target_lists(generation, "watch_next", 0): {b"101": b"\x07junk"}}, 60)
    slate = ask(recommender, 101, limit=1)
    assert slate.level == "channel"
    assert slate.notes[0].startswith("the list of content 101 cannot be read: ")


@pytest.mark.parametrize(
    ("surface", "after", "message"),
    [
        ("watch_next", None, "surface `watch_next` needs a content that was watched"),
        ("home_clips", 101, "surface `home_clips` takes no content that was watched"),
        ("watch_next", 2**63, "is not a 64-bit id"),
    ],
)
def test_bad_requests_are_named(surface: str, after: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(InvalidRequestError, match=message):
        after_content(to_request("r-1", 1, surface, 5, NOW, 100), after)
