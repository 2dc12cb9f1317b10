"""The file by which every room opens the feature store."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml  # type: ignore[import-untyped]  # the stubs are no dependency of ours

from contracts.names import FEAST_PROJECT
from contracts.redis_url import is_cluster
from contracts.settings import Settings
from contracts.spark import server_options, session_options

_SECONDS_PER_DAY = 86_400


def write_config(settings: Settings) -> Path:
    """Write `feature_store.yaml` below `home`; a reader sees the old file or the new one, whole."""
    path = settings.feast_config_path
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}")
    beside.touch(mode=0o600)  # the online store's address may hold a password
    beside.write_text(yaml.safe_dump(store_config(settings), sort_keys=False))
    os.replace(beside, path)
    return path


def store_config(settings: Settings) -> dict[str, Any]:
    """What the file says; every path in it is absolute, so that it works from any folder."""
    return {
        "project": FEAST_PROJECT,
        "provider": "local",
        "registry": str(settings.feast_registry_path),
        "offline_store": _offline_store(settings),
        "online_store": {
            "type": "redis",
            "redis_type": "redis_cluster" if is_cluster(settings.redis.url) else "redis",
            "connection_string": connection_string(settings.redis.url),
            "key_ttl_seconds": settings.feast.ttl_days * _SECONDS_PER_DAY,
            # Feast would keep a stored row against one of equal time: a mended day could not be loaded again.
            "skip_dedup": True,
        },
        "materialization": {"pull_latest_features": True, "online_write_batch_size": 10_000},
    }


def _offline_store(settings: Settings) -> dict[str, Any]:
    """The Spark store joins inside the run's JVM: an embedded metastore admits no second one."""
    if settings.feast.offline_store == "duckdb":
        return {"type": "duckdb"}
    if settings.spark.remote:
        address = {"spark.remote": settings.spark.remote}
    else:
        address = {"spark.master": settings.spark.master, **server_options(settings)}
    return {"type": "spark", "spark_conf": {**address, **session_options(settings)}}


def connection_string(redis_url: str) -> str:
    """Feast's spelling of a Redis address: `host:port,db=0,password=...`."""
    url = urlsplit(redis_url)
    options = {
        "db": None if is_cluster(redis_url) else url.path.strip("/") or "0",
        "username": url.username,
        "password": url.password,
        "ssl": "true" if url.scheme.startswith("rediss") else None,
    }
    given = [f"{name}={unquote(value)}" for name, value in options.items() if value]
    return ",".join([f"{url.hostname}:{url.port or 6379}", *given])
