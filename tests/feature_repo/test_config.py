"""The file by which rooms open the store."""

import stat
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from contracts.settings import FeastSettings, Settings, SparkSettings
from contracts.tables import USER_FEATURE
from feature_repo.config import connection_string, store_config, write_config
from feature_repo.sources import source_factory


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://127.0.0.1:6379/0", "127.0.0.1:6379,db=0"),
        ("redis://cache", "cache:6379,db=0"),
        ("redis://cache:7000/3", "cache:7000,db=3"),
        ("redis://:secret@cache:7000", "cache:7000,db=0,password=secret"),
        ("redis://:a%40b@cache", "cache:6379,db=0,password=a@b"),
        ("rediss://reader:secret@cache", "cache:6379,db=0,username=reader,password=secret,ssl=true"),
    ],
)
def test_redis_urls_are_spelt_as_feast_wants_them(url: str, expected: str) -> None:
    assert connection_string(url) == expected


def test_the_file_holds_the_configuration_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    path = write_config(settings)
    assert yaml.safe_load(path.read_text()) == store_config(settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert write_config(settings) == path
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_the_spark_store_uses_the_runs_connect_server() -> None:
    remote = SparkSettings(remote="sc://127.0.0.1:15002")
    settings = Settings(feast=FeastSettings(offline_store="spark"), spark=remote)
    options = store_config(settings)["offline_store"]["spark_conf"]
    assert options["spark.remote"] == "sc://127.0.0.1:15002"
    assert "spark.master" not in options


def test_the_spark_store_finds_the_metastore_server_when_it_starts_a_session_itself() -> None:
    settings = Settings(feast=FeastSettings(offline_store="spark"), hive_metastore_uri="thrift://127.0.0.1:9083")
    options = store_config(settings)["offline_store"]["spark_conf"]
    assert options["spark.hadoop.hive.metastore.uris"] == "thrift://127.0.0.1:9083"
    assert options["spark.sql.session.timeZone"] == "UTC"


def test_the_source_of_a_table_follows_the_offline_store(tmp_path: Path) -> None:
    embedded = Settings(home=tmp_path)
    on_spark = embedded.model_copy(update={"feast": FeastSettings(offline_store="spark")})
    assert source_factory(embedded)(USER_FEATURE).path.endswith("warehouse/user_feature_v1/dt=*/current/*.parquet")
    assert source_factory(on_spark)(USER_FEATURE).table == "streamrec.user_feature_v1"
