"""The commands as an operator runs them."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bandit.posteriors import PosteriorEpoch
from contracts import columns as c
from contracts.erasure import mark_erased
from contracts.errors import LearningElsewhereError
from contracts.names import STREAM_FEEDBACK, STREAM_IMPRESSIONS
from contracts.snapshots import Warehouse
from contracts.tables import FEEDBACK
from serving.__main__ import app
from serving.stores.redis_store import RedisStore
from tests.serving.learning.histories import Shown, feedback

Run = CliRunner().invoke
CONTEXT = ("home_clips", "light")


@pytest.fixture
def redis_store(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RedisStore:
    monkeypatch.setenv("STREAMREC_HOME", str(tmp_path))
    monkeypatch.setenv("STREAMREC_REDIS__URL", redis_url)
    monkeypatch.setenv("STREAMREC_BANDIT__ATTRIBUTION_MINUTES", "0.002")
    monkeypatch.setenv("STREAMREC_BANDIT__STEP_SECONDS", "0.05")
    return RedisStore.open(redis_url, 10_000)


def ok(*arguments: str) -> str:
    result = Run(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_feedback_moves_the_posteriors_within_a_window_and_a_step(
    redis_store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMREC_BANDIT__UPDATES", "stream")
    redis_store.append(STREAM_IMPRESSIONS, Shown("r1", 1, CONTEXT, ("popular", "fresh")).body(), 100)
    redis_store.append(STREAM_FEEDBACK, feedback("r1", 1, "play", 60.0, user=1).to_json(), 100)
    time.sleep(0.3)
    report = json.loads(ok("learn", "--once"))
    assert (report["epochs"], report["counts"]["successes"], report["counts"]["failures"]) == (1, 1, 1)
    state = PosteriorEpoch.from_bytes(redis_store.posteriors(*CONTEXT) or b"")
    assert state.evidence("fresh")[0] == pytest.approx(1.0, abs=0.01)
    assert json.loads(ok("learn", "--once"))["epochs"] == 0


def test_only_one_way_of_learning_is_in_charge(redis_store: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LearningElsewhereError, match=r"bandit\.updates is `daily`"):
        Run(app, ("learn", "--once"), catch_exceptions=False)
    monkeypatch.setenv("STREAMREC_BANDIT__UPDATES", "stream")
    assert "`python -m serving learn` learns" in ok("update_posteriors", "--date", "2026-01-30")


def test_feedback_is_drained_once_however_often(redis_store: RedisStore, tmp_path: Path) -> None:
    events = [
        feedback("r1", 1, "play", 60.0, user=1),
        feedback("r1", 1, "play", 60.0, user=1),
        feedback("r1", 2, "click"),
        feedback("r2", 2, "viewport").model_copy(update={"event_id": "e1"}),
        feedback("r2", 2, "dismiss").model_copy(update={"event_id": "e1"}),
    ]
    for event in events:
        redis_store.append(STREAM_FEEDBACK, event.to_json(), 100)
    redis_store.append(STREAM_FEEDBACK, b"rubbish", 100)
    today = datetime.now(UTC).date()
    report = json.loads(ok("drain_feedback", "--date", today.isoformat()))
    assert (report["rows"], report["new_rows"], report["repeated"], report["unreadable"]) == (3, 3, 2, 1)
    rows = Warehouse(tmp_path / "warehouse").read(FEEDBACK, today)
    report = json.loads(ok("drain_feedback", "--date", today.isoformat()))
    assert (report["rows"], report["new_rows"], report["repeated"]) == (3, 0, 5)
    assert Warehouse(tmp_path / "warehouse").read(FEEDBACK, today).equals(rows)
    assert rows.column(c.WATCHED_SECONDS).to_pylist() == [60.0, None, None]
    assert rows.column(c.USER_ID).to_pylist() == [1, None, None]


def test_feedback_of_another_day_waits_for_its_own(redis_store: RedisStore) -> None:
    redis_store.append(STREAM_FEEDBACK, feedback("r1", 1, "click").to_json(), 100)
    assert json.loads(ok("drain_feedback", "--date", "2026-01-30"))["rows"] == 0


def test_feedback_of_an_erased_user_is_not_written(redis_store: RedisStore, tmp_path: Path) -> None:
    for user in (1, 2, None):
        redis_store.append(STREAM_FEEDBACK, feedback(f"r{user}", 1, "click", user=user).to_json(), 100)
    now = datetime.now(UTC)
    ok("drain_feedback", "--date", now.date().isoformat())
    warehouse = Warehouse(tmp_path / "warehouse")
    mark_erased(warehouse, 1, now.date(), now)
    assert json.loads(ok("drain_feedback", "--date", now.date().isoformat()))["rows"] == 2
    assert set(warehouse.read(FEEDBACK, now.date()).column(c.USER_ID).to_pylist()) == {2, None}
