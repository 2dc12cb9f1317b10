"""The canonical shape: Parquet or CSV with the columns of the raw tables.

`LOG/watch_event/dt=YYYY-MM-DD/*` names ingest days; files without such a folder belong to the platform's day of each
event. Beside it, in the same layouts, may lie user_action, user, content, streamer and broadcast (a table's name
without its version). Where the catalogue is missing it is derived from the watch rows.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.errors import LogFormatError
from contracts.schema import Table
from contracts.tables import BROADCAST, CONTENT, STREAMER, USER, USER_ACTION, WATCH_EVENT
from jobs.importers import derived, reading
from jobs.importers.files import Inspection, find_files, folder_day, inspect
from jobs.importers.raw_log import Draft, RawLog, Source, require_folder, span_of
from jobs.transformations import cells
from jobs.transformations.admission import draft

_OTHERS: Final = (USER_ACTION, USER, CONTENT, STREAMER, BROADCAST)
_SLOWLY_CHANGING: Final = (USER, CONTENT, STREAMER)


def read_watch_event(source: Source) -> RawLog:
    """All tables of a log directory.

    Raises:
        LogFormatError: there are no watch rows, or a column that every watch row needs is in no file.
    """
    root = require_folder(source.request.log)
    paths = {table: _paths(root, table, source) for table in (WATCH_EVENT, *_OTHERS)}
    found = {table: inspect(files, table, source.scratch) for table, files in paths.items() if files}
    if WATCH_EVENT not in found:
        raise LogFormatError(f"{root} has no Parquet or CSV file, neither in {folder_name(WATCH_EVENT)}/ nor directly")
    drafts = {table: _draft(source, table, inspection) for table, inspection in found.items()}
    missing = tuple(table for table in (*_SLOWLY_CHANGING, BROADCAST) if table not in drafts)
    watches = drafts.pop(WATCH_EVENT)
    days = folder_days(root)
    return RawLog(
        watches=watches,
        others=list(drafts.values()),
        derive=derived.deriver(missing),
        faults=[fault for inspection in found.values() for fault in inspection.faults],
        folder_days=days,
        span=span_of(watches.rows.where(f.col(c.REASON).isNull()), days),
    )


def folder_name(table: Table) -> str:
    """Folder of a table in a log directory: its name without the version."""
    return table.name.rpartition("_v")[0]


def folder_days(root: Path) -> frozenset[date]:
    """Days that have a folder, with or without files in it.

    Raises:
        LogFormatError: the log is not there, or a folder's day is none.
    """
    folders = (require_folder(root) / folder_name(WATCH_EVENT)).glob(f"{c.DT}=*")
    return frozenset(day for folder in folders if (day := folder_day(folder / "any")) is not None)


def _paths(root: Path, table: Table, source: Source) -> list[Path]:
    """Files of the wanted days; of the days before, too, where a row may be delivered a second time."""
    folder = root / folder_name(table)
    if folder.is_dir():
        files = find_files(folder)
    else:
        files = sorted(path for path in find_files(root) if path.parent == root) if table == WATCH_EVENT else []
    first, last = source.request.first, source.request.last
    if first is None or last is None:
        return files
    earliest = first - timedelta(days=source.settings.platform.late_days)
    return [path for path in files if (day := folder_day(path)) is None or earliest <= day <= last]


def _draft(source: Source, table: Table, inspection: Inspection) -> Draft:
    frames = reading.read_files(source.spark, inspection.files)
    _require_columns(table, frames)
    days = {folder_day(file.path) for file in inspection.files}
    is_standing = days <= {None} and c.EVENT_TIME not in table.column_names
    parts = [_one(source, frame, table, is_standing) for frame in frames or [_nothing(source, table)]]
    only_days = frozenset(day for day in days if day) if table in _SLOWLY_CHANGING and not is_standing else None
    return Draft(table, reading.union([part.rows for part in parts]), is_standing, only_days)


def _one(source: Source, frame: DataFrame, table: Table, is_standing: bool) -> Draft:
    present = [column for column in table.columns if column.name in frame.columns]
    values = {column.name: cells.from_source(frame, column.name, column.type) for column in present}
    return source.judge(draft(frame, table, values, reading.CORRUPT), table, is_standing)


def _nothing(source: Source, table: Table) -> DataFrame:
    """What is read where every file was empty or damaged."""
    names = (*table.column_names, reading.CORRUPT, c.SOURCE_FILE, c.DT)
    return source.spark.createDataFrame([], ", ".join(f"{name} string" for name in names))


def _require_columns(table: Table, frames: Sequence[DataFrame]) -> None:
    """A column missing in one file makes that file's rows bad; missing in all, the log is of another format."""
    for column in table.columns:
        if frames and not column.nullable and not any(column.name in frame.columns for frame in frames):
            raise LogFormatError(
                f"no file of {folder_name(table)} has a column {column.name} ({column.doc}); found"
                f" {', '.join(frames[0].columns[:-3])}; a log of another shape is read by --format mapped"
            )
