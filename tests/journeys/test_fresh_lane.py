"""A content published after training, from its event to what a user of its taste is offered; MLflow and Redis real."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest
import redis
from typer.testing import CliRunner

from contracts import redis_keys
from contracts.content_events import ContentChanged, ContentPublished, ContentTakenDown
from contracts.names import ALIAS_CHAMPION, MODEL_TWO_TOWER, STREAM_CONTENT
from contracts.settings import RedisSettings, Settings
from contracts.tables import CANDIDATE_LIST, NEXT_CONTENT, RELATED_STREAMER, REPRESENTATIVE_VOD, SEGMENT_LIST
from models.two_tower.commands import retrieve, train
from models.two_tower.register import open_client
from serving.__main__ import app
from serving.fresh.batch import Batch
from serving.fresh.lane import fresh_candidates
from serving.mirrors.fresh import FreshMirror
from serving.publish import publish
from serving.stores.redis_store import RedisStore
from tests.models.two_tower.worlds import CATEGORIES, DAY, NOW, World
from tests.serving.builders import candidate_rows, clips, segment_rows

NEW = range(7_001, 7_009)
"""Contents that no training has met; what is odd is racing, of a streamer of racing."""
NO_STREAMERS = np.empty(0, np.int64)


@dataclass
class Lane:
    """A trained and registered world, published to this test's Redis."""

    world: World
    settings: Settings
    store: RedisStore
    generation: str = ""

    def publish(self) -> None:
        retrieve(self.world.settings, DAY, ALIAS_CHAMPION, NOW)
        report = publish(self.world.warehouse, self.store, self.settings.serving, DAY, NOW)
        self.generation = report.generation

    def send(self, *events: ContentPublished | ContentChanged | ContentTakenDown) -> None:
        for event in events:
            self.store.append(STREAM_CONTENT, event.to_json(), 1_000)

    def embed(self) -> str:
        """Run the command; returns the model version that it says."""
        ran = CliRunner().invoke(app, ["embed_fresh", "--once"], catch_exceptions=False)
        assert ran.exit_code == 0, ran.output
        return str(json.loads(ran.stdout.splitlines()[-1])["model_version"])

    def offered(self, user: int) -> list[int]:
        """What the fresh lane of a new worker offers to a user, best first."""
        mirror = FreshMirror(self.store, self.settings, lambda: 0.0)
        mirror.refresh()
        batch = Batch.of(self.store.generation_info(self.generation), self.settings.platform.time_zone)
        with redis.Redis.from_url(self.settings.redis.url) as client:
            key = redis_keys.user_vectors(self.generation, redis_keys.bucket_of(user))
            packed = client.hget(key, str(user))
        at = datetime.now(UTC).timestamp()
        fetched = fresh_candidates(mirror.index, packed, batch, NO_STREAMERS, 100, at)
        assert fetched.problem == ""
        return fetched.candidates.item_ids.tolist() if fetched.candidates is not None else []


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("fresh") / "home")
    made.write_catalogue()
    made.write_log()
    train(made.settings, DAY, made.read_features, NOW)
    made.write(CANDIDATE_LIST, DAY, candidate_rows(clips(1, 3)))
    made.write(SEGMENT_LIST, DAY, segment_rows("all", clips(0, 3)))
    for table in (REPRESENTATIVE_VOD, RELATED_STREAMER, NEXT_CONTENT):
        made.write(table, DAY, [])
    return made


@pytest.fixture
def lane(world: World, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Lane:
    monkeypatch.setenv("STREAMREC_HOME", str(world.home))
    monkeypatch.setenv("STREAMREC_REDIS__URL", redis_url)
    settings = world.settings.model_copy(update={"redis": RedisSettings(url=redis_url)})
    made = Lane(world, settings, RedisStore.open(redis_url, 10_000))
    made.publish()
    return made


def said_of(content: int, category: int) -> dict[str, object]:
    """What an event says of a new content of a category; its streamer is one of that category."""
    return {
        "event_time": datetime.now(UTC),
        "content_id": content,
        "content_kind": "clip",
        "streamer_id": 1_001 + category + 2 * (content % 4),
        "category": CATEGORIES[category],
        "duration_seconds": 60.0,
        "published_at": datetime.now(UTC),
    }


def publish_new(lane: Lane) -> None:
    lane.send(*(ContentPublished(**said_of(content, content % 2)) for content in NEW))  # type: ignore[arg-type]


def of_own_taste(lane: Lane) -> float:
    """Share of users whose four best new contents are all of the category that they watch."""
    users = range(1, lane.world.users + 1)
    return float(np.mean([{content % 2 for content in lane.offered(user)[:4]} == {user % 2} for user in users]))


def test_a_content_published_after_training_is_offered_to_users_of_its_taste(lane: Lane) -> None:
    publish_new(lane)
    assert lane.embed() == "1"
    assert sorted(lane.offered(1)) == list(NEW)
    assert of_own_taste(lane) > 0.9


def test_another_category_and_streamer_move_a_content(lane: Lane) -> None:
    publish_new(lane)
    lane.embed()
    fan = next(user for user in (1, 3, 5) if lane.offered(user)[0] % 2)
    (first, *_) = lane.offered(fan)
    lane.send(ContentChanged(**said_of(first, 0)))  # type: ignore[arg-type]
    lane.embed()
    assert lane.offered(fan).index(first) >= 3


def test_a_content_that_is_taken_down_is_offered_to_nobody(lane: Lane) -> None:
    publish_new(lane)
    lane.embed()
    lane.send(ContentTakenDown(event_time=datetime.now(UTC), content_id=NEW[0]))
    lane.embed()
    assert sorted(lane.offered(1)) == list(NEW)[1:]


def test_after_the_next_model_is_published_what_is_fresh_is_embedded_by_it(lane: Lane) -> None:
    publish_new(lane)
    lane.embed()
    train(lane.world.settings, DAY, lane.world.read_features, NOW)
    registry = open_client(lane.settings)
    registry.set_registered_model_alias(MODEL_TWO_TOWER, ALIAS_CHAMPION, "2")
    try:
        lane.publish()
        assert lane.embed() == "2"
        assert of_own_taste(lane) > 0.9
        lane.generation = lane.store.rollback()
        assert lane.embed() == "1"
        assert of_own_taste(lane) > 0.9
    finally:
        registry.set_registered_model_alias(MODEL_TWO_TOWER, ALIAS_CHAMPION, "1")


def test_where_the_model_was_registered_without_a_program_contents_wait_for_it(
    lane: Lane, caplog: pytest.LogCaptureFixture
) -> None:
    moved = [
        (path, path.rename(path.with_suffix(".aside")))
        for path in lane.settings.mlflow_artifacts_path.rglob("item_tower.pt2")
    ]
    try:
        publish_new(lane)
        assert lane.embed() == ""
        assert "item tower of streamrec_two_tower version 1 is not to be had" in caplog.text
    finally:
        for path, aside in moved:
            aside.rename(path)
    assert lane.embed() == "1"
    assert of_own_taste(lane) > 0.9
