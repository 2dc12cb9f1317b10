"""Small tables for these tests: a test names the values it is about, the rest is filled in."""

from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from contracts import columns as c
from contracts.clock import available_at
from contracts.feast_engine import offline_engine
from contracts.names import FEAST_EVENT_TIMESTAMP, SERVICE_TRAINING
from contracts.schema import BOOL, INT64_LIST, STRING, TIMESTAMP, Table
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from contracts.tables import CONTENT_VALUE, STREAMER_FEATURE, TRAINING_EXAMPLE, USER_FEATURE

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FIRST_DAY = date(2026, 1, 1)


def write(settings: Settings, table: Table, day: date, rows: list[dict[str, Any]]) -> None:
    """Write a partition whose rows became available as the platform's settings say, unless a row says otherwise."""
    at = available_at(day, settings.platform.time_zone, settings.platform.publish_delay_minutes)
    filled = [{**_filler(table), c.AVAILABLE_AT: at, **row} for row in rows]
    columns = {column.name: pa.array([row[column.name] for row in filled], column.type) for column in table.columns}
    Warehouse(settings.warehouse_path).write(table, day, pa.table(columns), [], NOW)


def write_one_of_each(settings: Settings, day: date = FIRST_DAY) -> None:
    """One row in every table that the definitions need."""
    write(settings, USER_FEATURE, day, [{c.USER_ID: 1, c.VIEWS: 1}])
    write(settings, STREAMER_FEATURE, day, [{c.STREAMER_ID: 10, c.VIEWS: 100}])
    write(settings, CONTENT_VALUE, day, [{c.CONTENT_ID: 5, c.STREAMER_ID: 10, c.VIEWS: 50}])


def write_labels(settings: Settings, day: date, rows: list[dict[str, Any]]) -> None:
    write(settings, TRAINING_EXAMPLE, day, rows)


def training_frame(settings: Settings, day: date) -> pd.DataFrame:
    """The day's labels joined with the training service as any room does it: by file, table and Feast names."""
    from feast import FeatureStore  # noqa: PLC0415

    labels = Warehouse(settings.warehouse_path).read(TRAINING_EXAMPLE, day)
    entities = labels.to_pandas().rename(columns={c.EVENT_TIME: FEAST_EVENT_TIMESTAMP})
    store = FeatureStore(fs_yaml_file=settings.feast_config_path)
    service = store.get_feature_service(SERVICE_TRAINING)
    with offline_engine(settings):
        job = store.get_historical_features(entity_df=entities, features=service, full_feature_names=True)
        frame = job.to_arrow().to_pandas()
    return frame.sort_values([FEAST_EVENT_TIMESTAMP, c.USER_ID, c.CONTENT_ID], ignore_index=True)


def _filler(table: Table) -> dict[str, Any]:
    values: dict[pa.DataType, Any] = {STRING: "clip", INT64_LIST: [], BOOL: False, TIMESTAMP: None}
    return {column.name: values.get(column.type, 0) for column in table.columns}
