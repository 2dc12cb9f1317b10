"""Small log directories, and what an import made of them."""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts import columns as c
from contracts.schema import Table
from contracts.snapshots import Warehouse

HEADER = "user_id,content_id,content_kind,streamer_id,event_time,watched_seconds"
ROWS = (
    "1,10,clip,5,2026-01-30T10:00:00Z,12.5",
    "2,10,clip,5,2026-01-30T11:00:00Z,0",
    "1,11,vod,6,2026-01-30T12:00:00Z,600",
)


def write_files(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write text or bytes by relative path; names that end with .gz are compressed."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
    return root


def csv(*rows: str, header: str = HEADER) -> str:
    return "\n".join((header, *rows)) + "\n"


def rows_of(warehouse: Warehouse, table: Table) -> list[dict[str, Any]]:
    """All rows of all days, with dt, in the order they are stored."""
    return [
        {c.DT: day.isoformat(), **row}
        for day in warehouse.dates(table)
        for row in warehouse.read(table, day).to_pylist()
    ]
