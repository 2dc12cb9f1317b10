from datetime import UTC, date, datetime
from pathlib import Path

from contracts import columns as c
from contracts.names import LogFormat
from contracts.settings import IngestSettings, Settings
from contracts.tables import BROADCAST, CONTENT, STREAMER, USER, WATCH_EVENT
from jobs.commands.import_log import import_log
from jobs.importers.raw_log import ImportRequest
from jobs.tables import Tables
from tests.jobs.importers.logs import rows_of, write_files

ROWS = (
    "1,900,north,0,3",
    "ann,900,north,1,2",
    "1,901,south,143,146",  # from 23:50 until after midnight
    "2,901,south,145,150",
    "2,902,north,5,5",
    "2,902,north,-4,1",
    "2,,north,5,6",
    "2,902,north,five,6",
)
JULY_1, JULY_2 = date(2019, 7, 1), date(2019, 7, 2)


def test_steps_become_times_names_become_ids_and_streams_become_broadcasts(
    tables: Tables, settings: Settings, tmp_path: Path
) -> None:
    log = write_files(tmp_path / "log", {"100k.csv": "\n".join(ROWS) + "\n"})
    lenient = settings.model_copy(update={"ingest": IngestSettings(max_quarantine_share=0.5)})
    report = import_log(tables, lenient, ImportRequest(LogFormat.LIVESTREAM, log))
    assert report.days == [JULY_1, JULY_2]
    assert report.reasons(WATCH_EVENT) == {"missing_id": 1, "negative_seconds": 2, "wrong_type": 1}
    watches = rows_of(tables.warehouse, WATCH_EVENT)
    assert {(row[c.DT], row[c.CONTENT_ID], row[c.WATCHED_SECONDS]) for row in watches} == {
        ("2019-07-01", 900, 1_800.0),
        ("2019-07-01", 900, 600.0),
        ("2019-07-01", 901, 1_800.0),
        ("2019-07-02", 901, 3_000.0),
    }
    assert {row[c.CONTENT_KIND] for row in watches} == {"live"}
    names = {row[c.STREAMER_ID]: row[c.NAME] for row in tables.warehouse.read(STREAMER, JULY_2).to_pylist()}
    assert sorted(names.values()) == ["north", "south"]
    assert all(streamer > 0 for streamer in names)
    assert {names[row[c.STREAMER_ID]] for row in watches if row[c.CONTENT_ID] == 901} == {"south"}
    assert tables.warehouse.read(USER, JULY_2).num_rows == 3
    assert tables.warehouse.read(CONTENT, JULY_2).num_rows == 0
    runs = [(x[c.DT], x[c.BROADCAST_ID], x[c.STARTED_AT], x[c.ENDED_AT]) for x in rows_of(tables.warehouse, BROADCAST)]
    start = datetime(2019, 7, 1, 23, 50, tzinfo=UTC)
    assert runs == [
        ("2019-07-01", 900, datetime(2019, 7, 1, tzinfo=UTC), datetime(2019, 7, 1, 0, 30, tzinfo=UTC)),
        ("2019-07-01", 901, start, None),
        ("2019-07-02", 901, start, datetime(2019, 7, 2, 1, 0, tzinfo=UTC)),
    ]
