"""Partitions written by the workers: in our own session, and through a Connect server that cannot find our code."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from contracts import columns as c
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from contracts.tables import EARLIER_VIEW
from devstack.service import LOCALHOST, Service, free_port
from devstack.services import spark_service
from jobs.block_writes import write_blocks
from jobs.tables import Tables
from tests.jobs.frames import frame

DAY = date(2026, 1, 10)
USERS = range(1, 8)


def in_two_parts(rows: pa.Table) -> Iterator[pa.Table]:
    odd = pc.equal(pc.bit_wise_and(rows.column(c.USER_ID), 1), 1)
    for part in (rows.filter(odd), rows.filter(pc.invert(odd))):
        yield part.select(EARLIER_VIEW.column_names).cast(EARLIER_VIEW.schema)


def test_a_partition_holds_the_rows_of_all_blocks_and_no_other_file(tables: Tables) -> None:
    rows = frame(tables.spark, EARLIER_VIEW, *({c.USER_ID: user} for user in USERS))
    snapshot = write_blocks(tables, EARLIER_VIEW, DAY, rows.repartition(3, c.USER_ID), in_two_parts)
    found = tables.warehouse.read(EARLIER_VIEW, DAY).column(c.USER_ID).to_pylist()
    assert (sorted(found), snapshot.rows) == ([*USERS], len(USERS))
    assert {path.suffix for path in snapshot.path.iterdir()} == {".parquet", ".json"}
    in_hive = tables.spark.table(f"streamrec.{EARLIER_VIEW.name}")  # the run's metastore knows other tests' days, too
    assert in_hive.where(in_hive[c.DT] == DAY.isoformat()).count() == len(USERS)


def test_a_second_write_gives_equal_files(tables: Tables) -> None:
    rows = frame(tables.spark, EARLIER_VIEW, *({c.USER_ID: user} for user in range(40))).repartition(8, c.USER_ID)
    snapshots = [write_blocks(tables, EARLIER_VIEW, DAY, rows, in_two_parts) for _ in range(2)]
    first, second = (
        [pq.read_table(part).column(c.USER_ID).to_pylist() for part in sorted(snapshot.path.glob("*.parquet"))]
        for snapshot in snapshots
    )
    assert len(first) > 4
    assert first == second


def test_no_rows_make_an_empty_partition_that_can_be_read(tables: Tables) -> None:
    write_blocks(tables, EARLIER_VIEW, DAY, frame(tables.spark, EARLIER_VIEW), in_two_parts)
    assert tables.read(EARLIER_VIEW, [DAY]).count() == 0


# Its own function travels as that of any script does; what the test is about is ours, which no worker can import.
_JOB = """
import json
from datetime import UTC, date, datetime
from contracts.settings import load_settings
from contracts.snapshots import Warehouse
from contracts.tables import EARLIER_VIEW
from jobs.block_writes import write_blocks
from jobs.session import open_session
from jobs.tables import Tables
from tests.jobs.frames import frame

def whole(rows):
    yield rows.select(EARLIER_VIEW.column_names).cast(EARLIER_VIEW.schema)

settings = load_settings()
tables = Tables(open_session(settings), Warehouse(settings.warehouse_path), datetime.now(UTC))
rows = frame(tables.spark, EARLIER_VIEW, *({"user_id": user} for user in range(5)))
print(json.dumps({"rows": write_blocks(tables, EARLIER_VIEW, date(2026, 1, 10), rows, whole).rows}))
"""


@pytest.mark.slow
def test_workers_of_a_server_that_cannot_find_our_code_write_blocks(tmp_path: Path) -> None:
    settings, port = Settings(home=tmp_path / "home"), free_port()
    server = spark_service(settings, port)
    elsewhere = {name: value for name, value in server.environment.items() if name != "PYTHONPATH"}
    remote = {"STREAMREC_HOME": str(settings.home), "STREAMREC_SPARK__REMOTE": f"sc://{LOCALHOST}:{port}"}
    with Service(replace(server, environment=elsewhere)):
        answer = subprocess.run(
            [sys.executable, "-c", _JOB],
            env={**os.environ, **remote},
            cwd=Path(__file__).parents[2],
            check=True,
            capture_output=True,
            text=True,
        )
    assert json.loads(answer.stdout.splitlines()[-1]) == {"rows": 5}
    assert Warehouse(settings.warehouse_path).read(EARLIER_VIEW, DAY).num_rows == 5
