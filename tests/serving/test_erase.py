"""Erasing a user from what serves, in any order with publishes, rollbacks and requests."""

import json
from datetime import timedelta
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
import redis

from contracts import columns as c
from contracts import redis_keys
from contracts.erasure import erased_users
from contracts.errors import InvalidRequestError, StoreUnavailableError
from contracts.feedback_events import Feedback
from contracts.names import STREAM_FEEDBACK, STREAM_IMPRESSIONS, FeedbackAction, ItemKind, dead_letters
from contracts.tables import IMPRESSION, REPRESENTATIVE_VOD
from serving.drain import drain_impressions
from serving.erase import enforce, to_user_id
from serving.impressions import read_entry
from serving.stores.hashes import Hashes
from serving.stores.protocol import MarkKey, Store
from serving.stores.redis_store import RedisStore
from tests.serving.builders import DAY, NOW, vod_row
from tests.serving.erase_platform import GONE, LATER, SERVED, Platform


def feedback_of(user: int) -> bytes:
    event = Feedback(
        request_id="r", user_id=user, item_id=1, item_kind=ItemKind.CLIP, action=FeedbackAction.CLICK, event_time=NOW
    )
    return event.to_json()


@pytest.fixture
def platform(store: Store, tmp_path: Path) -> Platform:
    return Platform(store, tmp_path)


def test_everything_known_of_the_user_goes_and_the_receipt_counts_it(platform: Platform) -> None:
    platform.publish()
    platform.publish()
    platform.sync_seen()
    for number in range(3):
        platform.serve(f"r{number}", GONE if number else 2)
    platform.store.append(STREAM_FEEDBACK, feedback_of(GONE), 100)
    letter = json.dumps({"problem": "no JSON", "body": f'{{"user_id": {GONE}, "action": '})
    platform.store.append(dead_letters(STREAM_FEEDBACK), letter.encode(), 100)
    platform.store.append(dead_letters(STREAM_FEEDBACK), letter.replace(str(GONE), f"1{GONE}").encode(), 100)
    assert platform.knows()
    receipt = platform.erase()
    assert not platform.knows()
    assert platform.knows(2)
    assert receipt.deleted == {
        "redis_lists": 4,
        "redis_profiles": 2,
        "redis_state": 2,
        "feast_online": 0,
        STREAM_IMPRESSIONS: 2,
        STREAM_FEEDBACK: 1,
        dead_letters(STREAM_IMPRESSIONS): 0,
        dead_letters(STREAM_FEEDBACK): 1,
        "channel_vods": 0,
    }
    assert platform.store.tombstone(GONE) == LATER.isoformat()
    assert platform.store.tombstone(2) is None
    assert [read_entry(entry).user_id for entry in platform.entries(STREAM_IMPRESSIONS)] == [2]
    assert platform.entries(STREAM_FEEDBACK) == []
    assert len(platform.entries(dead_letters(STREAM_FEEDBACK))) == 1


def test_the_receipt_says_what_is_left_and_by_when_it_goes(platform: Platform) -> None:
    receipt = platform.erase()
    assert receipt.erased_at == "2026-01-31T07:00:00+00:00"
    assert receipt.still_in == dict.fromkeys(("candidate_list_v1", "user_action_v1", "user_feature_v1"), 1) | {
        "view_value_v1": 1
    }
    assert set(receipt.gone_by.values()) == {"2026-02-01T03:00:00+00:00"}
    assert receipt.kept_out_until == (LATER + timedelta(days=430)).isoformat()


def test_erasing_again_changes_nothing_and_says_so(platform: Platform) -> None:
    platform.publish()
    first = platform.erase()
    again = platform.erase(now=LATER + timedelta(days=1))
    assert (first.again, again.again) == (False, True)
    assert (again.receipt_id, again.erased_at) == (first.receipt_id, first.erased_at)
    assert set(again.deleted.values()) == {0}
    assert erased_users(platform.warehouse) == {GONE: LATER}


def test_a_user_nobody_knows_gets_a_receipt_and_is_kept_out(platform: Platform) -> None:
    receipt = platform.erase(user=-99)
    assert (set(receipt.deleted.values()), receipt.still_in) == ({0}, {})
    assert set(erased_users(platform.warehouse)) == {-99}


def test_a_rollback_does_not_bring_the_user_back(platform: Platform) -> None:
    older = platform.publish()
    platform.publish()
    platform.erase()
    assert platform.store.rollback() == older
    assert not platform.knows()
    assert platform.knows(2)


def test_a_publish_from_tables_that_still_have_the_user_leaves_them_out(platform: Platform) -> None:
    platform.erase()
    platform.publish()
    platform.sync_seen()
    assert not platform.knows()
    assert platform.knows(2)


@pytest.mark.parametrize("moment", ["begin", "write_hashes", "beat", "flip", "sweep"])
def test_an_erasure_at_any_moment_of_a_publish_holds(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Before the generation is written, between two of its parts, just before the flip, and just after it."""
    platform.publish()
    usual, times = getattr(platform.store, moment), []

    def erase_first(*arguments: object) -> object:
        times.append(moment)
        if len(times) == 1:
            platform.erase(now=NOW)
        return usual(*arguments)

    monkeypatch.setattr(platform.store, moment, erase_first)
    platform.publish()
    assert times
    assert not platform.knows()
    assert platform.store.drop_listed([GONE]) == (0, 0)  # nor does any generation hold what nobody reads


def test_a_store_that_was_emptied_learns_the_tombstones_from_the_next_publish(platform: Platform) -> None:
    platform.erase()
    platform.store.drop_keys([redis_keys.erased(GONE)])
    platform.publish()
    assert platform.store.tombstone(GONE) == LATER.isoformat()


def test_what_a_late_request_writes_goes_with_the_next_publish(platform: Platform) -> None:
    platform.publish()
    platform.erase()
    for key in MarkKey:
        platform.store.add_marks(key, {GONE: {100: SERVED.timestamp()}}, 0.0, 10, 60)
    assert not platform.knows()  # a store that knows the tombstone takes nothing
    enforce(platform.warehouse, platform.store, platform.settings.serving, LATER)
    assert not platform.knows()


def test_tombstones_last_as_long_as_the_mark_and_no_longer(platform: Platform) -> None:
    platform.erase()
    platform.store.drop_keys([redis_keys.erased(GONE)])
    enforce(platform.warehouse, platform.store, platform.settings.serving, LATER + timedelta(days=430))
    assert platform.store.tombstone(GONE) is None


def test_slates_that_come_after_the_erasure_are_not_drained(platform: Platform) -> None:
    platform.publish()
    platform.serve("r1", GONE)
    platform.serve("r2", 2)
    drained = drain_impressions(platform.warehouse, platform.store, platform.settings, DAY, NOW)
    assert drained.slates == 2
    platform.erase()
    platform.serve("r3", GONE)
    slate = read_entry(platform.entries(STREAM_IMPRESSIONS)[-1])
    assert slate.user_id is None  # who was erased is served as nobody known
    late = msgspec.json.encode(msgspec.structs.replace(slate, user_id=GONE, request_id="r4"))
    platform.store.append(STREAM_IMPRESSIONS, late, 100)  # under way since before
    drained = drain_impressions(platform.warehouse, platform.store, platform.settings, DAY, LATER)
    assert (drained.slates, drained.new_rows) == (2, 3)
    assert set(platform.warehouse.read(IMPRESSION, DAY)[c.USER_ID].to_pylist()) == {2, None}


def test_a_fans_clip_on_a_channel_page_is_nobodys(platform: Platform) -> None:
    assert platform.erase().deleted["channel_vods"] == 0  # before there are any pages
    vods = [vod_row(10, 1, 100, creator_id=GONE), vod_row(GONE, 1, 101, creator_id=GONE), vod_row(11, 1, 102)]
    names = REPRESENTATIVE_VOD.column_names
    filled = [{name: row.get(name) for name in names} for row in vods]
    platform.channels.replace(DAY, pa.Table.from_pylist(filled, REPRESENTATIVE_VOD.schema))
    assert platform.erase().deleted["channel_vods"] == 1
    assert [platform.channels.vods(streamer, 1)[0].creator_id for streamer in (10, GONE, 11)] == [None, GONE, None]


@pytest.mark.parametrize("method", ["put_tombstones", "drop_listed", "drop_keys", "search_stream", "drop_entries"])
def test_a_store_that_goes_away_half_way_is_named_and_the_next_run_ends_the_work(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    platform.publish()
    platform.sync_seen()
    platform.serve("r1", GONE)

    def away(*_: object) -> None:
        raise StoreUnavailableError("Redis did not answer")

    with monkeypatch.context() as patch:
        patch.setattr(platform.store, method, away)
        with pytest.raises(StoreUnavailableError, match="Redis did not answer"):
            platform.erase()
    assert set(erased_users(platform.warehouse)) == {GONE}  # whatever else happened, no batch brings them back
    receipt = platform.erase(now=LATER + timedelta(minutes=1))
    assert (receipt.again, receipt.erased_at) == (True, LATER.isoformat())
    assert not platform.knows()
    assert platform.entries(STREAM_IMPRESSIONS) == []
    assert platform.store.tombstone(GONE) is not None


def test_long_streams_are_searched_to_the_end_and_nobody_else_is_taken(platform: Platform) -> None:
    others = [10 * GONE, GONE // 10, -GONE]
    platform.publish()
    platform.serve("r", 2)
    slate = read_entry(platform.entries(STREAM_IMPRESSIONS)[0])
    for number in range(2_500):
        user = GONE if number % 1_000 == 7 else others[number % 3]
        entry = msgspec.structs.replace(slate, user_id=user, request_id=str(GONE), item_ids=[GONE] * 3)
        platform.store.append(STREAM_IMPRESSIONS, msgspec.json.encode(entry), 10_000)
    assert platform.erase().deleted[STREAM_IMPRESSIONS] == 3
    left = platform.store.read_stream(STREAM_IMPRESSIONS, "0", 10_000)
    assert {read_entry(entry).user_id for _, entry in left} == {2, *others}


@pytest.mark.parametrize("poison", [b'{"user_id": %d', b"[" * 100_000 + b"%d", b"\xff %d"])
def test_an_entry_that_nobody_can_read_goes_when_the_users_number_is_in_it(platform: Platform, poison: bytes) -> None:
    for user in (GONE, 10 * GONE):
        platform.store.append(STREAM_FEEDBACK, poison % user, 100)
    assert platform.erase().deleted[STREAM_FEEDBACK] == 1


def test_after_the_newest_entry_was_deleted_the_stream_goes_on_behind_it(store: Store) -> None:
    for number in range(3):
        store.append("s", str(number).encode(), 100)
    last = store.read_stream("s", "0", 10)[-1][0]
    assert store.drop_entries("s", [last]) == 1
    store.append("s", b"next", 100)
    assert [entry for _, entry in store.read_stream("s", last, 10)] == [b"next"]


def test_tombstones_and_nothing_else_of_the_user_stay_in_redis(redis_url: str, tmp_path: Path) -> None:
    platform = Platform(RedisStore.open(redis_url, 10_000), tmp_path)
    platform.publish()
    platform.sync_seen()
    platform.erase()
    with redis.Redis.from_url(redis_url) as client:
        named = [key.decode() for key in client.scan_iter() if str(GONE).encode() in key]
        assert named == [redis_keys.erased(GONE)]
        assert 429 * 86_400 < client.ttl(named[0]) <= 430 * 86_400


@pytest.mark.parametrize("text", ["", "abc", "1.5", "1_000", " 1", "٣", str(2**63), str(-(2**63) - 1), "1" * 50])
def test_what_is_no_user_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="is no user id: expected a whole number of 64 bits"):
        to_user_id(text)


@pytest.mark.parametrize("user", [0, -1, 2**63 - 1, -(2**63)])
def test_any_user_id_can_be_erased(platform: Platform, user: int) -> None:
    key = redis_keys.lists("g", "home_clips", redis_keys.bucket_of(user))
    hashes = Hashes.of({key: {str(user).encode(): b"list"}})
    platform.store.begin("g", 60)
    platform.store.write_hashes("g", hashes, 60)
    assert platform.erase(user=to_user_id(str(user))).deleted["redis_lists"] == 1
    assert platform.erase(user=user).deleted["redis_lists"] == 0
