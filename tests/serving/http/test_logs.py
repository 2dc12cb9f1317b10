"""What the server writes of its requests: nothing that tells who asked or who was asked about."""

import hashlib
import os
from pathlib import Path

import httpx
import redis

from contracts.settings import Settings
from contracts.snapshots import Warehouse
from serving.publish import publish
from serving.stores.redis_store import RedisStore
from tests.redis_server import free_port, running_redis
from tests.serving.builders import DAY, NOW, small_platform
from tests.serving.http.edges import running_edge

KEY, WRONG_KEY = "k3y-that-is-right", "k3y-that-is-wrong"
USER, ITEM, STREAMER = 771_177_117_711, 881_188_118_811, 991_199_119_911
OF_REDIS = "passw0rd-of-redis"
EVENT = {"item_id": str(ITEM), "item_kind": "clip", "action": "play", "user_id": str(USER), "watched_seconds": 900}


def ask_everything(client: httpx.Client) -> set[int]:
    """Requests of every status, all with a user, an item, a streamer or a key in them."""
    home = f"/v1/recommendations/{USER}?surface=home_clips"
    paths = [
        home,
        f"{home}&exclude={ITEM}",
        f"{home}&limit=0",
        f"{home}&limit={ITEM}x",
        f"{home}&user={USER}",
        f"{home}&cursor={ITEM}",
        f"{home}&exclude={','.join([str(ITEM)] * 3_000)}",
        f"/v1/recommendations/{USER}x?surface=home_clips",
        f"/v1/recommendations/{USER}?surface=watch_next&context={ITEM}",
        f"/v1/recommendations/{USER}?surface=related_streamers&context={STREAMER}",
        f"/v1/explain/{USER}",
        f"/{USER}",
        f"/?user={USER}&surface=watch_next&context={ITEM}",
        f"/ready?user={USER}",
    ]
    bodies = [{"events": [EVENT]}, {"events": [{**EVENT, "action": str(USER)}]}, {"events": [EVENT] * 101}]
    answers = [client.get(path) for path in paths]
    answers += [client.post("/v1/feedback", json=body) for body in bodies]
    answers += [client.post("/v1/feedback", content=f"{USER}" * 10_000), client.delete(home)]
    for authorization in (f"Bearer {WRONG_KEY}", WRONG_KEY):
        answers.append(client.get(home, headers={"authorization": authorization}))
    answers += [client.get(home, headers={"x-request-id": f"{USER}/{KEY}"})]
    return {answer.status_code for answer in answers}


def asking(address: str) -> httpx.Client:
    return httpx.Client(base_url=address, headers={"authorization": f"Bearer {KEY}"}, timeout=30)


def test_neither_keys_nor_ids_are_ever_written(tmp_path: Path) -> None:
    place, log = free_port(), tmp_path / "edge.log"
    warehouse: Warehouse = small_platform(tmp_path)
    url = f"redis://:{OF_REDIS}@127.0.0.1:{place}/0"
    environment = {
        "STREAMREC_HOME": str(tmp_path),
        "STREAMREC_REDIS__URL": url,
        "STREAMREC_HTTP__API_KEYS": f'{{"app": "{hashlib.sha256(KEY.encode()).hexdigest()}"}}',
        "PYTHONPATH": os.getcwd(),
    }
    with running_redis(tmp_path, place) as bare, redis.Redis.from_url(bare) as client:
        publish(warehouse, RedisStore.open(f"{bare}/0", 10_000), Settings(home=tmp_path).serving, DAY, NOW)
        client.config_set("requirepass", OF_REDIS)
        with running_edge(environment, log) as address, asking(address) as asker:
            statuses = ask_everything(asker)
            client.shutdown(nosave=True)
            statuses |= ask_everything(asker)
    assert {200, 202, 400, 401, 404, 405, 413, 414, 503} <= statuses
    written = log.read_text()
    assert "is not refreshed" in written
    for secret in (
        KEY,
        WRONG_KEY,
        OF_REDIS,
        str(USER),
        str(ITEM),
        str(STREAMER),
        hashlib.sha256(KEY.encode()).hexdigest(),
    ):
        assert secret not in written
