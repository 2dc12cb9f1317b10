"""A computed platform: every job of three days takes longer than any test that looks at what they wrote."""

import pytest
from pyspark.sql import SparkSession

from contracts.settings import Settings, SparkSettings
from contracts.snapshots import Warehouse
from tests.jobs.commands.three_days import compute, settings_of, write_log


@pytest.fixture(scope="package")
def computed(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Three days of every job, one day at a time, the lists of the last; tests write to copies only."""
    settings = settings_of(tmp_path_factory.mktemp("computed"))
    write_log(Warehouse(settings.warehouse_path))
    compute(spark, settings.model_copy(update={"spark": SparkSettings(days_per_job=1)}))
    return settings
