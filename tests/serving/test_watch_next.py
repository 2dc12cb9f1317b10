"""What is offered after a content.

After 101 come 200, 102, which was removed, and 103; 101 is streamer 10's, whose channel has 101 and 103.
"""

import pytest

from contracts import redis_keys
from contracts.errors import InvalidRequestError
from serving.slate import Slate
from serving.stores.hashes import Hashes
from serving.stores.protocol import MarkKey
from tests.serving.builders import NOW
from tests.serving.platform import Platform


def ask(platform: Platform, after: int, limit: int = 2, user: int | None = 1) -> Slate:
    return platform.ask(user, "watch_next", limit, context=after)


def shown(slate: Slate) -> list[tuple[int, str]]:
    return sorted((item.item_id, item.level) for item in slate.items)


def test_the_contents_own_list_is_offered(platform: Platform) -> None:
    slate = ask(platform, 101)
    assert (slate.level, shown(slate), slate.notes) == ("target", [(103, "target"), (200, "target")], [])
    assert {item.why for item in slate.items} == {"valued by those who valued what you just watched", "just published"}


def test_a_short_list_goes_on_with_the_streamers_and_then_the_users(platform: Platform) -> None:
    slate = ask(platform, 101, limit=20)
    levels = dict(shown(slate))
    assert 101 not in levels
    assert {levels[item] for item in (103, 200)} == {"target"}
    assert {levels[item] for item in (100, 201, 202)} == {"personal"}
    assert "2 candidates of the target list passed the filters; 20 were wanted" in slate.notes


def test_a_content_without_a_list_gets_its_streamers_and_says_so(platform: Platform) -> None:
    slate = ask(platform, 102, limit=1)
    assert (slate.level, slate.items[0].source) == ("channel", "representative")
    assert slate.notes == ["content 102 has no list in this generation"]


def test_a_content_that_nobody_knows_gets_the_users_own_clips_and_says_so(platform: Platform) -> None:
    slate = ask(platform, 999, limit=3)
    assert (slate.level, set(slate.notes)) == (
        "personal",
        {
            "content 999 has no list in this generation",
            "the catalogue does not know whose content 999 is",
        },
    )


def test_nobody_signed_in_gets_the_contents_list_too(platform: Platform) -> None:
    slate = ask(platform, 101, user=None)
    assert (slate.level, slate.query.segment) == ("target", "all")


def test_what_the_user_has_seen_or_hidden_is_not_offered(platform: Platform) -> None:
    store = platform.store
    store.add_marks(MarkKey.SEEN, {1: {103: NOW.timestamp()}}, 0.0, 10, 60)
    store.add_marks(MarkKey.HIDDEN_CONTENTS, {1: {200: 1.0}}, 0.0, 10, 60)
    assert not {103, 200} & {item for item, _ in shown(ask(platform, 101, limit=20))}


def test_no_streamer_has_more_items_than_the_cap(platform: Platform) -> None:
    streamers = [item.streamer_id for item in ask(platform, 101, limit=20).items]
    assert max(streamers.count(streamer) for streamer in streamers) == 2


def test_a_list_that_cannot_be_read_is_replaced_and_named(platform: Platform) -> None:
    store = platform.store
    generation = store.current_generation() or ""
    junk = {redis_keys.target_lists(generation, "watch_next", 0): {b"101": b"\x07junk"}}
    store.write_hashes(generation, Hashes.of(junk), 60)
    slate = ask(platform, 101, limit=1)
    assert slate.level == "channel"
    assert slate.notes[0].startswith("the list of content 101 cannot be read: ")


@pytest.mark.parametrize(
    ("surface", "after", "message"),
    [
        ("watch_next", None, "surface `watch_next` needs a context: the content that was watched"),
        ("home_clips", 101, "surface `home_clips` takes no context; those that do are watch_next"),
        ("watch_next", 2**63, "is not a 64-bit id"),
    ],
)
def test_bad_requests_are_named(platform: Platform, surface: str, after: int | None, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        platform.ask(1, surface, context=after)
