import random
import time
from pathlib import Path

import pytest

from contracts.settings import Settings
from contracts.snapshots import Warehouse
from tests.jobs.spark_process import ROWS, SparkProcess, generations

KILLS = 10


def whole(found: dict[str, int]) -> int:
    """The one generation that all rows are of."""
    ((generation, rows),) = found.items()
    assert rows == ROWS
    return int(generation)


@pytest.mark.slow
@pytest.mark.timeout(1_500)
def test_a_reader_sees_the_old_rows_or_the_new_ones_whenever_the_writer_is_killed(tmp_path: Path) -> None:
    """Ten writers killed at random moments of replacing a partition; readers with, without Spark and through Hive."""
    moments = random.Random(20_260_130)
    warehouse = Warehouse(Settings(home=tmp_path).warehouse_path)
    environment, log = {"STREAMREC_HOME": str(tmp_path)}, tmp_path / "spark.log"
    with SparkProcess(environment, log) as process:
        process.ask("write 1")
        started = time.perf_counter()
        process.ask("write 2")
        seconds = time.perf_counter() - started
    committed = whole(generations(warehouse))
    assert committed == 2
    survivors = set()
    for _ in range(KILLS):
        with SparkProcess(environment, log) as process:
            assert whole(process.ask("read")) == committed
            process.ask("sync")
            assert whole(process.ask("hive")) == committed
            process.send(f"write {committed + 1}")
            time.sleep(moments.uniform(0, 1.5 * seconds))  # the moment of the kill, not a wait for something
            process.kill()
        found = whole(generations(warehouse))
        assert found in (committed, committed + 1)
        survivors.add(found - committed)
        committed = found
    with SparkProcess(environment, log) as process:
        assert whole(process.ask("read")) == committed
        process.ask("sync")
        assert whole(process.ask("hive")) == committed
        assert whole(process.ask(f"write {committed + 1}")) == committed + 1
    assert 0 in survivors, "no kill came before the commit: nothing was tested"
