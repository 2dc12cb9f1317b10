"""The edge in front of a Redis Cluster of three nodes."""

import asyncio
from pathlib import Path

import httpx
import pytest

from contracts.names import STREAM_IMPRESSIONS
from contracts.settings import Settings
from serving.publish import publish
from serving.stores.clustered import ClusteredRedis
from serving.stores.connection import connect
from serving.stores.redis_store import RedisStore
from tests.redis_server import free_port
from tests.serving.builders import DAY, NOW, small_platform
from tests.serving.http.edges import edge_settings, talk

pytestmark = pytest.mark.slow


@pytest.fixture
def clustered(redis_cluster_url: str, tmp_path: Path) -> Settings:
    settings = edge_settings(tmp_path, redis_cluster_url)
    store = RedisStore.open(redis_cluster_url, 10_000)
    publish(small_platform(tmp_path), store, settings.serving, DAY, NOW)
    return settings


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def test_slates_feedback_and_explanations_go_through_all_nodes(clustered: Settings) -> None:
    async def dialogue(client: httpx.AsyncClient) -> None:
        assert (await client.get("/ready")).json()["store"] == "up"
        first = await client.get("/v1/recommendations/1?surface=home_clips&limit=4", headers={"x-request-id": "r1"})
        assert first.json()["degraded"] is None
        assert {item["level"] for item in first.json()["items"]} == {"personal"}
        hidden = {"item_id": ids(first)[0], "item_kind": "clip", "action": "hide", "user_id": "1"}
        assert (await client.post("/v1/feedback", json={"events": [hidden]})).status_code == 202
        assert hidden["item_id"] not in ids(await client.get("/v1/recommendations/1?surface=home_clips&limit=9"))
        assert ids(await client.get("/v1/recommendations/2?surface=watch_next&context=101&limit=3"))
        async with asyncio.timeout(20):
            while (explained := await client.get("/v1/explain/r1")).status_code != 200:
                await asyncio.sleep(0.05)
        assert explained.json()["is_recomputed"]

    talk(clustered, dialogue)
    with connect(clustered.redis.url, 10_000) as client:
        assert client.xlen(STREAM_IMPRESSIONS) == 3


def test_a_worker_comes_up_before_its_cluster_and_says_so(tmp_path: Path) -> None:
    async def dialogue(client: httpx.AsyncClient) -> None:
        assert (await client.get("/health")).status_code == 200
        ready = await client.get("/ready")
        assert ready.status_code == 503
        assert "Redis did not answer" in ready.json()["store"]
        assert (await client.get("/v1/recommendations/1?surface=home_clips")).json()["error"] == "nothing_published"

    talk(edge_settings(tmp_path, f"redis+cluster://127.0.0.1:{free_port()}"), dialogue)


def test_without_its_cluster_a_request_gets_the_list_of_everybody_and_is_told(clustered: Settings) -> None:
    class Away(ClusteredRedis):
        """A cluster whose nodes are not there."""

        def __init__(self, timeout_ms: int, retry_ms: int) -> None:
            super().__init__(f"redis+cluster://127.0.0.1:{free_port()}", timeout_ms, retry_ms)

    async def dialogue(client: httpx.AsyncClient) -> httpx.Response:
        return await client.get("/v1/recommendations/1?surface=home_clips&limit=4")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("serving.http.worker.ClusteredRedis", lambda _url, timeout, retry: Away(timeout, retry))
        answer = talk(clustered, dialogue)
    body = answer.json()
    assert answer.status_code == 200
    assert body["degraded"]["level"] == "popular"
    assert body["degraded"]["unfiltered"] == ["seen", "hidden"]
    assert any("Redis did not answer" in reason for reason in body["degraded"]["reasons"])
