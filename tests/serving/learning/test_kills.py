"""The consumer as a process, killed at random moments while events flow."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import redis

from contracts.names import STREAM_FEEDBACK, STREAM_IMPRESSIONS
from contracts.settings import BanditSettings, Settings
from serving.learning.learner import Learner
from serving.stores.redis_store import RedisStore
from tests.serving.learning.histories import CONTEXTS, Shown, feedback

ROOT = Path(__file__).parents[3]
KILLS = 20
BANDIT = BanditSettings(updates="stream", attribution_minutes=0.01, step_seconds=0.05, half_life_hours=0.01)


def environment(url: str, home: Path) -> dict[str, str]:
    settings = {
        "STREAMREC_HOME": str(home),
        "STREAMREC_REDIS__URL": url,
        "STREAMREC_BANDIT__UPDATES": BANDIT.updates,
        "STREAMREC_BANDIT__ATTRIBUTION_MINUTES": str(BANDIT.attribution_minutes),
        "STREAMREC_BANDIT__STEP_SECONDS": str(BANDIT.step_seconds),
        "STREAMREC_BANDIT__HALF_LIFE_HOURS": str(BANDIT.half_life_hours),
    }
    return {**os.environ, **settings, "OMP_NUM_THREADS": "1"}


def flow(url: str, stop: threading.Event) -> None:
    """Slates and what people do with them, some events twice and some unreadable, until told to stop."""
    store = RedisStore.open(url, 10_000)
    rng = np.random.default_rng(1)
    number = 0
    while not stop.is_set():
        number += 1
        arms = tuple(rng.choice(["two_tower", "popular", "fresh"], 4).tolist())
        body = Shown(f"r{number}", 1, CONTEXTS[rng.integers(len(CONTEXTS))], arms).body()
        for _ in range(1 + int(rng.random() < 0.1)):
            store.append(STREAM_IMPRESSIONS, body, 10**9)
        if rng.random() < 0.6:
            about = f"r{max(1, number - int(rng.integers(0, 30)))}"
            use = feedback(about, int(rng.integers(0, 5)), str(rng.choice(["play", "click", "viewport"])))
            event = use.model_copy(update={"watched_seconds": 60.0}) if use.action == "play" else use
            for _ in range(1 + int(rng.random() < 0.2)):
                store.append(STREAM_FEEDBACK, event.to_json(), 10**9)
        if rng.random() < 0.01:
            store.append(STREAM_FEEDBACK, b"rubbish", 10**9)
        time.sleep(0.002)


def start(url: str, home: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "serving", "learn"]
    learner = subprocess.Popen(command, cwd=ROOT, env=environment(url, home), stdout=subprocess.PIPE)
    assert learner.stdout is not None
    assert learner.stdout.readline(), "the learner ended before its first step"
    return learner


def copy_streams(url: str, other: str) -> None:
    with redis.Redis.from_url(url) as here, redis.Redis.from_url(other) as there:
        for stream in (STREAM_IMPRESSIONS, STREAM_FEEDBACK):
            for identity, fields in here.xrange(stream):
                there.xadd(stream, fields, id=identity)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_kills_lose_and_double_nothing(redis_url: str, tmp_path: Path) -> None:
    stop, rng = threading.Event(), np.random.default_rng()
    traffic = threading.Thread(target=flow, args=(redis_url, stop))
    traffic.start()
    try:
        for _ in range(KILLS):
            learner = start(redis_url, tmp_path)
            time.sleep(float(rng.uniform(0.0, 0.4)))
            learner.send_signal(signal.SIGKILL)
            learner.wait()
    finally:
        stop.set()
        traffic.join()
    time.sleep(BANDIT.attribution_minutes * 60 + 1)
    unbroken_url = redis_url.removesuffix("/0") + "/1"
    copy_streams(redis_url, unbroken_url)
    killed, unbroken = RedisStore.open(redis_url, 10_000), RedisStore.open(unbroken_url, 10_000)
    settings = Settings(home=tmp_path, bandit=BANDIT)
    report = Learner(killed, killed, settings).step()
    expected = Learner(unbroken, unbroken, settings).step()
    assert report.total == expected.total
    assert expected.total.slates > 1_000
    assert expected.total.gaps == 0
    for context in CONTEXTS:
        assert killed.posteriors(*context) == unbroken.posteriors(*context)
    with redis.Redis.from_url(redis_url) as here, redis.Redis.from_url(unbroken_url) as there:
        epochs = sorted(here.scan_iter("sr:bandit:{*}:*"))
        assert epochs == sorted(there.scan_iter("sr:bandit:{*}:*"))
        assert here.mget(epochs) == there.mget(epochs)


def test_told_to_stop_it_ends_and_says_what_it_did(redis_url: str, tmp_path: Path) -> None:
    learner = start(redis_url, tmp_path)
    learner.terminate()
    assert learner.wait(timeout=20) == 0
