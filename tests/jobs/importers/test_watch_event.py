from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts import columns as c
from contracts.errors import LogFormatError, TooManyBadRowsError
from contracts.names import LogFormat
from contracts.settings import IngestSettings, PlatformSettings, Settings
from contracts.tables import BROADCAST, CONTENT, QUARANTINE, RAW_TABLES, STREAMER, USER, USER_ACTION, WATCH_EVENT
from jobs.commands.import_log import import_log, log_days, named_days
from jobs.importers.raw_log import ImportRequest
from jobs.tables import Tables
from tests.jobs.importers.logs import HEADER, ROWS, csv, rows_of, write_files

JAN_29, JAN_30, JAN_31 = date(2026, 1, 29), date(2026, 1, 30), date(2026, 1, 31)
LENIENT = IngestSettings(max_quarantine_share=0.6)


def request(log: Path, first: date | None = None, last: date | None = None) -> ImportRequest:
    return ImportRequest(LogFormat.WATCH_EVENT, log, first=first, last=last or first)


def test_csv_in_day_folders_becomes_the_log_with_a_catalogue_made_of_it(
    tables: Tables, settings: Settings, tmp_path: Path
) -> None:
    live = "3,77,live,5,2026-01-31T09:00:00Z,60"
    again = "1,10,clip,5,2026-01-30T10:00:00Z,12.5"
    log = write_files(
        tmp_path / "log",
        {"watch_event/dt=2026-01-30/a.csv.gz": csv(*ROWS), "watch_event/dt=2026-01-31/a.csv": csv(live, again)},
    )
    report = import_log(tables, settings, request(log))
    assert report.days == [JAN_30, JAN_31]
    assert report.kept == Counter({WATCH_EVENT.name: 4})
    assert report.quarantined == {(WATCH_EVENT.name, "duplicate"): 1}
    watches = rows_of(tables.warehouse, WATCH_EVENT)
    assert [(row[c.DT], row[c.USER_ID], row[c.CONTENT_ID], row[c.WATCHED_SECONDS]) for row in watches] == [
        ("2026-01-30", 1, 10, 12.5),
        ("2026-01-30", 1, 11, 600.0),
        ("2026-01-30", 2, 10, 0.0),
        ("2026-01-31", 3, 77, 60.0),
    ]
    assert [(x[c.DT], x[c.CONTENT_ID]) for x in rows_of(tables.warehouse, CONTENT)] == [
        ("2026-01-30", 10),
        ("2026-01-30", 11),
        ("2026-01-31", 10),
        ("2026-01-31", 11),
    ]
    assert Counter(x[c.DT] for x in rows_of(tables.warehouse, USER)) == {"2026-01-30": 2, "2026-01-31": 3}
    (broadcast,) = rows_of(tables.warehouse, BROADCAST)
    assert (broadcast[c.DT], broadcast[c.BROADCAST_ID], broadcast[c.STREAMER_ID]) == ("2026-01-31", 77, 5)
    assert broadcast[c.ENDED_AT] == datetime(2026, 1, 31, 9, 1, tzinfo=UTC)
    assert tables.warehouse.dates(USER_ACTION) == [JAN_30, JAN_31]


def test_a_later_day_keeps_what_the_derived_catalogue_knew_and_a_rerun_gives_equal_rows(
    tables: Tables, settings: Settings, tmp_path: Path
) -> None:
    files = {"watch_event/dt=2026-01-30/a.csv": csv(*ROWS), "watch_event/dt=2026-01-31/a.csv": csv(LATE)}
    log = write_files(tmp_path / "log", files)
    import_log(tables, settings, request(log, JAN_30))
    import_log(tables, settings, request(log, JAN_31))
    first = {table.name: rows_of(tables.warehouse, table) for table in RAW_TABLES}
    assert [x[c.STREAMER_ID] for x in first[STREAMER.name] if x[c.DT] == "2026-01-31"] == [5, 6, 8]
    import_log(tables, settings, request(log, JAN_30, JAN_31))
    assert {table.name: rows_of(tables.warehouse, table) for table in RAW_TABLES} == first


LATE = "1,12,clip,8,2026-01-30T23:59:00Z,5"


def test_flat_files_belong_to_the_platforms_day_and_mixed_types_are_read_file_by_file(
    tables: Tables, settings: Settings, tmp_path: Path
) -> None:
    tokyo = settings.model_copy(update={"platform": PlatformSettings(time_zone="Asia/Tokyo"), "ingest": LENIENT})
    log = tmp_path / "log"
    write_files(log, {"a.csv": csv("1,10,clip,5,2026-01-30T14:59:59Z,1", "1,11,clip,5,2026-01-30T15:00:00Z,1")})
    typed = {
        c.USER_ID: [7.0, 8.0],
        c.CONTENT_ID: [10, 10],
        c.CONTENT_KIND: ["clip", "clip"],
        c.STREAMER_ID: ["5", "five"],
        c.EVENT_TIME: [datetime(2026, 1, 30, 15, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)],
        c.WATCHED_SECONDS: [3, 3],
    }
    pq.write_table(pa.table(typed), log / "b.parquet")
    report = import_log(tables, tokyo, request(log))
    watches = rows_of(tables.warehouse, WATCH_EVENT)
    assert [(row[c.DT], row[c.USER_ID]) for row in watches] == [("2026-01-30", 1), ("2026-01-31", 1), ("2026-01-31", 7)]
    assert report.quarantined == {(WATCH_EVENT.name, "wrong_type"): 1}
    assert log_days(tables.spark, tokyo, request(log), tables.now) == [JAN_30, JAN_31]


def test_too_many_bad_rows_fail_the_run_with_the_quarantine_written_and_the_log_untouched(
    tables: Tables, settings: Settings, tmp_path: Path
) -> None:
    log = write_files(tmp_path / "log", {"watch_event/dt=2026-01-30/a.csv": csv(*ROWS)})
    import_log(tables, settings, request(log, JAN_30))
    before = tables.warehouse.current(WATCH_EVENT, JAN_30)
    broken = csv(ROWS[0], "1,10,clip,5,2026-01-30T10:00:00Z,-5", "x,10,clip,5,2026-01-30T10:00:00Z,5")
    write_files(log, {"watch_event/dt=2026-01-30/a.csv": broken})
    with pytest.raises(TooManyBadRowsError, match=r"2 of 3 rows .* negative_seconds: 1, .* wrong_type: 1"):
        import_log(tables, settings, request(log, JAN_30))
    assert tables.warehouse.current(WATCH_EVENT, JAN_30) == before
    assert before is not None
    assert list(before.path.parent.glob("snapshot=*")) == [before.path], "what was staged is still there"
    quarantined = tables.warehouse.read(QUARANTINE, JAN_30).to_pylist()
    assert [(row[c.REASON], row[c.SOURCE_FILE]) for row in quarantined] == [
        ("negative_seconds", "a.csv"),
        ("wrong_type", "a.csv"),
    ]
    assert '"watched_seconds":"-5"' in quarantined[0][c.RAW]


def test_damaged_files_are_counted_and_an_empty_day_is_an_empty_partition(
    tables: Tables, settings: Settings, tmp_path: Path
) -> None:
    many = csv(*(f"{user},10,clip,5,2026-01-30T10:00:00Z,{user / 7}" for user in range(2_000)))
    log = write_files(
        tmp_path / "log",
        {
            "watch_event/dt=2026-01-29/a.csv": HEADER + "\n",
            "watch_event/dt=2026-01-30/a.csv.gz": many,
            "watch_event/dt=2026-01-31/a.csv": "",
        },
    )
    path = log / "watch_event" / "dt=2026-01-30" / "a.csv.gz"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    report = import_log(tables, settings.model_copy(update={"ingest": LENIENT}), request(log))
    assert report.reasons(WATCH_EVENT) == {"empty_file": 1, "truncated_file": 1}
    assert 100 < report.kept[WATCH_EVENT.name] < 2_000
    assert tables.warehouse.read(WATCH_EVENT, JAN_29).num_rows == 0
    assert tables.warehouse.read(WATCH_EVENT, JAN_31).num_rows == 0
    assert [row[c.DT] for row in rows_of(tables.warehouse, QUARANTINE)] == ["2026-01-30", "2026-01-31"]
    assert tables.read(WATCH_EVENT, [JAN_29]).count() == 0


def test_folders_tell_the_days_without_spark_and_files_beside_them_do_not(tmp_path: Path) -> None:
    log = write_files(tmp_path / "log", {"watch_event/dt=2026-01-29/a.csv": "", "watch_event/dt=2026-01-31/a.csv": ""})
    assert named_days(request(log)) == [JAN_29, JAN_30, JAN_31]
    flat = write_files(tmp_path / "flat", {"a.csv": csv(*ROWS)})
    assert named_days(request(flat)) == []


@pytest.mark.parametrize(
    ("files", "day", "message"),
    [
        ({"watch_event/dt=2026-01-30/a.csv": csv(*ROWS)}, JAN_31, "has nothing of 2026-01-31 to 2026-01-31: it spans"),
        ({"watch_event/a.csv": "viewer,item\n1,2\n"}, None, "no file of watch_event has a column user_id"),
        ({"readme.txt": "nothing"}, None, "has no Parquet or CSV file"),
        ({"a.csv": csv("1,10,clip,5,1900-01-01T00:00:00Z,1", *ROWS)}, None, "say which days are meant"),
        ({"a.csv": csv("x,10,clip,5,2026-01-30T10:00:00Z,1")}, None, "has no row with a day"),
    ],
)
def test_a_log_that_is_not_what_it_was_said_to_be_is_a_named_error(
    tables: Tables, settings: Settings, tmp_path: Path, files: dict[str, str], day: date | None, message: str
) -> None:
    log = write_files(tmp_path / "log", files)
    with pytest.raises(LogFormatError, match=message):
        import_log(tables, settings, request(log, day))


def test_a_log_that_is_not_there_is_a_named_error(tables: Tables, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(LogFormatError, match="is no folder"):
        import_log(tables, settings, request(tmp_path / "nowhere"))
