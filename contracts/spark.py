"""How every Spark of streamrec is started, whoever starts it: a job's own session or the devstack's Connect server."""

import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from contracts.errors import StoreUnavailableError
from contracts.java import java_home
from contracts.settings import Settings

# For a run of minutes: no optimising compiler (without it the code cache shrinks to a size that a run fills), the
# collector that costs two cores least, and no collections because of loaded classes.
SHORT_RUN = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseParallelGC -XX:MetaspaceSize=256m"
"""Java options of a demo's and of a test run's JVM."""

_DERBY_FOLDER = "metastore"
_CONNECT_PORT = 15002
_PROBE_SECONDS = 5.0


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
        # What a job keeps, it keeps for seconds: compressing it costs more than it saves.
        "spark.sql.inMemoryColumnarStorage.compressed": "false",
        # A number per content of a catalogue of 200,000: sending it along spares a shuffle of a day's views.
        "spark.sql.autoBroadcastJoinThreshold": "32m",
        # Partitions by size, not by cores: a small day ends in one file, a large one in several.
        "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
        "spark.sql.adaptive.advisoryPartitionSizeInBytes": "16m",
    }


def server_options(settings: Settings) -> dict[str, str]:
    """Options that a JVM must start with."""
    home = settings.home.resolve()
    options = {
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": str(home / "hive"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": settings.spark.driver_memory,
        "spark.driver.extraJavaOptions": f"{java_options(home)} {settings.spark.java_options}".strip(),
    }
    if settings.hive_metastore_uri:
        return {**options, "spark.hadoop.hive.metastore.uris": settings.hive_metastore_uri}
    return {**options, "spark.hadoop.javax.jdo.option.ConnectionURL": derby_url(home)}


def java_options(home: Path) -> str:
    """Keeps what a JVM drops on the way (spills, performance counters, Derby's log) below `home`."""
    return f'"-Djava.io.tmpdir={home / "tmp"}" "-Dderby.stream.error.file={home / "derby.log"}" -XX:-UsePerfData'


def derby_url(home: Path) -> str:
    """The embedded metastore database; one JVM at a time may open it."""
    return f"jdbc:derby:;databaseName={home / _DERBY_FOLDER};create=true"


def spark_environment(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that Spark reads from its process; makes the folders that its options name.

    Without the python, UDFs find another one; without the address, large results find none.
    """
    home = settings.home.resolve()
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    return {
        "JAVA_HOME": str(java_home(environment, home / "java")),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(home / "tmp"),
    }


def check_remote(remote: str) -> None:
    """See that a Spark Connect server listens: the client itself tries for ten minutes, without a word.

    Raises:
        StoreUnavailableError: nobody listens there.
    """
    address = urlsplit(remote)
    try:
        address_port = (address.hostname or "", address.port or _CONNECT_PORT)
        socket.create_connection(address_port, timeout=_PROBE_SECONDS).close()
    except OSError as error:
        message = f"no Spark Connect server at {remote}; start one (python -m devstack spark) or unset spark.remote"
        raise StoreUnavailableError(message) from error
