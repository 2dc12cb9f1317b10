from pathlib import Path

import pytest

from contracts import redis_keys
from contracts.errors import InvalidRequestError, NoGenerationError
from contracts.settings import Settings
from serving.live import end_live, go_live
from serving.stores.hashes import Hashes
from serving.stores.leases import LeaseDetails, LeaseTerms, Renewal
from serving.stores.protocol import MarkKey, Store
from tests.serving.builders import NOW, small_platform
from tests.serving.platform import Platform, ids


def test_a_user_gets_their_own_list(platform: Platform) -> None:
    slate = platform.ask(1)
    assert slate.level == "personal"
    assert set(ids(slate)) <= {100, 101, 103, 200, 201, 202}
    assert [item.rank for item in slate.items] == [1, 2, 3, 4, 5]
    assert slate.query.generation.model_version == "7"
    assert slate.notes == []


def test_candidates_of_one_source_keep_the_order_of_the_list(platform: Platform) -> None:
    slate = platform.ask(1)
    for source in ("two_tower", "popular"):
        chosen = [item.item_id for item in slate.items if item.source == source]
        assert chosen == sorted(chosen)


def test_the_same_request_is_the_same_slate(platform: Platform) -> None:
    assert platform.ask(1).items == platform.ask(1).items


def test_a_user_without_a_list_gets_the_one_of_their_segment_and_is_told(platform: Platform) -> None:
    slate = platform.ask(3, limit=4)
    assert (slate.level, slate.query.segment, ids(slate)) == ("segment", "light", [400, 401, 402, 403])
    assert slate.notes == ["the user has no list in this generation"]


def test_a_user_nobody_knows_is_new_and_falls_to_the_list_of_everybody(platform: Platform) -> None:
    slate = platform.ask(77)
    assert (slate.level, slate.query.segment) == ("popular", "new")
    assert "segment `new` has no list in this generation" in slate.notes


def test_nobody_signed_in_gets_the_list_of_everybody(platform: Platform) -> None:
    slate = platform.ask(None)
    assert (slate.level, slate.query.segment, slate.notes) == (
        "popular",
        "all",
        ["nobody is signed in", "the user is in no segment"],
    )


def test_a_list_that_cannot_be_read_is_replaced_by_the_segments_and_named(platform: Platform) -> None:
    store = platform.store
    generation = store.current_generation() or ""
    store.write_hashes(generation, Hashes.of({redis_keys.lists(generation, "home_clips", 0): {b"2": b"\x07junk"}}), 60)
    slate = platform.ask(2, limit=4)
    assert slate.level == "segment"
    assert slate.notes[0].startswith("the list of the user cannot be read: ")


def test_removed_contents_never_appear_and_the_drop_is_counted(platform: Platform) -> None:
    slate = platform.ask(1, limit=20)
    assert 102 not in ids(slate)
    entered, left = next(counts for _, name, _, *counts in slate.outcome.trace.records if name == "VisibilityFilter")
    assert (entered, left) == (7, 6)


def test_seen_contents_are_dropped_but_not_their_streamer(platform: Platform) -> None:
    platform.store.add_marks(MarkKey.SEEN, {1: {100: NOW.timestamp()}}, 0.0, 10, 60)
    slate = platform.ask(1, limit=20)
    assert 100 not in ids(slate)
    assert 200 in ids(slate)


def test_hidden_streamers_and_contents_are_gone(platform: Platform) -> None:
    platform.store.add_marks(MarkKey.HIDDEN_STREAMERS, {1: {10: 1.0}}, 0.0, 10, 60)
    platform.store.add_marks(MarkKey.HIDDEN_CONTENTS, {1: {201: 1.0}}, 0.0, 10, 60)
    slate = platform.ask(1, limit=20)
    assert not {100, 200, 201, 500} & set(ids(slate))


def test_no_streamer_has_more_items_than_the_cap(platform: Platform) -> None:
    slate = platform.ask(1, limit=20)
    streamers = [item.streamer_id for item in slate.items]
    assert max(streamers.count(streamer) for streamer in streamers) == 2


def test_a_short_list_is_filled_from_the_next_and_says_so(platform: Platform) -> None:
    slate = platform.ask(1, limit=8)
    assert [item.level for item in slate.items].count("popular") == 2
    assert slate.level == "personal"
    assert "6 candidates of the personal list passed the filters; 8 were wanted" in slate.notes


def test_favourites_are_never_filled_with_anything_else(platform: Platform) -> None:
    slate = platform.ask(1, "favorites_clips", 8)
    assert ids(slate) == [300]


def test_home_live_shows_who_is_on_as_the_broadcast(platform: Platform) -> None:
    store = platform.store
    terms = LeaseTerms(60, 60, 100)
    go_live(store, Renewal(12, 9_000, 0.0, 0.0, LeaseDetails("grand final")), terms)
    live = [item for item in platform.ask(1, "home_live").items if item.kind == "live"]
    assert [(item.item_id, item.streamer_id, item.title, item.level) for item in live] == [
        (9_000, 12, "grand final", "personal")
    ]
    assert end_live(store, 12, terms)
    assert "live" not in {item.kind for item in platform.ask(1, "home_live").items}


def test_on_home_live_the_newest_clip_of_a_streamer_who_is_off_stands_in_and_it_is_said(platform: Platform) -> None:
    slate = platform.ask(1, "home_live")
    assert [(item.item_id, item.source, item.level) for item in slate.items] == [(101, "stand_in", "channel")]
    assert "too few streamers are live; their newest VODs and clips stand in" in slate.notes


def test_items_carry_title_streamer_and_reason(platform: Platform) -> None:
    item = next(item for item in platform.ask(1, limit=20).items if item.item_id == 101)
    assert (item.title, item.streamer, item.why) == ("title 101", "streamer-1", "close to what you watched lately")


def test_the_arm_set_counts_what_the_filters_left(platform: Platform) -> None:
    slate = platform.ask(1, limit=6)
    arm_set = slate.outcome.ranking.arm_set
    assert (arm_set.arms, arm_set.counts) == (("two_tower", "popular"), (3, 3))


def test_before_the_first_publish_there_is_nothing_to_serve(store: Store, tmp_path: Path) -> None:
    small_platform(tmp_path)
    with pytest.raises(NoGenerationError, match="nothing has been published"):
        Platform(store, Settings(home=tmp_path)).ask(1)


@pytest.mark.parametrize(
    ("user", "surface", "limit", "message"),
    [
        (1, "home_clip", 5, "surface `home_clip` is unknown; known are home_live, home_clips"),
        (1, "channel_vods", 5, "surface `channel_vods` needs a context: the streamer of the channel"),
        (1, "home_clips", 0, "limit 0 is out of range; ask for 1 to 100 items"),
        (1, "home_clips", 10_000, "limit 10000 is out of range"),
        (2**63, "home_clips", 5, "is not a 64-bit id"),
    ],
)
def test_bad_requests_are_named(platform: Platform, user: int, surface: str, limit: int, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        platform.ask(user, surface, limit)
