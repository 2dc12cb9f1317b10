"""Log files into Spark frames whose cells are as the file spells them, so that a wrong type is a fact about one row."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Final

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.types import StringType, StructField, StructType

from contracts import columns as c
from jobs.importers.files import LogFile

CORRUPT: Final = "_corrupt_record"
OWN_DT: Final = "_own_dt"
"""A source column that is called `dt`: the frame's `dt` is the folder's."""
FILE_PATH: Final = "_metadata.file_path"
FILE_NAME: Final = "_metadata.file_name"
_FOLDER_PATTERN: Final = rf"/{c.DT}=(\d{{4}}-\d{{2}}-\d{{2}})/"


def read_files(spark: SparkSession, files: Iterable[LogFile], header: bool = True) -> list[DataFrame]:
    """One frame per set of columns: source columns, `_corrupt_record`, `source_file`, and `dt` from the folder.

    `dt` is null where no folder tells it. Files of one log may differ in columns and types (a column added, an id
    that became text), and Spark would read them all with the first one's.
    """
    groups: dict[tuple[bool, tuple[str, ...]], list[str]] = defaultdict(list)
    for file in files:
        groups[file.is_parquet, file.columns].append(str(file.path))
    return [
        _parquet(spark, paths) if is_parquet else _csv(spark, paths, columns, header)
        for (is_parquet, columns), paths in groups.items()
    ]


def union(frames: Sequence[DataFrame]) -> DataFrame:
    """All rows of frames with equal columns."""
    return reduce(DataFrame.unionByName, frames)


def _csv(spark: SparkSession, paths: list[str], columns: Sequence[str], header: bool) -> DataFrame:
    schema = StructType([StructField(name, StringType()) for name in (*columns, CORRUPT)])
    reader = spark.read.schema(schema).options(
        header=header,
        mode="PERMISSIVE",
        columnNameOfCorruptRecord=CORRUPT,
        # With pruning, a row with too few cells is only found out by queries that use all of them.
        columnPruning=False,
        escape='"',
        recursiveFileLookup=True,
    )
    return _with_origin(reader.csv(paths))


def _parquet(spark: SparkSession, paths: list[str]) -> DataFrame:
    frame = spark.read.option("recursiveFileLookup", "true").parquet(*paths)
    return _with_origin(frame.withColumn(CORRUPT, f.lit(None).cast("string")))


def _with_origin(frame: DataFrame) -> DataFrame:
    day = f.regexp_extract(f.col(FILE_PATH), _FOLDER_PATTERN, 1)
    sources = [f.col(f"`{name}`").alias(OWN_DT if name == c.DT else name) for name in frame.columns]
    return frame.select(*sources, f.col(FILE_NAME).alias(c.SOURCE_FILE), f.when(day != "", day).alias(c.DT))
