"""What the commands do with the feature store: apply the definitions, load a day online, look at a row."""

import contextlib
import io
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pyarrow.compute as pc
import redis
from feast import FeatureStore

from contracts import columns as c
from contracts.clock import available_at
from contracts.erasure import erased_users
from contracts.errors import FeatureStoreMissingError, MissingPartitionError, StoreUnavailableError
from contracts.feast_engine import offline_engine
from contracts.feast_online import online_key
from contracts.names import SERVICE_SERVING, VIEW_USER
from contracts.redis_url import node_url
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from contracts.tables import CONTENT_VALUE, STREAMER_FEATURE, USER_FEATURE
from feature_repo.config import write_config
from feature_repo.definitions import definitions
from feature_repo.sources import source_factory

_ONLINE = {VIEW_USER: USER_FEATURE}


def apply_definitions(settings: Settings) -> FeatureStore:
    """Write the store's file and register the definitions; doing it again changes nothing.

    Raises:
        MissingPartitionError: a table of the definitions has no rows at all yet, so that every join would fail.
    """
    warehouse = Warehouse(settings.warehouse_path)
    for table in (USER_FEATURE, STREAMER_FEATURE, CONTENT_VALUE):
        if not warehouse.dates(table):
            raise MissingPartitionError(table.name, "(any day)", f"{table.owner} --date DAY")
    store = FeatureStore(fs_yaml_file=write_config(settings))
    with offline_engine(settings), _quiet():
        store.apply(definitions(source_factory(settings), settings.feast.ttl_days))
    return store


def open_store(settings: Settings) -> FeatureStore:
    """The store as it was applied.

    Raises:
        FeatureStoreMissingError: it was not.
    """
    if not settings.feast_config_path.is_file() or not settings.feast_registry_path.is_file():
        raise FeatureStoreMissingError(
            f"no feature store at {settings.feast_config_path}; run first: python -m feature_repo apply"
        )
    return FeatureStore(fs_yaml_file=settings.feast_config_path)


def materialize(settings: Settings, day: date) -> int:
    """Load the day's rows of the online views into Redis, over whatever is there; returns how many.

    A user who has no row that day keeps the one before until it expires (`feast.ttl_days`); one who was erased while
    the day was computed has none.

    Raises:
        MissingPartitionError, FeatureStoreMissingError, StoreUnavailableError
    """
    warehouse = Warehouse(settings.warehouse_path)
    snapshots = {view: warehouse.require(table, day) for view, table in _ONLINE.items()}
    store = open_store(settings)
    with offline_engine(settings), _online_store(settings) as client, _quiet():
        for view in snapshots:
            first, last = _available(settings, warehouse, view, day)
            store.materialize(first, last, feature_views=[view])
        for user in erased_users(warehouse):
            client.unlink(online_key(user))
    return sum(snapshot.rows for snapshot in snapshots.values())


def online_row(settings: Settings, user_id: int) -> dict[str, Any]:
    """One user's features as serving reads them; every value is None for a user without a row."""
    store = open_store(settings)
    with _online_store(settings):
        service = store.get_feature_service(SERVICE_SERVING)
        found = store.get_online_features(features=service, entity_rows=[{c.USER_ID: user_id}]).to_dict()
    return {name: values[0] for name, values in found.items()}


def _available(settings: Settings, warehouse: Warehouse, view: str, day: date) -> tuple[datetime, datetime]:
    """The rows' own times: they hold also when the publish delay was another one when the day was written."""
    times = warehouse.read(_ONLINE[view], day, [c.AVAILABLE_AT])[c.AVAILABLE_AT]
    bounds = pc.min_max(times).as_py()
    nominal = available_at(day, settings.platform.time_zone, settings.platform.publish_delay_minutes)
    return bounds["min"] or nominal, bounds["max"] or nominal


@contextlib.contextmanager
def _online_store(settings: Settings) -> Iterator[redis.Redis]:
    """Ask first whether Redis is there: Feast would tell in two hundred lines."""
    try:
        with redis.Redis.from_url(node_url(settings.redis.url), socket_connect_timeout=1) as client:
            client.ping()
            yield client
    except redis.RedisError as error:
        raise StoreUnavailableError(
            f"Redis at {connection_name(settings.redis.url)} did not answer ({error}); start it or set redis.url"
        ) from error


def connection_name(redis_url: str) -> str:
    """The address without its password, for messages."""
    return node_url(redis_url).rpartition("@")[2].removeprefix("redis://")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Feast prints progress bars and guesses; a command's output is its result."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
