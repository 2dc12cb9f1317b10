"""The services that a run needs on one machine, each as a plain process below the run's home folder."""

import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

import pyspark
import redis

from contracts.redis_server import redis_server
from contracts.settings import Settings
from contracts.spark import derby_url, java_options, server_options, spark_environment
from devstack.service import LOCALHOST, ServiceSpec, port_open

_SPARK_HOME: Final = Path(pyspark.__file__).parent
_CONNECT_SERVER: Final = "org.apache.spark.sql.connect.service.SparkConnectServer"
_QUIET_MLFLOW: Final = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
_METASTORE_SERVER: Final = "org.apache.hadoop.hive.metastore.HiveMetaStore"
# Hive's libraries look into these packages of the JDK, which 17 and newer close.
_OPENED: Final = ("java.lang", "java.lang.invoke", "java.net", "java.nio", "java.util", "java.util.concurrent")


def log_path(settings: Settings, name: str) -> Path:
    """Where the output of a service or a step goes."""
    return settings.home.resolve() / "logs" / f"{name}.log"


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what would make our programs use another Spark than the one installed."""
    return {name: value for name, value in environment.items() if name not in {"SPARK_HOME", "SPARK_CONF_DIR"}}


def redis_service(settings: Settings, port: int) -> ServiceSpec:
    """Redis, saved to `home/redis` when it stops, so that a later start serves the same lists."""
    folder = settings.home.resolve() / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    server = [str(redis_server(os.environ)), "--port", str(port), "--bind", LOCALHOST, "--dir", str(folder)]
    return ServiceSpec(
        name="redis",
        command=[*server, "--save", "900 1", "--daemonize", "no"],
        environment=clean_environment(os.environ),
        ready=partial(_redis_answers, port),
        log=log_path(settings, "redis"),
        timeout_seconds=20.0,
    )


def spark_service(settings: Settings, port: int) -> ServiceSpec:
    """A Spark Connect server: the one JVM of a run, so that no task pays for a Spark start."""
    command = [str(_SPARK_HOME / "bin" / "spark-submit"), "--class", _CONNECT_SERVER, "--master", settings.spark.master]
    options = {
        **server_options(settings),
        "spark.connect.grpc.binding.address": LOCALHOST,
        "spark.connect.grpc.binding.port": str(port),
    }
    for key, value in options.items():
        command += ["--conf", f"{key}={value}"]
    return ServiceSpec(
        name="spark",
        command=[*command, "spark-internal"],
        environment={**clean_environment(os.environ), **spark_environment(settings, os.environ)},
        ready=partial(port_open, port),
        log=log_path(settings, "spark"),
        timeout_seconds=120.0,
    )


def metastore_service(settings: Settings, port: int) -> ServiceSpec:
    """A Hive metastore server out of pyspark's own jars, on a Derby database below home."""
    home = settings.home.resolve()
    environment = {**clean_environment(os.environ), **spark_environment(settings, os.environ)}
    java = str(Path(environment["JAVA_HOME"]) / "bin" / "java")
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
    options = [option.strip('"') for option in java_options(home).split(" ")]
    hive = {
        "javax.jdo.option.ConnectionURL": derby_url(home),
        "hive.metastore.warehouse.dir": str(home / "hive"),
        "hive.metastore.schema.verification": "false",
        "datanucleus.schema.autoCreateAll": "true",
        "hive.async.log.enabled": "false",  # its logger asks for a library that Spark does not carry
    }
    settings_of_hive = [part for key, value in hive.items() for part in ("--hiveconf", f"{key}={value}")]
    server = [java, "-Xmx512m", *opened, *options, "-cp", f"{_SPARK_HOME}/jars/*", _METASTORE_SERVER]
    return ServiceSpec(
        name="metastore",
        command=[*server, "-p", str(port), *settings_of_hive],
        environment=environment,
        ready=partial(port_open, port),
        log=log_path(settings, "metastore"),
    )


def mlflow_service(settings: Settings, port: int) -> ServiceSpec:
    """MLflow's web UI over the run's tracking store."""
    command = [sys.executable, "-m", "mlflow", "server", "--host", LOCALHOST, "--port", str(port), "--workers", "1"]
    (settings.home.resolve() / "mlflow").mkdir(parents=True, exist_ok=True)
    return ServiceSpec(
        name="mlflow",
        command=[*command, "--backend-store-uri", settings.mlflow_tracking_uri],
        # Its job runner more than doubles the memory (900 against 385 MB) and nothing here uses it.
        # Without telemetry it leaves nothing in the home folder.
        environment={**clean_environment(os.environ), **_QUIET_MLFLOW},
        ready=partial(port_open, port),
        log=log_path(settings, "mlflow"),
    )


def _redis_answers(port: int) -> bool:
    try:
        with redis.Redis(host=LOCALHOST, port=port, socket_timeout=1.0) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
