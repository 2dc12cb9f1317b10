"""Where each offline store finds a table: its current snapshots as Parquet, or its Hive table."""

from collections.abc import Callable
from pathlib import Path

from feast import FileSource
from feast.data_format import ParquetFormat
from feast.data_source import DataSource

from contracts import columns as c
from contracts.names import HIVE_DATABASE
from contracts.schema import Table
from contracts.settings import Settings


def source_factory(settings: Settings) -> Callable[[Table], DataSource]:
    """The source of a table for the offline store of the settings."""
    if settings.feast.offline_store == "spark":
        return hive_source
    return lambda table: snapshot_source(table, settings.warehouse_path)


def snapshot_source(table: Table, warehouse_path: Path) -> DataSource:
    """The Parquet files of the current snapshots; files of older snapshots do not match the pattern."""
    return FileSource(
        name=table.name,
        path=str(warehouse_path / table.name / f"{c.DT}=*" / "current" / "*.parquet"),
        file_format=ParquetFormat(),
        timestamp_field=c.AVAILABLE_AT,
        description=table.doc,
        owner=table.owner,
    )


def hive_source(table: Table) -> DataSource:
    """The Hive table, whose partitions' locations follow the current snapshots."""
    from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource  # noqa: PLC0415  needs pyspark

    return SparkSource(
        name=table.name,
        table=f"{HIVE_DATABASE}.{table.name}",
        timestamp_field=c.AVAILABLE_AT,
        description=table.doc,
        owner=table.owner,
    )
