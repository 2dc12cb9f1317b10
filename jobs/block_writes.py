"""Partitions whose files the Spark workers write themselves, straight from Arrow."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final, cast

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import TaskContext, cloudpickle
from pyspark.sql import DataFrame

import contracts
import jobs
from contracts import columns as c
from contracts.schema import Table
from contracts.snapshots import Snapshot
from jobs.tables import Tables

ToRows = Callable[[pa.Table], Iterable[pa.Table]]
_BLOCK_ROWS: Final = 2_000_000
"""Rows that a worker holds at once: 100 MB, and as much again while it sorts them."""
_FILE, _ROWS = "file", "rows"
_WRITTEN: Final = pa.schema([(_FILE, pa.string()), (_ROWS, pa.int64())])


def blocks_of_users(tables: Tables, day: date, rows: DataFrame) -> DataFrame:
    """The rows with those of a user in one partition, as many partitions as workers can hold one by one.

    Args:
        tables: Has read the partitions that the rows of the day come from.
    """
    count = 1 + sum(snapshot.rows for snapshot in tables.inputs_for(day)) // _BLOCK_ROWS
    return rows.repartition(count, c.USER_ID)


def write_blocks(tables: Tables, table: Table, day: date, blocks: DataFrame, to_rows: ToRows) -> Snapshot:
    """Replace one partition by what `to_rows` makes of each partition, whole, of `blocks`; atomically.

    Handing rows with several strings back to Spark, which then writes them one by one, takes longer than all the rest
    of such a job. Files of attempts that Spark gave up are left out: only those that it reports are committed,
    in the order of the partitions, so that a re-run gives equal files.

    Args:
        to_rows: Runs on the workers, in their memory: the partitions of `blocks` must be small enough.
    """
    for package in (contracts, jobs):  # our code travels along: a server's workers need not find it, nor the same one
        cloudpickle.register_pickle_by_value(package)
    staged = tables.warehouse.stage(table, day, tables.now)
    attempts = staged / "_attempts"
    attempts.mkdir(parents=True)
    write = partial(_write_block, table=table, folder=attempts, to_rows=to_rows)
    written = blocks.mapInArrow(write, f"{_FILE} string, {_ROWS} long").toArrow().to_pydict()
    for number, name in enumerate(sorted(written[_FILE])):
        (attempts / name).rename(staged / f"part-{number:05}.parquet")
    for given_up in attempts.iterdir():
        given_up.unlink()
    attempts.rmdir()
    if not written[_FILE]:
        pq.write_table(table.schema.empty_table(), staged / "part-00000.parquet")
    rows, inputs = sum(written[_ROWS]), tables.inputs_for(day)
    snapshot = tables.warehouse.commit(table, day, staged, rows, inputs, tables.until)
    tables.sync(table, [snapshot])
    return snapshot


def _write_block(
    batches: Iterable[pa.RecordBatch], table: Table, folder: Path, to_rows: ToRows
) -> Iterator[pa.RecordBatch]:
    collected = list(batches)
    if not collected:
        return
    partition = cast(TaskContext, TaskContext.get()).partitionId()  # in a worker there always is one
    name, rows = f"{partition:05}-{secrets.token_hex(8)}.parquet", 0
    with pq.ParquetWriter(folder / name, table.schema) as writer:
        for part in to_rows(pa.Table.from_batches(collected)):
            writer.write_table(part)
            rows += part.num_rows
    yield pa.RecordBatch.from_pydict({_FILE: [name], _ROWS: [rows]}, _WRITTEN)
