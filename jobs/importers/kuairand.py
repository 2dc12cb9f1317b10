"""KuaiRand (Gao et al., CIKM 2022) in its official CSV files: short videos, so every content is a clip.

The `date` column is the day Kuaishou filed a row under, some rows of the last hour of a day under the next one: it is
the ingest day. A video that the video features do not know has no streamer and is quarantined with `missing_id`.
"""

from pathlib import Path
from typing import Final

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.errors import LogFormatError
from contracts.names import Action, ContentKind, ItemKind, QuarantineReason, Visibility
from contracts.schema import Table
from contracts.tables import CONTENT, EARLIER_VIEW, STREAMER, USER, USER_ACTION, WATCH_EVENT
from jobs.importers import reading
from jobs.importers.files import Fault, inspect
from jobs.importers.raw_log import Draft, RawLog, Source, require_folder, span_of
from jobs.transformations import cells
from jobs.transformations.admission import draft

_VIDEO: Final = "video_id"
_AUTHOR: Final = "author_id"
_DATE: Final = "date"
_TIME: Final = "time_ms"
_PLAY: Final = "play_time_ms"
_CLICK: Final = "is_click"
_LONG_VIEW: Final = "long_view"
_TAB: Final = "tab"
_DURATION: Final = "video_duration"
_UPLOADED: Final = "upload_dt"
_VISIBLE: Final = "visible_status"
_TAGS: Final = "tag"
_WATCHED: Final = "watch_seq"
_LONG_WATCHED: Final = "long_watch_seq"
_ON_CONTENT: Final = {
    "is_like": Action.LIKE,
    "is_hate": Action.HIDE,
    "is_comment": Action.COMMENT,
    "is_forward": Action.SHARE,
}
_ON_STREAMER: Final = {"is_follow": Action.FOLLOW}
_AGAIN: Final = "again"
_ELEMENT: Final = "element"
_ACTIONS: Final = "actions"
_LOG_COLUMNS: Final = (c.USER_ID, _VIDEO, _DATE, _TIME, _CLICK, _LONG_VIEW, _PLAY, *_ON_CONTENT, *_ON_STREAMER)
_VIDEO_COLUMNS: Final = (_VIDEO, _AUTHOR, _DURATION, _UPLOADED, _VISIBLE, _TAGS)
_ELSEWHERE_SHARE: Final = 0.05
"""About 1 % of the real log's rows are filed a day late; far more means another time zone than the log's."""


def read_kuairand(source: Source) -> RawLog:
    """All log, user and video files of a directory.

    Raises:
        LogFormatError: a file that must be there is not, or lacks a column.
    """
    folder = require_folder(source.request.log)
    log, log_faults = _read(source, WATCH_EVENT, "log_*.csv", _LOG_COLUMNS)
    users, user_faults = _read(source, USER, "user_features_*.csv", (c.USER_ID,))
    videos, video_faults = _read(source, CONTENT, "video_features_basic_*.csv", _VIDEO_COLUMNS)
    contents = source.judge(_contents(videos, source.settings.platform.time_zone), CONTENT, is_standing=True)
    known_users = draft(users, USER, _ids(users, USER.column_names), reading.CORRUPT)
    return RawLog(
        watches=source.judge(_watches(log, contents.rows), WATCH_EVENT),
        others=[
            source.judge(known_users, USER, is_standing=True),
            contents,
            Draft(STREAMER, _streamers(contents.rows), is_standing=True),
        ],
        derive=lambda admitted, _: {USER_ACTION: _user_actions(admitted)},
        faults=[*log_faults, *user_faults, *video_faults],
        span=span_of(log.select(_day().alias(c.DT))),
        before=_earlier_views(source, folder / "earlier_views.parquet"),
        warnings=lambda admitted: _warnings(admitted, source.settings.platform.time_zone),
    )


def _read(source: Source, table: Table, pattern: str, columns: tuple[str, ...]) -> tuple[DataFrame, list[Fault]]:
    folder = source.request.log
    paths = sorted([*folder.glob(pattern), *folder.glob(f"{pattern}.gz")])
    inspection = inspect(paths, table, source.scratch)
    for file in inspection.files:
        for missing in sorted(set(columns) - set(file.columns)):
            raise LogFormatError(f"{file.path}: no column {missing}; the official file has it")
    if not inspection.files:
        raise LogFormatError(f"{folder} has no readable {pattern} or {pattern}.gz, which the kuairand format needs")
    frames = [_select(frame, columns) for frame in reading.read_files(source.spark, inspection.files)]
    return reading.union(frames), inspection.faults


def _select(frame: DataFrame, columns: tuple[str, ...]) -> DataFrame:
    """Columns that are used, whether or not the files have others; `tab` is null where a file lacks it."""
    tab = f.col(_TAB) if _TAB in frame.columns else f.lit(None).cast("string")
    return frame.select(*columns, tab.alias(_TAB), reading.CORRUPT, c.SOURCE_FILE, c.DT)


def _watches(log: DataFrame, contents: DataFrame) -> DataFrame:
    """Watch rows; the streamer comes from the video features."""
    day = _day()
    time = cells.epoch(f.col(_TIME), per_second=1_000)
    authors = (
        contents.where(f.col(c.REASON).isNull()).groupBy(c.CONTENT_ID).agg(f.max(c.STREAMER_ID).alias(c.STREAMER_ID))
    )
    numbers = {
        **_ids(log, [c.USER_ID]),
        c.CONTENT_ID: cells.parse(f.col(_VIDEO), pa.int64()),
        c.CONTENT_KIND: cells.constant(ContentKind.CLIP, pa.string()),
        c.EVENT_TIME: cells.Cell(time.value, time.malformed | day.isNull()),
        c.WATCHED_SECONDS: cells.number(f.col(_PLAY), per_unit=1_000),
        c.IS_CLICK: cells.parse(f.col(_CLICK), pa.bool_()),
        c.LOGGED_VALUED: cells.parse(f.col(_LONG_VIEW), pa.bool_()),
        c.SURFACE: cells.Cell(f.concat(f.lit(f"{_TAB}_"), f.col(_TAB)), f.lit(False)),
    }
    rows = draft(log.withColumn(c.DT, day), WATCH_EVENT, numbers, reading.CORRUPT, [_performed()]).drop(c.STREAMER_ID)
    joined = rows.join(f.broadcast(authors), on=c.CONTENT_ID, how="left")
    return joined.select(*WATCH_EVENT.column_names, _ACTIONS, c.SOURCE_FILE, c.DT, c.RAW, c.REASON)


def _day() -> Column:
    """The `date` column, 20220425, as `dt`; null where it is no day."""
    digits = f.regexp_replace(f.col(_DATE), r"\.0*$", "")
    return f.date_format(f.try_to_date(digits, "yyyyMMdd"), "yyyy-MM-dd")


def _performed() -> Column:
    """Names of the actions whose flag is set."""
    flags = {**_ON_CONTENT, **_ON_STREAMER}
    return f.array_compact(f.array(*(f.when(f.col(flag) == "1", action) for flag, action in flags.items()))).alias(
        _ACTIONS
    )


def _user_actions(admitted: DataFrame) -> DataFrame:
    rows = admitted.withColumn(c.ACTION, f.explode(_ACTIONS))
    on_streamer = f.col(c.ACTION).isin([action.value for action in _ON_STREAMER.values()])
    return rows.select(
        c.USER_ID,
        c.ACTION,
        f.when(on_streamer, ItemKind.STREAMER).otherwise(f.col(c.CONTENT_KIND)).alias(c.TARGET_KIND),
        f.when(on_streamer, f.col(c.STREAMER_ID)).otherwise(f.col(c.CONTENT_ID)).alias(c.TARGET_ID),
        c.EVENT_TIME,
        c.DT,
    )


def _contents(videos: DataFrame, time_zone: str) -> DataFrame:
    author = cells.parse(f.col(_AUTHOR), pa.int64())
    visible = f.when(f.col(_VISIBLE).try_cast("double") == 0, Visibility.PUBLIC).otherwise(Visibility.PRIVATE)
    values = {
        c.CONTENT_ID: cells.parse(f.col(_VIDEO), pa.int64()),
        c.CONTENT_KIND: cells.constant(ContentKind.CLIP, pa.string()),
        c.STREAMER_ID: author,
        c.CREATOR_ID: author,
        c.DURATION_SECONDS: cells.number(f.col(_DURATION), per_unit=1_000),
        c.CATEGORY: cells.Cell(f.split_part(f.col(_TAGS), f.lit(","), f.lit(1)), f.lit(False)),
        c.PUBLISHED_AT: cells.local_time(f.col(_UPLOADED), time_zone),
        c.VISIBILITY: cells.Cell(visible, f.lit(False)),
    }
    return draft(videos, CONTENT, values, reading.CORRUPT)


def _streamers(contents: DataFrame) -> DataFrame:
    """Every author, with the category most of the videos have."""
    known = contents.where(f.col(c.REASON).isNull() & f.col(c.STREAMER_ID).isNotNull())
    text = f.lit(None).cast("string")
    return (
        known.groupBy(c.STREAMER_ID)
        .agg(f.mode(c.CATEGORY, deterministic=True).alias(c.CATEGORY))
        .select(
            c.STREAMER_ID,
            text.alias(c.NAME),
            c.CATEGORY,
            text.alias(c.LANGUAGE),
            f.lit(None).cast("timestamp").alias(c.CREATED_AT),
            *(text.alias(name) for name in (c.SOURCE_FILE, c.DT, c.RAW, c.REASON)),
        )
    )


def _earlier_views(source: Source, path: Path) -> Draft | None:
    """One row per element of each user's sequence; a second sequence of a user is a duplicate."""
    files = inspect([path], EARLIER_VIEW, source.scratch).files if path.is_file() else []
    if not files:
        return None
    (frame,) = reading.read_files(source.spark, files)
    again = f.row_number().over(Window.partitionBy(c.USER_ID).orderBy(_WATCHED)) > 1
    flagged = f.transform(
        _WATCHED,
        lambda content: f.struct(
            content.alias(c.CONTENT_ID), f.array_contains(_LONG_WATCHED, content).alias(c.LOGGED_VALUED)
        ),
    )
    exploded = frame.withColumn(_AGAIN, again).select("*", f.posexplode(flagged).alias(c.POSITION, _ELEMENT))
    rows = exploded.select(
        c.USER_ID,
        c.POSITION,
        f.col(_ELEMENT)[c.CONTENT_ID].alias(c.CONTENT_ID),
        f.col(_ELEMENT)[c.LOGGED_VALUED].alias(c.LOGGED_VALUED),
        *(f.col(name) for name in (reading.CORRUPT, c.SOURCE_FILE, c.DT, _AGAIN)),
    )
    values = {column.name: cells.from_source(rows, column.name, column.type) for column in EARLIER_VIEW.columns}
    drafted = draft(rows, EARLIER_VIEW, values, reading.CORRUPT, [f.col(_AGAIN)])
    repeated = f.when(f.col(_AGAIN), QuarantineReason.DUPLICATE).otherwise(f.col(c.REASON))
    return source.judge(drafted.withColumn(c.REASON, repeated).drop(_AGAIN), EARLIER_VIEW, is_standing=True)


def _warnings(admitted: DataFrame, time_zone: str) -> list[str]:
    """Whether the `date` column and the platform's time zone fit together."""
    event_day = f.date_format(f.from_utc_timestamp(c.EVENT_TIME, time_zone), "yyyy-MM-dd")
    elsewhere = admitted.agg(f.avg((event_day != f.col(c.DT)).cast("double"))).collect()[0][0] or 0.0
    if elsewhere <= _ELSEWHERE_SHARE:
        return []
    return [
        f"{elsewhere:.0%} of the rows have a `date` that is not their day in {time_zone}; KuaiRand's days are"
        " Asia/Shanghai: set STREAMREC_PLATFORM__TIME_ZONE=Asia/Shanghai"
    ]


def _ids(frame: DataFrame, names: list[str]) -> dict[str, cells.Cell]:
    return {name: cells.parse(f.col(name), pa.int64()) for name in names if name in frame.columns}
