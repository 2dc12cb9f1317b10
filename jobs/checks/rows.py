"""Rows of a snapshot, some columns and a batch at a time."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.dataset as ds

from contracts.schema import Table
from contracts.snapshots import Snapshot


def batches(table: Table, snapshot: Snapshot, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """These columns of all rows, schema checked; memory does not grow with the number of rows."""
    files = sorted(str(path) for path in snapshot.path.glob("*.parquet"))
    if files:
        found = ds.dataset(files, format="parquet").schema
        table.check(found, written_before=True)
        dataset = ds.dataset(files, format="parquet", schema=table.read_schema(found))
        yield from dataset.to_batches(columns=list(columns))
