"""Days of a range, computed by one Spark job: every row says which days it holds for, every result which day it is of.

A row of a window holds from `held_from` to `held_to`, both included. Spread over the days of the range it stands once
per day, with that day as `as_of`; whatever is computed then groups by `as_of`, too. A single day is a range of one.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c

AS_OF: Final = "as_of"
HELD_FROM: Final = "held_from"
HELD_TO: Final = "held_to"


def on_each_day(rows: DataFrame, days: Sequence[date]) -> DataFrame:
    """Each row once for every day of the range that it holds for, with that day as `as_of`.

    Args:
        days: Consecutive days, oldest first.
    """
    first, last = f.lit(days[0]), f.lit(days[-1])
    held = rows.where((f.col(HELD_FROM) <= last) & (f.col(HELD_TO) >= first) & (f.col(HELD_FROM) <= f.col(HELD_TO)))
    if len(days) == 1:
        return held.withColumn(AS_OF, first).drop(HELD_FROM, HELD_TO)
    of_range = f.sequence(f.greatest(HELD_FROM, first), f.least(HELD_TO, last))
    return held.withColumn(AS_OF, f.explode(of_range)).drop(HELD_FROM, HELD_TO)


def spread(rows: DataFrame, used_by: Mapping[date, Sequence[date]]) -> DataFrame:
    """Each row once for every day that uses its partition, with that day as `as_of` in place of `dt`.

    Args:
        rows: Rows of the partitions, with `dt`.
        used_by: By partition, the days that read it.
    """
    if all(list(days) == [dt] for dt, days in used_by.items()):
        return of_own_day(rows)
    users = {dt.isoformat(): f.array(*(f.lit(day) for day in days)) for dt, days in used_by.items()}
    entries = [entry for dt, days in users.items() for entry in (f.lit(dt), days)]
    return rows.withColumn(AS_OF, f.explode(f.element_at(f.create_map(*entries), f.col(c.DT)))).drop(c.DT)


def of_own_day(rows: DataFrame) -> DataFrame:
    """Rows that hold for the day of their partition: `as_of` in place of `dt`."""
    return rows.withColumn(AS_OF, f.to_date(c.DT)).drop(c.DT)


def moment_of(moments: Mapping[date, datetime]) -> Column:
    """The moment that belongs to a row's `as_of`."""
    if len(moments) == 1:
        return f.lit(next(iter(moments.values())))
    entries = [f.lit(value) for pair in moments.items() for value in pair]
    return f.element_at(f.create_map(*entries), f.col(AS_OF))
