from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts import columns as c
from contracts.errors import LogFormatError
from contracts.names import LogFormat
from contracts.settings import IngestSettings, PlatformSettings, Settings
from contracts.tables import BROADCAST, CONTENT, EARLIER_VIEW, STREAMER, USER, USER_ACTION, WATCH_EVENT
from jobs.commands.import_log import import_log
from jobs.importers.raw_log import ImportRequest
from jobs.tables import Tables
from tests.jobs.importers.logs import csv, rows_of, write_files

LOG_HEADER = (
    "user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,is_hate,long_view,"
    "play_time_ms,duration_ms,tab"
)
FIRST_DAY = (
    "7,1,20220425,0,1650812741436,1,1,1,0,0,0,1,61802,49866,1",  # 23:05 of the day before in Shanghai, filed a day late
    "7,1,20220425,0,1650812741436,1,0,0,0,0,0,1,61802,49866,1",  # the same watch again
    "8,2,20220425,1200,1650859200000,0,0,0,0,0,1,0,0,10000,",
    "8,3,20220425,1200,1650859200000,0,0,0,0,0,0,0,0,10000,0",  # nobody knows the video
    "8,2,2022-04-25,1200,1650859200000,0,0,0,0,0,1,0,0,10000,0",
)
SECOND_DAY = ("7,2,20220427,1200,1651032000000,1,0,0,1,1,0,0,1500,10000,1",)
FILES = {
    "log_standard_a.csv.gz": csv(*FIRST_DAY, header=LOG_HEADER),
    "log_standard_b.csv": csv(*SECOND_DAY, header=LOG_HEADER),
    "user_features_pure.csv": "user_id,register_days\n7,100\n8,3\n",
    "video_features_basic_pure.csv": (
        "video_id,author_id,video_type,upload_dt,visible_status,video_duration,tag\n"
        '1,50,NORMAL,2022-04-10,0.0,87433.0,"20,43"\n2,51,NORMAL,2022-04-10,1.0,,\n'
    ),
}
SHANGHAI = PlatformSettings(time_zone="Asia/Shanghai")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    folder = write_files(tmp_path / "log", FILES)
    earlier = {c.USER_ID: [7], "watch_seq": [[2, 1, 2]], "long_watch_seq": [[1]]}
    pq.write_table(pa.table(earlier), folder / "earlier_views.parquet")
    return folder


def test_the_official_files_become_log_actions_and_catalogue(tables: Tables, settings: Settings, log: Path) -> None:
    lenient = settings.model_copy(update={"platform": SHANGHAI, "ingest": IngestSettings(max_quarantine_share=0.5)})
    report = import_log(tables, lenient, ImportRequest(LogFormat.KUAIRAND, log))
    assert report.reasons(WATCH_EVENT) == {"duplicate": 1, "missing_id": 1, "wrong_type": 1}
    watches = rows_of(tables.warehouse, WATCH_EVENT)
    known = (c.DT, c.USER_ID, c.CONTENT_ID, c.STREAMER_ID, c.WATCHED_SECONDS, c.IS_CLICK, c.LOGGED_VALUED)
    assert [tuple(row[name] for name in known) for row in watches] == [
        ("2022-04-25", 7, 1, 50, 61.802, True, True),
        ("2022-04-25", 8, 2, 51, 0.0, False, False),
        ("2022-04-27", 7, 2, 51, 1.5, True, False),
    ]
    assert watches[0][c.EVENT_TIME] == datetime(2022, 4, 24, 15, 5, 41, 436000, tzinfo=UTC)
    assert tables.warehouse.dates(WATCH_EVENT) == [date(2022, 4, day) for day in (25, 26, 27)]
    actions = rows_of(tables.warehouse, USER_ACTION)
    assert Counter((row[c.DT], row[c.ACTION], row[c.TARGET_KIND], row[c.TARGET_ID]) for row in actions) == Counter(
        [
            ("2022-04-25", "follow", "streamer", 50),
            ("2022-04-25", "like", "clip", 1),
            ("2022-04-25", "hide", "clip", 2),
            ("2022-04-27", "comment", "clip", 2),
            ("2022-04-27", "share", "clip", 2),
        ]
    )
    first, second = tables.warehouse.read(CONTENT, date(2022, 4, 26)).to_pylist()
    assert (first[c.CATEGORY], first[c.DURATION_SECONDS], first[c.VISIBILITY]) == ("20", 87.433, "public")
    assert first[c.PUBLISHED_AT] == datetime(2022, 4, 9, 16, tzinfo=UTC)
    assert (second[c.CATEGORY], second[c.DURATION_SECONDS], second[c.VISIBILITY]) == (None, None, "private")
    assert [row[c.STREAMER_ID] for row in tables.warehouse.read(STREAMER, date(2022, 4, 27)).to_pylist()] == [50, 51]
    assert tables.warehouse.read(USER, date(2022, 4, 25)).num_rows == 2
    assert tables.warehouse.read(BROADCAST, date(2022, 4, 25)).num_rows == 0
    earlier = rows_of(tables.warehouse, EARLIER_VIEW)
    assert [(x[c.DT], x[c.CONTENT_ID], x[c.POSITION], x[c.LOGGED_VALUED]) for x in earlier] == [
        ("2022-04-24", 2, 0, False),
        ("2022-04-24", 1, 1, True),
        ("2022-04-24", 2, 2, False),
    ]


def test_one_day_gives_the_rows_that_the_range_gave_and_another_zone_is_warned_of(
    tables: Tables, settings: Settings, log: Path
) -> None:
    elsewhere = PlatformSettings(time_zone="America/New_York")
    lenient = settings.model_copy(update={"platform": elsewhere, "ingest": IngestSettings(max_quarantine_share=0.5)})
    whole = import_log(tables, lenient, ImportRequest(LogFormat.KUAIRAND, log))
    before = tables.warehouse.read(WATCH_EVENT, date(2022, 4, 27)).to_pylist()
    day = date(2022, 4, 27)
    one = import_log(tables, lenient, ImportRequest(LogFormat.KUAIRAND, log, first=day, last=day))
    assert tables.warehouse.read(WATCH_EVENT, day).to_pylist() == before
    assert one.kept[WATCH_EVENT.name] == len(before) == 1
    assert any("set STREAMREC_PLATFORM__TIME_ZONE=Asia/Shanghai" in line for line in whole.lines())


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "has no readable log_"),
        ({**FILES, "log_standard_c.csv": "user_id,date\n1,2\n"}, "log_standard_c.csv: no column is_click"),
        ({name: text for name, text in FILES.items() if "video" not in name}, "has no readable video_features_basic_"),
    ],
)
def test_a_directory_without_the_official_files_is_a_named_error(
    tables: Tables, settings: Settings, tmp_path: Path, files: dict[str, str], message: str
) -> None:
    folder = write_files(tmp_path / "log", files)
    folder.mkdir(exist_ok=True)
    with pytest.raises(LogFormatError, match=message):
        import_log(tables, settings, ImportRequest(LogFormat.KUAIRAND, folder))
