"""The Spark session that all jobs of a run share: Spark Connect where a server is set, else one of our own on Hive."""

import os
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from contracts.settings import Settings

_DERBY_FOLDER = "metastore"


def open_session(settings: Settings) -> SparkSession:
    """A Hive-enabled session.

    With `spark.remote` set this connects to a server that is already up (a fraction of a second); otherwise it starts
    a JVM (about 9 s) with an embedded metastore below `home`, or with the metastore server of `hive_metastore_uri`.
    """
    session = _connect(settings.spark.remote) if settings.spark.remote else _start(settings)
    for key, value in session_options(settings).items():
        session.conf.set(key, value)
    return session


def session_options(settings: Settings) -> dict[str, str]:
    """Options that hold on every session, whoever started its JVM."""
    return {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(settings.spark.shuffle_partitions),
        # The default, INT96, loses the zone: Arrow readers would see another type than the table's.
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        # dt stays the string that the path spells; inference would make it a date on one reader and not on another.
        "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
        # Rows that are partitioned by user stay so: joins and groups by user and more cost no further shuffle.
        "spark.sql.requireAllClusterKeysForCoPartition": "false",
        # Partitions by size, not by cores: a small day ends in one file, a large one in several.
        "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
        "spark.sql.adaptive.advisoryPartitionSizeInBytes": "16m",
    }


def server_options(settings: Settings) -> dict[str, str]:
    """Options that a JVM must start with; `devstack` hands the same to its Spark Connect server."""
    home = settings.home.resolve()
    options = {
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": str(home / "hive"),
        "spark.ui.enabled": "false",
        "spark.driver.memory": settings.spark.driver_memory,
    }
    if settings.hive_metastore_uri:
        return {**options, "spark.hadoop.hive.metastore.uris": settings.hive_metastore_uri}
    derby = f"jdbc:derby:;databaseName={home / _DERBY_FOLDER};create=true"
    return {
        **options,
        "spark.hadoop.javax.jdo.option.ConnectionURL": derby,
        "spark.driver.extraJavaOptions": f"-Dderby.stream.error.file={home / 'derby.log'}",
    }


def _connect(remote: str) -> SparkSession:
    return SparkSession.builder.remote(remote).getOrCreate()


def _start(settings: Settings) -> SparkSession:
    # Spark reads these two from the process: without them UDFs find another python and large results no address.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    Path(settings.home).mkdir(parents=True, exist_ok=True)
    builder = SparkSession.builder.appName("streamrec").master(settings.spark.master)
    for key, value in server_options(settings).items():
        builder = builder.config(key, value)
    session = builder.enableHiveSupport().getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session
