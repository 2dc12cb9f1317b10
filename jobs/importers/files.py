"""The files of a log: found, looked through for damage, and grouped by their columns before Spark reads them."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from contracts import columns as c
from contracts.errors import LogFormatError
from contracts.names import QuarantineReason
from contracts.schema import Table

SUFFIXES = (".parquet", ".csv", ".csv.gz")
_FOLDER_DAY = re.compile(rf"{c.DT}=(\d{{4}}-\d{{2}}-\d{{2}})(?:/|$)")
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Fault:
    """Damage of a whole file; it becomes one row of the quarantine."""

    table: Table
    file: str
    reason: QuarantineReason
    raw: str | None
    dt: str | None


@dataclass(frozen=True)
class LogFile:
    """A file that can be read; its columns, from the header or the footer, decide what it is read together with.

    Args:
        types: Of the columns of a Parquet file; None for CSV.
    """

    path: Path
    columns: tuple[str, ...]
    types: tuple[pa.DataType, ...] | None = None


def find_files(folder: Path) -> list[Path]:
    """The log files below a folder, sorted, hidden and bookkeeping ones left out."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name.endswith(SUFFIXES))
    return sorted(path for path in found if not path.name.startswith(("_", ".")))


def folder_day(path: Path) -> date | None:
    """The ingest day that a `dt=` folder of the path names."""
    match = _FOLDER_DAY.search(f"{path.parent.as_posix()}/")
    if match is None:
        return None
    try:
        return date.fromisoformat(match[1])
    except ValueError as error:
        raise LogFormatError(f"{path.parent}: {match[1]} is no day; expected dt=YYYY-MM-DD") from error


@dataclass(frozen=True)
class Inspection:
    """Files that can be read, and damage. Part of a damaged file may be readable."""

    files: list[LogFile]
    faults: list[Fault]


@dataclass(frozen=True)
class _Damage:
    reason: QuarantineReason
    raw: str | None = None


_Seen = tuple[LogFile | None, _Damage | None]


def inspect(paths: Iterable[Path], table: Table, scratch: Path, header: Sequence[str] | None = None) -> Inspection:
    """Look through files of a table; the readable part of a truncated gzip, copied into `scratch`, takes its place.

    Args:
        header: Columns of CSV files that have no header line.
    """
    files: list[LogFile] = []
    faults: list[Fault] = []
    for path in paths:
        readable, damage = _inspect_parquet(path) if path.suffix == ".parquet" else _inspect_csv(path, scratch, header)
        if readable is not None:
            files.append(readable)
        if damage is not None:
            day = folder_day(path)
            faults.append(Fault(table, path.name, damage.reason, damage.raw, day.isoformat() if day else None))
    return Inspection(files, faults)


def _inspect_parquet(path: Path) -> _Seen:
    if path.stat().st_size == 0:
        return None, _Damage(QuarantineReason.EMPTY_FILE)
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowInvalid, OSError):
        return None, _Damage(QuarantineReason.TRUNCATED_FILE)
    return LogFile(path, tuple(schema.names), tuple(schema.types)), None


def _inspect_csv(path: Path, scratch: Path, header: Sequence[str] | None) -> _Seen:
    damage = None
    if path.suffix == ".gz" and not _is_whole_gzip(path):
        path, tail = _salvage(path, scratch)
        damage = _Damage(QuarantineReason.TRUNCATED_FILE, tail)
    first_line = _first_line(path)
    if first_line is None:
        return None, damage or _Damage(QuarantineReason.EMPTY_FILE)
    names = header or next(csv.reader(io.StringIO(first_line)))
    if len(set(names)) < len(names):
        raise LogFormatError(f"{path}: the header names a column twice: {', '.join(names)}")
    return LogFile(path, tuple(names)), damage


def _first_line(path: Path) -> str | None:
    """The first line, or None where there is none; a byte order mark is no part of a name."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as stream:
        line: bytes = stream.readline()
    return line.decode("utf-8-sig", errors="replace").rstrip("\r\n") if line.strip() else None


def _is_whole_gzip(path: Path) -> bool:
    try:
        with gzip.open(path) as stream:
            while stream.read(_CHUNK_BYTES):
                pass
    except (EOFError, OSError, zlib.error):
        return False
    return True


def _salvage(path: Path, scratch: Path) -> tuple[Path, str]:
    """Copy the whole lines of a damaged gzip; the line it breaks off in is returned, since it may look valid."""
    day = folder_day(path)
    copy = scratch / (f"{c.DT}={day}" if day else "flat") / path.parent.name / path.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    tail = b""
    with gzip.open(copy, "wb", compresslevel=1) as stream:
        for part in _readable_parts(path):
            lines, newline, tail = (tail + part).rpartition(b"\n")
            stream.write(lines + newline)
    return copy, tail.decode("utf-8", errors="replace")


def _readable_parts(path: Path) -> Iterator[bytes]:
    """What a gzip gives up to its damage; concatenated members are one file."""
    inflater = zlib.decompressobj(wbits=31)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            try:
                yield inflater.decompress(chunk)
                while inflater.eof and inflater.unused_data:
                    rest, inflater = inflater.unused_data, zlib.decompressobj(wbits=31)
                    yield inflater.decompress(rest)
            except zlib.error:
                return
