"""Log files into Spark frames whose cells are as the file spells them, so that a wrong type is a fact about one row."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import reduce
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StringType, StructField, StructType

from contracts import columns as c
from jobs.importers.files import LogFile

CORRUPT: Final = "_corrupt_record"
OWN_DT: Final = "_own_dt"
"""A source column that is called `dt`: the frame's `dt` is the folder's."""
FILE_PATH: Final = "_metadata.file_path"
FILE_NAME: Final = "_metadata.file_name"
_FOLDER: Final = f"/{c.DT}="
_FOLDER_PATTERN: Final = re.compile(rf"{_FOLDER}\d{{4}}-\d{{2}}-\d{{2}}/")
_DAY_LENGTH: Final = len("YYYY-MM-DD")
_PLAIN_TYPES: Final = frozenset(
    {pa.bool_(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.string(), pa.timestamp("us", tz="UTC")}
)
"""Of these Arrow and Spark think alike; with others in a file Spark finds its types itself, by a job."""


def read_files(spark: SparkSession, files: Iterable[LogFile], header: bool = True) -> list[DataFrame]:
    """One frame per set of columns: source columns, `_corrupt_record`, `source_file`, and `dt` from the folder.

    `dt` is null where no folder tells it. Files of one log may differ in columns and types (a column added, an id
    that became text), and Spark would read them all with the first one's.
    """
    groups: dict[_Shape, list[str]] = defaultdict(list)
    for file in files:
        groups[_Shape(file.columns, file.types, _folder_place(file.path))].append(str(file.path))
    return [_with_origin(_read(spark, paths, shape, header), shape) for shape, paths in groups.items()]


def union(frames: Sequence[DataFrame]) -> DataFrame:
    """All rows of frames with equal columns."""
    return reduce(DataFrame.unionByName, frames)


class _Shape(NamedTuple):
    """What files must share to be read together; `folder` is which `/dt=` of their paths tells the day, if one does."""

    columns: tuple[str, ...]
    types: tuple[pa.DataType, ...] | None
    folder: int | None


def _folder_place(path: Path) -> int | None:
    """Found here, once a file: a pattern that Spark matched would cost each row as much as all its cells."""
    found = _FOLDER_PATTERN.search(path.as_posix())
    return None if found is None else path.as_posix().count(_FOLDER, 0, found.start()) + 1


def _read(spark: SparkSession, paths: list[str], shape: _Shape, header: bool) -> DataFrame:
    if shape.types is None:
        return _csv(spark, paths, shape.columns, header)
    return _parquet(spark, paths, shape.columns, shape.types)


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
    return reader.csv(paths)


def _parquet(spark: SparkSession, paths: list[str], columns: Sequence[str], types: Sequence[pa.DataType]) -> DataFrame:
    reader = spark.read.option("recursiveFileLookup", "true")
    if _PLAIN_TYPES.issuperset(types):
        reader = reader.schema(from_arrow_schema(pa.schema(list(zip(columns, types, strict=True)))))
    return reader.parquet(*paths).withColumn(CORRUPT, f.lit(None).cast("string"))


def _with_origin(frame: DataFrame, shape: _Shape) -> DataFrame:
    names = (*shape.columns, CORRUPT)
    sources = [f.col(f"`{name}`").alias(OWN_DT if name == c.DT else name) for name in names]
    return frame.select(*sources, f.col(FILE_NAME).alias(c.SOURCE_FILE), _day(shape.folder).alias(c.DT))


def _day(folder: int | None) -> Column:
    if folder is None:
        return f.lit(None).cast("string")
    before = f.length(f.substring_index(FILE_PATH, _FOLDER, folder))
    return f.substr(f.col(FILE_PATH), before + f.lit(len(_FOLDER) + 1), f.lit(_DAY_LENGTH))
