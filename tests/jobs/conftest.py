"""Tables of a warehouse of the test's own, on the run's shared session."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from contracts.settings import Settings
from contracts.snapshots import Warehouse
from jobs.tables import Tables


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def tables(spark: SparkSession, settings: Settings) -> Tables:
    return Tables(spark, Warehouse(settings.warehouse_path), datetime(2026, 2, 1, tzinfo=UTC))
