import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import Settings
from contracts.tables import WATCH_EVENT
from jobs.importers import reading
from jobs.importers.files import inspect
from jobs.transformations import cells
from jobs.transformations.admission import draft, judge, mark_duplicates
from tests.jobs.importers.logs import HEADER, csv, write_files

GOOD = "1,10,clip,5,2026-01-30T10:00:00Z,12.5"
CASES: dict[str, tuple[str, str | None]] = {
    "a good row": (GOOD, None),
    "a row two days late": ("1,11,clip,5,2026-01-28T00:00:00Z,1", None),
    "an exposure": ("1,12,live,5,2026-01-30T10:00:00Z,0", None),
    "a whole float as id": ("2.0,10,clip,5,2026-01-30T10:00:00Z,1", None),
    "no user": (",10,clip,5,2026-01-30T10:01:00Z,1", "missing_id"),
    "no streamer": ("1,10,clip,,2026-01-30T10:02:00Z,1", "missing_id"),
    "a word for an id": ("x,10,clip,5,2026-01-30T10:03:00Z,1", "wrong_type"),
    "half an id": ("1.5,10,clip,5,2026-01-30T10:04:00Z,1", "wrong_type"),
    "an id beyond int64": ("9223372036854775808,10,clip,5,2026-01-30T10:05:00Z,1", "wrong_type"),
    "words for seconds": ("1,10,clip,5,2026-01-30T10:06:00Z,long", "wrong_type"),
    "no seconds": ("1,10,clip,5,2026-01-30T10:07:00Z,", "wrong_type"),
    "seconds that are no number": ("1,10,clip,5,2026-01-30T10:08:00Z,NaN", "wrong_type"),
    "too few cells": ("1,10,clip", "wrong_type"),
    "too many cells": (f"{GOOD},1,2", "wrong_type"),
    "negative seconds": ("1,10,clip,5,2026-01-30T10:09:00Z,-1", "negative_seconds"),
    "more than a day in a row": ("1,10,clip,5,2026-01-30T10:10:00Z,86401", "absurd_seconds"),
    "endless seconds": ("1,10,clip,5,2026-01-30T10:11:00Z,Infinity", "absurd_seconds"),
    "no time": ("1,10,clip,5,,1", "missing_time"),
    "a word for a time": ("1,10,clip,5,yesterday,1", "wrong_type"),
    "the day after": ("1,10,clip,5,2026-01-31T00:05:00Z,1", "future"),
    "within the skew of clocks": ("1,13,clip,5,2026-01-31T00:04:59Z,1", None),
    "three days late": ("1,10,clip,5,2026-01-27T23:59:59Z,1", "too_late"),
    "an unknown kind": ("1,10,podcast,5,2026-01-30T10:12:00Z,1", "unknown_kind"),
    "no kind": ("1,10,,5,2026-01-30T10:13:00Z,1", "unknown_kind"),
    "a copy of it": (GOOD, "duplicate"),
    "no UTF-8": ("1,10,cl\udcffip,5,2026-01-30T10:14:00Z,1", "not_utf8"),
}


@pytest.fixture(scope="module")
def reasons(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """Every case's reason, by one Spark job: the case stands in a column before the row."""
    root = tmp_path_factory.mktemp("cases")
    text = csv(*(f"{case},{row}" for case, (row, _) in CASES.items()), header=f"case,{HEADER}")
    write_files(root, {"dt=2026-01-30/log.csv": text.encode("utf-8", "surrogateescape")})
    files = inspect([root / "dt=2026-01-30" / "log.csv"], WATCH_EVENT, root).files
    (frame,) = reading.read_files(spark, files)
    values = {x.name: cells.from_source(frame, x.name, x.type) for x in WATCH_EVENT.columns if x.name in frame.columns}
    drafted = draft(frame, WATCH_EVENT, values, reading.CORRUPT, [f.col("case")])
    judged = mark_duplicates(judge(drafted, WATCH_EVENT, Settings()), WATCH_EVENT)
    return {row[0]: row[1] for row in judged.select("case", c.REASON).collect()}


@pytest.mark.parametrize("case", CASES)
def test_a_row_is_kept_out_for_the_reason_it_is_bad(reasons: dict[str, str | None], case: str) -> None:
    assert reasons[case] == CASES[case][1]
