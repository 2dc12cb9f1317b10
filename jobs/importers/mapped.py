"""A log of any other shape, by a column mapping: Hive tables, Parquet or CSV files."""

from typing import Final

import pyarrow as pa
from pyspark.errors import AnalysisException
from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.errors import MappingError
from contracts.names import Visibility
from contracts.schema import Column, Table
from contracts.tables import BROADCAST, CONTENT, STREAMER, USER
from jobs.importers import derived, reading
from jobs.importers.files import Fault, folder_day, inspect
from jobs.importers.mapping import DURATIONS, EPOCHS, ColumnMapping, TableMapping, load_mapping
from jobs.importers.raw_log import Draft, RawLog, Source, span_of
from jobs.transformations import cells
from jobs.transformations.admission import draft

_DERIVABLE: Final = (USER, CONTENT, STREAMER, BROADCAST)


def read_mapped(source: Source) -> RawLog:
    """All tables of a mapping.

    Raises:
        MappingError: the mapping is wrong in itself, or names columns, files or tables that are not there.
    """
    mapping = load_mapping(source.request.mapping)
    found = {table: _read(source, table, one) for table, one in mapping.tables.items()}
    (watches, _), *others = found.values()
    missing = tuple(table for table in _DERIVABLE if table not in found)
    return RawLog(
        watches=watches,
        others=[other for other, _ in others],
        derive=derived.deriver(missing),
        faults=[fault for _, faults in found.values() for fault in faults],
        span=span_of(watches.rows.where(f.col(c.REASON).isNull())),
    )


def _read(source: Source, table: Table, mapping: TableMapping) -> tuple[Draft, list[Fault]]:
    frames, faults, has_folders = _hive(source, mapping) if mapping.hive else _files(source, table, mapping)
    is_standing = c.EVENT_TIME not in table.column_names and mapping.day is None and not has_folders
    parts = [source.judge(_draft(source, frame, table, mapping), table, is_standing) for frame in frames]
    return Draft(table, reading.union([part.rows for part in parts]), is_standing), faults


_Read = tuple[list[DataFrame], list[Fault], bool]


def _files(source: Source, table: Table, mapping: TableMapping) -> _Read:
    paths = sorted(path for path in source.request.log.glob(mapping.files or "") if path.is_file())
    inspection = inspect(paths, table, source.scratch)
    if not inspection.files:
        raise MappingError(
            f"{_where(source, table)} files = {mapping.files!r}: no readable file below {source.request.log}"
        )
    frames = reading.read_files(source.spark, inspection.files)
    return frames, inspection.faults, any(folder_day(path) for path in paths)


def _hive(source: Source, mapping: TableMapping) -> _Read:
    try:
        frame = source.spark.table(mapping.hive or "")
        names = frame.columns
    except AnalysisException as error:
        raise MappingError(f"{source.request.mapping}: hive = {mapping.hive!r}: no such table") from error
    own = [f.col(f"`{name}`").alias(reading.OWN_DT if name == c.DT else name) for name in names]
    text = f.lit(None).cast("string")
    origin = (text.alias(reading.CORRUPT), f.lit(mapping.hive).alias(c.SOURCE_FILE), text.alias(c.DT))
    return [frame.select(*own, *origin)], [], False


def _draft(source: Source, frame: DataFrame, table: Table, mapping: TableMapping) -> DataFrame:
    values = {}
    for column in table.columns:
        if column.name in mapping.columns:
            values[column.name] = _cell(source, frame, table, column, mapping.columns[column.name])
    if table == CONTENT and c.VISIBILITY not in values:
        values[c.VISIBILITY] = cells.constant(Visibility.PUBLIC, pa.string())
    if mapping.day is not None:
        text = f.col(_own(source, frame, table, mapping.day.column)).cast("string")
        frame = frame.withColumn(c.DT, f.date_format(f.try_to_date(text, mapping.day.format), "yyyy-MM-dd"))
    return draft(frame, table, values, reading.CORRUPT)


def _cell(source: Source, frame: DataFrame, table: Table, column: Column, mapping: ColumnMapping) -> cells.Cell:
    if mapping.column is None:
        return cells.constant(mapping.constant, column.type)
    name = _own(source, frame, table, mapping.column)
    found = frame.schema[name].dataType
    text = cells.as_text(f.col(f"`{name}`"), found, column.type)
    if mapping.values:
        return cells.Cell(
            f.coalesce(*(f.when(text == word, ours) for word, ours in mapping.values.items())), f.lit(False)
        )
    if mapping.hash:
        return cells.hashed(text)
    if mapping.unit in EPOCHS:
        whole = cells.as_text(f.col(f"`{name}`"), found, pa.int64())
        return cells.epoch(whole, EPOCHS[mapping.unit])
    return _in_unit(text, mapping) or cells.from_source(frame, name, column.type)


def _in_unit(text: SparkColumn, mapping: ColumnMapping) -> cells.Cell | None:
    if mapping.unit in DURATIONS:
        return cells.number(text, DURATIONS[mapping.unit])
    return cells.local_time(text, mapping.time_zone) if mapping.unit == "iso" else None


def _own(source: Source, frame: DataFrame, table: Table, name: str) -> str:
    own = reading.OWN_DT if name == c.DT else name
    if own not in frame.columns:
        found = [column for column in frame.columns if column not in (reading.CORRUPT, c.SOURCE_FILE, c.DT)]
        raise MappingError(f"{_where(source, table)}: the source has no column {name!r}; found {', '.join(found)}")
    return own


def _where(source: Source, table: Table) -> str:
    return f"{source.request.mapping}: [{table.name.rpartition('_v')[0]}]"
