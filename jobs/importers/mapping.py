"""The column mapping of a log of any other shape, read from TOML; `docs/your_log.md` explains it by an example."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, model_validator

from contracts import columns as c
from contracts.errors import MappingError
from contracts.schema import Table
from contracts.settings import Section
from contracts.tables import BROADCAST, CONTENT, STREAMER, USER, USER_ACTION, WATCH_EVENT

Unit = Literal["ms", "s", "min", "h", "epoch_s", "epoch_ms", "epoch_us", "iso"]
DURATIONS: dict[str, float] = {"ms": 1_000.0, "s": 1.0, "min": 1 / 60, "h": 1 / 3_600}
"""How many of the unit make a second."""
EPOCHS: dict[str, int] = {"epoch_s": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000}


class ColumnMapping(Section):
    """Where the values of one column come from."""

    column: str | None = Field(None, description="Source column.")
    constant: str | float | bool | None = Field(None, description="Or one value for every row.")
    unit: Unit | None = Field(
        None, description="Of durations: ms, s, min, h; of times: epoch_s, epoch_ms, epoch_us, iso."
    )
    time_zone: str = Field("UTC", description="Of `iso` times that name none.")
    hash: bool = Field(False, description="The source has names; ids are made of them.")
    values: dict[str, str] = Field(
        default_factory=dict, description="Source word to ours; others become unknown kinds."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.column is None) == (self.constant is None):
            raise ValueError("give either `column` or `constant`")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{self.time_zone!r} is no time zone") from error
        return self


class DayMapping(Section):
    """Where the ingest day comes from, when the source has one."""

    column: str
    format: str = Field("yyyy-MM-dd", description="As Spark writes date patterns.")


class TableMapping(Section):
    """One table: which files or which Hive table, and its columns."""

    files: str | None = Field(None, description="Pattern below --log, such as plays/*.csv.gz.")
    hive: str | None = Field(None, description="Or a Hive table, database.table.")
    day: DayMapping | None = Field(None, description="None takes a dt= folder's day, else the day of the event.")
    columns: Annotated[dict[str, ColumnMapping], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.files is None) == (self.hive is None):
            raise ValueError("give either `files` or `hive`")
        return self


class LogMapping(Section):
    """All tables of a log; only the watch log is a must."""

    watch_event: TableMapping
    user_action: TableMapping | None = None
    user: TableMapping | None = None
    content: TableMapping | None = None
    streamer: TableMapping | None = None
    broadcast: TableMapping | None = None

    @property
    def tables(self) -> dict[Table, TableMapping]:
        """The mapped tables, the watch log first."""
        found = {
            WATCH_EVENT: self.watch_event,
            USER_ACTION: self.user_action,
            USER: self.user,
            CONTENT: self.content,
            STREAMER: self.streamer,
            BROADCAST: self.broadcast,
        }
        return {table: mapping for table, mapping in found.items() if mapping is not None}


def load_mapping(path: Path | None) -> LogMapping:
    """Read a mapping file.

    Raises:
        MappingError: it is not there, is no TOML, or does not fit the tables; the message names the section.
    """
    if path is None or not path.is_file():
        raise MappingError(f"the mapped format needs --mapping FILE; found {path}")
    try:
        mapping = LogMapping.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{path} is no TOML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"[{'.'.join(map(str, e['loc']))}] {e['msg']}" for e in error.errors())
        raise MappingError(f"{path}: {problems}") from error
    for table, one in mapping.tables.items():
        _check(path, table, one)
    return mapping


def _check(path: Path, table: Table, mapping: TableMapping) -> None:
    section = table.name.rpartition("_v")[0]
    for name, column in mapping.columns.items():
        where = f"{path}: [{section}.columns.{name}]"
        if name not in table.column_names:
            raise MappingError(f"{where} is no column of {table.name}; expected one of {', '.join(table.column_names)}")
        _check_unit(where, table, name, column.unit)
    for wanted in table.columns:
        if not wanted.nullable and wanted.name not in mapping.columns and wanted.name != c.VISIBILITY:
            raise MappingError(f"{path}: [{section}.columns] lacks {wanted.name} ({wanted.doc}), which every row needs")


def _check_unit(where: str, table: Table, name: str, unit: str | None) -> None:
    kind = str(table.schema.field(name).type)
    if unit is None:
        return
    is_time, is_duration = kind.startswith("timestamp"), name.endswith("_seconds")
    fitting = (*EPOCHS, "iso") if is_time else tuple(DURATIONS) if is_duration else ()
    if unit not in fitting:
        raise MappingError(f"{where} has unit {unit!r}; expected {', '.join(fitting) or 'none'} for a {kind}")
