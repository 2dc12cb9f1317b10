from pathlib import Path

from pyspark.sql import SparkSession

from contracts import columns as c
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from contracts.tables import VIEW_VALUE
from jobs.commands import view_valuation
from jobs.tables import Tables
from tests.jobs.commands.three_days import DAYS, NOW, write_log


def test_a_day_is_compared_with_views_that_can_change_no_more_as_with_others(
    spark: SparkSession, tmp_path: Path
) -> None:
    """No row of the second day is late: whether the first day's views could still change must not matter."""
    settings = Settings(home=tmp_path)
    warehouse = Warehouse(settings.warehouse_path)
    write_log(warehouse)
    values = []
    for late_days in (2, 0):
        platform = settings.platform.model_copy(update={"late_days": late_days})
        tables = Tables(spark, warehouse, NOW)
        (snapshot,) = view_valuation.run(tables, [DAYS[1]], settings.model_copy(update={"platform": platform}))
        rows = warehouse.read_snapshot(VIEW_VALUE, snapshot)
        values.append(rows.sort_by([(c.USER_ID, "ascending"), (c.CONTENT_ID, "ascending")]).to_pylist())
    assert len(values[0]) == 4
    assert values[0] == values[1]
