"""The Spark session that all jobs of a run share: Spark Connect where a server is set, else one of our own on Hive."""

import os

from pyspark.sql import SparkSession

from contracts.settings import Settings
from contracts.spark import check_remote, server_options, session_options, spark_environment


def open_session(settings: Settings) -> SparkSession:
    """A Hive-enabled session.

    With `spark.remote` set this connects to a server that is already up (a fraction of a second); otherwise it starts
    a JVM (about 9 s) with an embedded metastore below `home`, or with the metastore server of `hive_metastore_uri`.

    Raises:
        StoreUnavailableError: nobody listens at `spark.remote`.
    """
    session = _connect(settings.spark.remote) if settings.spark.remote else _start(settings)
    for key, value in session_options(settings).items():
        session.conf.set(key, value)
    return session


def _connect(remote: str) -> SparkSession:
    check_remote(remote)
    return SparkSession.builder.remote(remote).getOrCreate()


def _start(settings: Settings) -> SparkSession:
    os.environ.update(spark_environment(settings, os.environ))
    builder = SparkSession.builder.appName("streamrec").master(settings.spark.master)
    for key, value in server_options(settings).items():
        builder = builder.config(key, value)
    session = builder.enableHiveSupport().getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session
