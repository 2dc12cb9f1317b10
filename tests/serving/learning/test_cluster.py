"""Learning on a Redis Cluster: every script touches one slot."""

import time

import pytest

from contracts.names import STREAM_FEEDBACK, STREAM_IMPRESSIONS
from contracts.settings import BanditSettings, Settings
from serving.learning.learner import Learner
from serving.stores.redis_store import RedisStore
from tests.serving.learning.histories import CONTEXTS, Shown, feedback


@pytest.mark.slow
def test_slates_are_judged_once_on_a_cluster(redis_cluster_url: str) -> None:
    bandit = BanditSettings(updates="stream", attribution_minutes=0.002, step_seconds=0.05)
    store = RedisStore.open(redis_cluster_url, 10_000)
    for number in range(30):
        shown = Shown(f"r{number}", 1, CONTEXTS[number % 3], ("popular", "fresh"))
        store.append(STREAM_IMPRESSIONS, shown.body(), 1_000)
        store.append(STREAM_FEEDBACK, feedback(shown.request, 1, "play", 60.0).to_json(), 1_000)
    store.append(STREAM_FEEDBACK, b"rubbish", 1_000)
    time.sleep(0.5)
    reports = [Learner(store, store, Settings(bandit=bandit)).step() for _ in range(2)]
    assert [report.counts.successes for report in reports] == [30, 0]
    assert reports[1].total.poison == 1
    assert all(store.posteriors(*context) is not None for context in CONTEXTS)
