from pathlib import Path

import pytest

from contracts import redis_keys
from contracts.errors import InvalidRequestError, NoGenerationError
from contracts.settings import Settings
from serving.live import end_live, go_live
from serving.recommend import Recommender, to_request
from serving.slate import Slate
from serving.stores.catalogue import InProcessCatalogue
from serving.stores.leases import LeaseDetails, LeaseTerms, Renewal
from serving.stores.protocol import Store
from serving.wiring import Clients
from tests.serving.builders import NOW, small_platform


def ask(recommender: Recommender, user: int | None, surface: str = "home_clips", limit: int = 5) -> Slate:
    return recommender.recommend(to_request("r-1", user, surface, limit, NOW, 100))


def ids(slate: Slate) -> list[int]:
    return [item.item_id for item in slate.items]


def test_a_user_gets_their_own_list(recommender: Recommender) -> None:
    slate = ask(recommender, 1)
    assert slate.level == "personal"
    assert set(ids(slate)) <= {100, 101, 103, 200, 201, 202}
    assert [item.rank for item in slate.items] == [1, 2, 3, 4, 5]
    assert slate.model_version == "7"
    assert slate.notes == ()


def test_candidates_of_one_source_keep_the_order_of_the_list(recommender: Recommender) -> None:
    slate = ask(recommender, 1)
    for source in ("two_tower", "popular"):
        chosen = [item.item_id for item in slate.items if item.source == source]
        assert chosen == sorted(chosen)


def test_the_same_request_is_the_same_slate(recommender: Recommender) -> None:
    assert ask(recommender, 1).items == ask(recommender, 1).items


def test_a_user_without_a_list_gets_the_one_of_their_segment_and_is_told(recommender: Recommender) -> None:
    slate = ask(recommender, 3, limit=4)
    assert (slate.level, slate.segment, ids(slate)) == ("segment", "light", [400, 401, 402, 403])
    assert slate.notes == ("the user has no list of their own in this generation",)


def test_a_user_nobody_knows_is_new_and_falls_to_the_list_of_everybody(recommender: Recommender) -> None:
    slate = ask(recommender, 77)
    assert (slate.level, slate.segment) == ("popular", "new")
    assert "segment `new` has no list in this generation" in slate.notes


def test_nobody_signed_in_gets_the_list_of_everybody(recommender: Recommender) -> None:
    slate = ask(recommender, None)
    assert (slate.level, slate.segment, slate.notes) == (
        "popular",
        "all",
        ("nobody is signed in", "the user is in no segment"),
    )


def test_a_list_that_cannot_be_read_is_replaced_by_the_segments_and_named(recommender: Recommender) -> None:
    store = recommender.clients.store
    generation = store.current_generation() or ""
    store.write_hashes(generation, {redis_keys.lists(generation, "home_clips", 0): {b"2": b"\x07junk"}}, 60)
    slate = ask(recommender, 2, limit=4)
    assert slate.level == "segment"
    assert slate.notes[0].startswith("the user's list cannot be read: ")


def test_removed_contents_never_appear_and_the_drop_is_counted(recommender: Recommender) -> None:
    slate = ask(recommender, 1, limit=20)
    assert 102 not in ids(slate)
    record = next(stage for stage in slate.stages if stage.name == "VisibilityFilter")
    assert (record.entered, record.left) == (7, 6)


def test_seen_contents_are_dropped_but_not_their_streamer(recommender: Recommender) -> None:
    recommender.clients.store.add_seen({1: {100: NOW.timestamp()}}, 0.0, 60)
    slate = ask(recommender, 1, limit=20)
    assert 100 not in ids(slate)
    assert 200 in ids(slate)


def test_hidden_streamers_and_contents_are_gone(recommender: Recommender) -> None:
    recommender.clients.store.add_hidden({1: ["streamer:10", "content:201"]}, 60)
    slate = ask(recommender, 1, limit=20)
    assert not {100, 200, 201, 500} & set(ids(slate))


def test_no_streamer_has_more_items_than_the_cap(recommender: Recommender) -> None:
    slate = ask(recommender, 1, limit=20)
    streamers = [item.streamer_id for item in slate.items]
    assert max(streamers.count(streamer) for streamer in streamers) == 2


def test_a_short_list_is_filled_from_the_next_and_says_so(recommender: Recommender) -> None:
    slate = ask(recommender, 1, limit=8)
    assert [item.level for item in slate.items].count("popular") == 2
    assert slate.level == "personal"
    assert "6 of 7 candidates of the personal list passed the filters; 8 were wanted" in slate.notes


def test_favourites_are_never_filled_with_anything_else(recommender: Recommender) -> None:
    slate = ask(recommender, 1, "favorites_clips", 8)
    assert ids(slate) == [300]


def test_home_live_shows_only_who_is_on_as_the_broadcast(recommender: Recommender) -> None:
    store = recommender.clients.store
    terms = LeaseTerms(60, 60, 100)
    go_live(store, Renewal(12, 9_000, 0.0, 0.0, LeaseDetails("grand final")), terms)
    slate = ask(recommender, 1, "home_live")
    assert [(item.kind, item.item_id, item.streamer_id, item.title) for item in slate.items] == [
        ("live", 9_000, 12, "grand final")
    ]
    assert end_live(store, 12, terms)
    assert ask(recommender, 1, "home_live").level == "none"


def test_items_carry_title_streamer_and_reason(recommender: Recommender) -> None:
    item = next(item for item in ask(recommender, 1, limit=20).items if item.item_id == 101)
    assert (item.title, item.streamer, item.why) == ("title 101", "streamer-1", "close to what you watched lately")


def test_the_arm_set_counts_what_the_filters_left(recommender: Recommender) -> None:
    slate = ask(recommender, 1, limit=6)
    assert (slate.arms, slate.counts) == (("two_tower", "popular"), (3, 3))


def test_before_the_first_publish_there_is_nothing_to_serve(store: Store, tmp_path: Path) -> None:
    catalogue = InProcessCatalogue.latest(small_platform(tmp_path))
    with pytest.raises(NoGenerationError, match="nothing has been published"):
        ask(Recommender(Clients(store, catalogue, Settings(home=tmp_path))), 1)


@pytest.mark.parametrize(
    ("user", "surface", "limit", "message"),
    [
        (1, "home_clip", 5, "surface `home_clip` is unknown; known are home_live, home_clips"),
        (1, "channel_vods", 5, "surface `channel_vods` is not served yet"),
        (1, "home_clips", 0, "limit 0 is out of range; ask for 1 to 100 items"),
        (1, "home_clips", 10_000, "limit 10000 is out of range"),
        (2**63, "home_clips", 5, "is not a 64-bit id"),
    ],
)
def test_bad_requests_are_named(recommender: Recommender, user: int, surface: str, limit: int, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        ask(recommender, user, surface, limit)
