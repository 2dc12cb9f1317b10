"""From event to item, with a tower set by hand."""

import logging
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pytest
import redis

from contracts import redis_keys
from contracts.errors import ItemTowerError, StoreUnavailableError
from contracts.names import STREAM_CONTENT, Visibility
from contracts.settings import FreshSettings, Settings
from serving.fresh.consumer import FreshConsumer, FreshReport
from serving.fresh.index import FreshIndex
from serving.fresh.item import FreshItem
from serving.stores.fresh import FreshChange
from serving.stores.protocol import Store
from serving.stores.redis_store import RedisStore
from tests.serving.fresh.builders import NOW, AxisTower, changed, fan_of, minutes, published, send, taken_down

INFO = {"vector_model_version": "1", "vector_dim": "3", "contents_day": "2026-01-30", "contents_until": ""}


@dataclass
class Lane:
    """A consumer, its clock and its registry."""

    store: Store
    now: datetime = NOW
    settings: FreshSettings = field(default_factory=FreshSettings)
    towers: dict[str, AxisTower] = field(default_factory=lambda: {version: AxisTower(version) for version in "123"})

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        settings = Settings(fresh=self.settings)
        self.consumer = FreshConsumer(self.store, self.tower, settings, self.seconds)

    def seconds(self) -> float:
        return self.now.timestamp()

    def tower(self, version: str) -> AxisTower:
        if (version or "1") not in self.towers:
            raise ItemTowerError(f"no version {version}")
        return self.towers[version or "1"]

    def step(self, minutes_later: float = 0) -> FreshReport:
        self.now += timedelta(minutes=minutes_later)
        return self.consumer.step(0)

    def items(self) -> dict[int, FreshItem]:
        return {content: FreshItem.from_json(content, text) for content, text in self.store.fresh_items().items()}

    def best(self, category: str, version: str = "1") -> list[int]:
        index = FreshIndex.of(self.items().values())
        found = index.best(fan_of(category, version), 10, self.now.timestamp())
        return found.item_ids[found.scores > 0.5].tolist()


@pytest.fixture
def lane(store: Store) -> Lane:
    serve(store, "g1", INFO)
    return Lane(store)


def serve(store: Store, generation: str, info: dict[str, str]) -> None:
    store.begin(generation, 60)
    store.flip(generation, info, 60)


def test_a_published_content_is_embedded_and_found_by_its_fans(lane: Lane) -> None:
    send(lane.store, published(1, "chess"), published(2, "racing"), published(3, None))
    report = lane.step()
    assert (report.events, report.embedded, report.items, report.model_version) == (3, 3, 3, "1")
    assert lane.best("chess") == [1, 3]
    assert lane.best("racing") == [2, 3]


def test_another_category_moves_a_content(lane: Lane) -> None:
    send(lane.store, published(1, "chess"))
    lane.step()
    send(lane.store, changed(1, "racing", minutes(1)))
    lane.step(1)
    assert (lane.best("chess"), lane.best("racing")) == ([], [1])


def test_an_old_content_whose_category_changes_is_fresh_again(lane: Lane) -> None:
    send(lane.store, changed(1, "racing", minutes(0), published_at=minutes(-60 * 24 * 365)))
    lane.step()
    assert lane.best("racing") == [1]


def test_what_is_taken_down_or_private_leaves_and_does_not_come_back_by_an_earlier_event(lane: Lane) -> None:
    send(lane.store, published(1), published(2))
    lane.step()
    send(lane.store, taken_down(1, minutes(2)), changed(2, "chess", minutes(2), visibility=Visibility.PRIVATE))
    lane.step(2)
    assert lane.best("chess") == []
    send(lane.store, published(1), changed(1, "chess", minutes(1)), published(2))
    lane.step()
    assert lane.best("chess") == []
    send(lane.store, changed(2, "chess", minutes(3)))
    lane.step(1)
    assert lane.best("chess") == [2]


def test_events_of_one_read_are_taken_in_by_their_time(lane: Lane) -> None:
    send(lane.store, changed(1, "racing", minutes(1)), published(1, "chess"), taken_down(2, minutes(1)), published(2))
    lane.step(1)
    assert (lane.best("chess"), lane.best("racing")) == ([], [1])


def test_events_delivered_again_write_nothing(lane: Lane) -> None:
    events = published(1), changed(1, "racing", minutes(1)), taken_down(2, minutes(1))
    send(lane.store, *events)
    lane.step(1)
    before, told = lane.store.fresh_items(), lane.store.last_position(redis_keys.FRESH_CHANGES)
    send(lane.store, *events, *events)
    assert lane.step().events == 6
    assert lane.store.fresh_items() == before
    assert lane.store.last_position(redis_keys.FRESH_CHANGES) == told


def test_an_event_that_cannot_be_read_is_passed_over_and_said(lane: Lane, caplog: pytest.LogCaptureFixture) -> None:
    for poison in (b"", b"{", b'{"type": "content_renamed"}', b'{"type": "content_published", "content_id": "1"}'):
        lane.store.append(STREAM_CONTENT, poison, 1_000)
    send(lane.store, published(1))
    with caplog.at_level(logging.WARNING):
        report = lane.step()
    assert (report.events, report.rejected, lane.best("chess")) == (5, 4, [1])
    assert caplog.text.count("is passed over") == 4
    assert lane.step().events == 0


def test_a_restarted_consumer_goes_on_and_embeds_nothing_twice(lane: Lane) -> None:
    send(lane.store, published(1))
    lane.step()
    lane.restart()
    send(lane.store, published(2, at=minutes(1)))
    report = lane.step(1)
    assert (report.events, report.embedded, report.items) == (1, 1, 2)
    assert lane.best("chess") == [1, 2]


def test_a_batch_that_knows_a_content_takes_it_over(lane: Lane) -> None:
    send(lane.store, published(1), taken_down(2, NOW), published(3, at=minutes(13 * 60)))
    lane.step(13 * 60)
    serve(lane.store, "g2", {**INFO, "contents_day": "2026-01-31"})
    report = lane.step()
    assert (report.dropped, sorted(lane.items())) == (2, [3])


def test_an_hourly_batch_takes_over_what_came_before_its_hour(lane: Lane) -> None:
    send(lane.store, published(1), published(2, at=minutes(30)))
    lane.step(40)
    serve(lane.store, "g2", {**INFO, "contents_day": "2026-01-31", "contents_until": minutes(20).isoformat()})
    lane.step()
    assert sorted(lane.items()) == [2]


def test_what_is_too_old_leaves_though_no_batch_came(lane: Lane) -> None:
    send(lane.store, published(1), published(2, at=minutes(60)))
    lane.step(60)
    lane.step(48 * 60 - 30)
    assert sorted(lane.items()) == [2]
    send(lane.store, published(3, at=minutes(-60)))
    assert lane.step().items == 1


def test_of_too_many_the_newest_stay(store: Store) -> None:
    serve(store, "g1", INFO)
    lane = Lane(store, settings=FreshSettings(max_items=3))
    send(store, *(published(number, at=minutes(number)) for number in range(1, 6)))
    lane.step(10)
    assert sorted(lane.items()) == [3, 4, 5]
    send(store, published(6, at=minutes(6)))
    lane.step()
    assert sorted(lane.items()) == [4, 5, 6]


def test_another_model_embeds_again_what_is_still_fresh(lane: Lane) -> None:
    send(lane.store, published(1, "chess"), published(2, "racing"))
    lane.step()
    serve(lane.store, "g2", {**INFO, "vector_model_version": "2"})
    report = lane.step()
    assert (report.embedded, report.model_version) == (2, "2")
    assert {item.model_version for item in lane.items().values()} == {"2"}
    assert (lane.best("chess", "2"), lane.best("chess", "1")) == ([1], [])


def test_rolling_back_goes_back_to_the_model_before(lane: Lane) -> None:
    send(lane.store, published(1))
    serve(lane.store, "g2", {**INFO, "vector_model_version": "2"})
    lane.step()
    lane.store.rollback()
    lane.step()
    assert (lane.best("chess", "1"), lane.best("chess", "2")) == ([1], [])


def test_a_model_that_cannot_be_loaded_leaves_the_vectors_of_the_one_before(
    lane: Lane, caplog: pytest.LogCaptureFixture
) -> None:
    send(lane.store, published(1))
    lane.step()
    tower = lane.towers.pop("2")
    serve(lane.store, "g2", {**INFO, "vector_model_version": "2"})
    with caplog.at_level(logging.WARNING):
        lane.step()
        lane.step()
    assert caplog.text.count("not embedded by the model that is served: no version 2") == 1
    assert (lane.best("chess", "1"), lane.best("chess", "2")) == ([1], [])
    lane.towers["2"] = tower
    lane.step(1)
    assert (lane.best("chess", "1"), lane.best("chess", "2")) == ([], [1])


def test_without_any_model_contents_wait_for_one(lane: Lane) -> None:
    towers, lane.towers = lane.towers, {}
    send(lane.store, published(1))
    report = lane.step()
    assert (report.embedded, report.items, report.model_version) == (0, 1, "")
    assert lane.best("chess") == []
    lane.towers = towers
    assert lane.step(1).embedded == 1
    assert lane.best("chess") == [1]


def test_where_nothing_is_published_the_champion_embeds(store: Store) -> None:
    lane = Lane(store)
    send(store, published(1))
    assert lane.step().model_version == "1"


def test_vectors_follow_the_age_of_their_contents(lane: Lane) -> None:
    send(lane.store, published(1), published(2))
    lane.step()
    young = lane.items()[1].vector
    assert lane.step(20).embedded == 0
    assert lane.step(200).embedded == 2
    old = lane.items()[1].vector
    assert young is not None
    assert old is not None
    assert np.abs(young - old).max() > 0.01


def test_many_contents_are_written_some_at_a_time(store: Store) -> None:
    serve(store, "g1", INFO)
    lane = Lane(store, settings=FreshSettings(batch_events=1_200))
    send(store, *(published(number) for number in range(1_000)))
    assert lane.step().embedded == 1_000
    assert len(store.fresh_items()) == 1_000
    serve(store, "g2", {**INFO, "contents_day": "2026-01-31"})
    assert lane.step(24 * 60).dropped == 1_000
    assert store.fresh_items() == {}


def test_two_consumers_at_once_lose_and_double_nothing(lane: Lane) -> None:
    other = Lane(lane.store)
    send(lane.store, published(1))
    assert not lane.step().overtaken
    other.step()
    send(lane.store, published(2), changed(1, "racing", minutes(1)))
    assert not lane.step(1).overtaken
    send(lane.store, published(3))
    assert other.step(1).overtaken
    other.step()
    lane.step()
    lane.step()
    assert lane.best("chess") == [2, 3]
    assert lane.best("racing") == [1]


def test_an_item_that_cannot_be_read_is_dropped_and_stops_nothing(lane: Lane, caplog: pytest.LogCaptureFixture) -> None:
    lane.store.apply_fresh(FreshChange("0", "0", {9: b"corrupt"}), 100)
    send(lane.store, published(1))
    with caplog.at_level(logging.WARNING):
        lane.step()
    assert "fresh content 9 cannot be read" in caplog.text
    assert sorted(lane.items()) == [1]


class BrokenStore(RedisStore):
    """A store whose connection breaks at the n-th write."""

    writes_left = 1

    def apply_fresh(self, change: FreshChange, feed_length: int) -> bool:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise StoreUnavailableError("the connection broke")
        return super().apply_fresh(change, feed_length)


def test_a_step_that_breaks_between_two_writes_is_made_up_for(redis_url: str) -> None:
    store = BrokenStore.open(redis_url, 10_000)
    serve(store, "g1", INFO)
    lane = Lane(store, settings=FreshSettings(batch_events=1_200))
    send(store, *(published(number) for number in range(700)))
    with pytest.raises(StoreUnavailableError):
        lane.step()
    assert len(store.fresh_items()) == 500
    assert store.position(redis_keys.FRESH_POSITION) == "0"
    store.writes_left = 10
    lane.step()
    assert len(store.fresh_items()) == 700


def test_a_store_that_lost_its_memory_is_filled_by_what_comes(redis_url: str) -> None:
    store = RedisStore.open(redis_url, 10_000)
    lane = Lane(store)
    send(store, published(1))
    lane.step()
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    send(store, published(2))
    assert lane.step().overtaken
    lane.step()
    assert sorted(lane.items()) == [2]


def test_a_stream_that_was_begun_anew_is_read_from_its_start(redis_url: str) -> None:
    store = RedisStore.open(redis_url, 10_000)
    lane = Lane(store)
    send(store, published(1))
    lane.step()
    with redis.Redis.from_url(redis_url) as client:
        client.delete(STREAM_CONTENT)
        client.xadd(STREAM_CONTENT, {b"e": published(2).to_json()}, id="1-1")
    lane.step()
    assert lane.step().events == 1
    assert sorted(lane.items()) == [1, 2]


@pytest.mark.slow
def test_a_consumer_that_is_killed_again_and_again_loses_and_doubles_nothing(redis_url: str) -> None:
    """SIGKILL at some moment, 20 times, while events come; a takedown of every third content among them."""
    store = RedisStore.open(redis_url, 10_000)
    serve(store, "g1", INFO)
    program = f"""
from contracts.settings import FreshSettings, Settings
from serving.fresh.consumer import FreshConsumer
from serving.stores.redis_store import RedisStore
from tests.serving.fresh.builders import NOW, AxisTower
consumer = FreshConsumer(
    RedisStore.open({redis_url!r}, 10_000), AxisTower, Settings(fresh=FreshSettings(batch_events=7)), NOW.timestamp
)
while True:
    consumer.step(100)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    rng = random.Random(0)
    for run in range(20):
        child = subprocess.Popen([sys.executable, "-c", program], env=environment)
        for content in range(run * 100, run * 100 + 100):
            send(store, published(content), *([taken_down(content, NOW)] if content % 3 == 0 else []))
        read = store.position(redis_keys.FRESH_POSITION)
        while store.position(redis_keys.FRESH_POSITION) == read:
            time.sleep(0.001)
        time.sleep(rng.random() * 0.05)
        child.kill()
        child.wait()
    lane = Lane(store)
    while lane.step().events:
        pass
    assert sorted(lane.items()) == list(range(2_000))
    shown = [content for content, item in lane.items().items() if item.vector is not None]
    assert sorted(shown) == [content for content in range(2_000) if content % 3]
