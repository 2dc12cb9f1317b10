"""The same definitions on both offline stores: DuckDB over the snapshots, and Spark over Hive in the run's one JVM."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from contracts import columns as c
from contracts.names import VIEW_USER, feature_name
from contracts.settings import FeastSettings, RedisSettings, Settings, SparkSettings
from contracts.tables import CONTENT_VALUE, STREAMER_FEATURE, USER_FEATURE
from devstack.service import LOCALHOST, REPOSITORY, Service, free_port
from devstack.services import spark_service
from feature_repo.store import apply_definitions, materialize, online_row
from tests.feature_repo.tables import training_frame, write, write_labels

DAYS = [date(2026, 1, day) for day in (1, 2, 3)]
# Spark Connect is a mode of the whole process, so that each of these is a process of its own, as in a run.
REGISTER = """
from datetime import UTC, datetime
from contracts.settings import load_settings
from contracts.snapshots import Warehouse
from contracts.tables import CONTENT_VALUE, STREAMER_FEATURE, USER_FEATURE
from jobs.session import open_session
from jobs.tables import Tables
settings = load_settings()
warehouse = Warehouse(settings.warehouse_path)
tables = Tables(open_session(settings), warehouse, datetime.now(UTC))
for table in (CONTENT_VALUE, STREAMER_FEATURE, USER_FEATURE):
    tables.sync(table, [warehouse.require(table, day) for day in warehouse.dates(table)])
"""
JOIN = """
import sys
from datetime import date
from contracts.settings import load_settings
from tests.feature_repo.tables import training_frame
training_frame(load_settings(), date.fromisoformat(sys.argv[1])).to_parquet(sys.argv[2])
"""


def label(user: int, content: int, at: datetime) -> dict[str, Any]:
    return {c.USER_ID: user, c.CONTENT_ID: content, c.STREAMER_ID: content + 10, c.EVENT_TIME: at}


def user(identity: int, views: int) -> dict[str, Any]:
    lists = {c.RECENT_CONTENT_IDS: [views, 2**63 - 1], c.PREFERRED_STREAMER_IDS: []}
    return {c.USER_ID: identity, c.VIEWS: views, c.SEGMENT: "heavy", c.LIVE_SHARE: views / 7, **lists}


@pytest.fixture
def embedded(tmp_path: Path, redis_url: str) -> Settings:
    """Three days of features and the labels of the third: before and after its publication, a stranger, a repeat."""
    settings = Settings(home=tmp_path / "home", redis=RedisSettings(url=redis_url))
    for views, day in enumerate(DAYS, start=1):
        write(settings, USER_FEATURE, day, [user(1, views), user(2, 10 * views)])
        write(settings, STREAMER_FEATURE, day, [{c.STREAMER_ID: 15, c.VIEWS: views}])
        write(settings, CONTENT_VALUE, day, [{c.CONTENT_ID: 5, c.STREAMER_ID: 15, c.VIEWS: views}])
    early, late = (datetime(2026, 1, 3, hour, 59, 59, 999_999, tzinfo=UTC) for hour in (2, 23))
    write_labels(settings, DAYS[-1], [label(1, 5, early), label(1, 5, late), label(2, 6, late), label(3, 5, late)] * 2)
    return settings


@pytest.fixture
def on_spark(embedded: Settings) -> Iterator[Settings]:
    """The same home with the Spark store, on a Connect server whose Hive knows the tables."""
    port = free_port()
    with Service(spark_service(embedded, port)):
        remote = SparkSettings(remote=f"sc://{LOCALHOST}:{port}")
        settings = embedded.model_copy(update={"spark": remote, "feast": FeastSettings(offline_store="spark")})
        run(settings, "-c", REGISTER)
        yield settings


def run(settings: Settings, *arguments: str) -> None:
    environment = {
        "STREAMREC_HOME": str(settings.home),
        "STREAMREC_SPARK__REMOTE": str(settings.spark.remote),
        "STREAMREC_FEAST__OFFLINE_STORE": settings.feast.offline_store,
        "STREAMREC_REDIS__URL": settings.redis.url,
    }
    subprocess.run([sys.executable, *arguments], env={**os.environ, **environment}, cwd=REPOSITORY, check=True)


@pytest.mark.slow
@pytest.mark.timeout(900)  # six processes, a JVM among them, each of which imports Feast or Spark
def test_training_frames_and_online_rows_are_equal_on_both_offline_stores(
    embedded: Settings, on_spark: Settings, tmp_path: Path
) -> None:
    apply_definitions(embedded)
    materialize(embedded, DAYS[0])
    frame, row = training_frame(embedded, DAYS[-1]), online_row(embedded, 2)

    run(on_spark, "-m", "feature_repo", "apply")
    run(on_spark, "-c", JOIN, DAYS[-1].isoformat(), str(tmp_path / "spark.parquet"))
    pd.testing.assert_frame_equal(comparable(pd.read_parquet(tmp_path / "spark.parquet")), comparable(frame))
    assert frame[feature_name(VIEW_USER, c.VIEWS)].fillna(0).tolist() == [1, 1, 2, 2, 20, 20, 0, 0]

    run(on_spark, "-m", "feature_repo", "materialize", "--date", DAYS[1].isoformat())
    assert online_row(embedded, 2)[c.VIEWS] == 20 != row[c.VIEWS]
    run(on_spark, "-m", "feature_repo", "materialize", "--date", DAYS[0].isoformat())
    assert online_row(embedded, 2) == row


def comparable(frame: pd.DataFrame) -> pd.DataFrame:
    """Engines name the widths of numbers and the zone of times differently; the values must be the same."""
    plain = frame.copy()
    for name in plain.columns:
        kind = plain[name].dtype
        if pd.api.types.is_datetime64_any_dtype(kind):
            plain[name] = pd.to_datetime(plain[name], utc=True).dt.as_unit("us")
        elif pd.api.types.is_bool_dtype(kind) or pd.api.types.is_numeric_dtype(kind):
            plain[name] = plain[name].astype(float)
        else:
            plain[name] = [None if value is None else str(list(value)) for value in plain[name]]
    return plain[sorted(plain.columns)]
