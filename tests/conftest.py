"""One Spark session for the whole run: a start costs about nine seconds."""

import pytest
from pyspark.sql import SparkSession

from contracts.settings import Settings
from jobs.session import open_session


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    return open_session(Settings(home=tmp_path_factory.mktemp("spark")))
