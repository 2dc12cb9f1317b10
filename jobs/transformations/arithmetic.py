"""Expressions that several transformations share: exact sums, half-life decay, ranks."""

from collections.abc import Sequence
from typing import Final

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as f

from contracts import columns as c
from jobs.transformations.as_of import AS_OF

_UNITS: Final = 10_000_000


def exact_sum(column: Column, over: WindowSpec | None = None) -> Column:
    """Sum in fixed point of 1e-7: a sum of doubles depends on the order in which rows arrive, a re-run must not.

    Sums up to 9e11 fit.
    """
    units = f.sum(f.rint(column * f.lit(_UNITS)).cast("long"))
    return (units if over is None else units.over(over)) / f.lit(_UNITS)


def age_days() -> Column:
    """Whole days from a row's view day to its `as_of`."""
    return f.datediff(AS_OF, c.VIEW_DAY)


def decay(age: Column, half_life_days: float) -> Column:
    """2^(-age / half-life): 1 today, 1/2 after one half-life."""
    return f.pow(f.lit(2.0), -age / f.lit(half_life_days))


def share(part: Column, whole: Column) -> Column:
    """part / whole, 0 where the whole is 0."""
    return f.when(whole > 0, part / whole).otherwise(f.lit(0.0))


def with_rank(frame: DataFrame, within: Sequence[str], *order: Column) -> DataFrame:
    """Add `rank`, 1 for the first; `order` must end in an id, so that equal scores rank alike in every run."""
    ordered = Window.partitionBy(*within).orderBy(*order)
    number = f.row_number().over(ordered.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    return frame.withColumn(c.RANK, number)
