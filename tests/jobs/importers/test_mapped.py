import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts import columns as c
from contracts.errors import MappingError, TooManyBadRowsError
from contracts.names import LogFormat
from contracts.settings import IngestSettings, Settings
from contracts.tables import CONTENT, WATCH_EVENT
from jobs.commands.import_log import import_log
from jobs.importers.mapping import load_mapping
from jobs.importers.raw_log import ImportRequest
from jobs.tables import Tables
from tests.jobs.importers.logs import rows_of, write_files

PAGE = (Path(__file__).parents[3] / "docs" / "your_log.md").read_text()
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```\w*\n(.*?)```", PAGE, re.DOTALL))
(OUTPUT,) = re.findall(r"<!-- output -->\n```\n(.*?)```", PAGE, re.DOTALL)
MAPPING = FILES["mapping.toml"]


def documented(folder: Path) -> ImportRequest:
    write_files(folder, FILES)
    return ImportRequest(LogFormat.MAPPED, folder, mapping=folder / "mapping.toml")


def test_the_documented_example_prints_what_the_page_says(tables: Tables, settings: Settings, tmp_path: Path) -> None:
    request = documented(tmp_path / "mylog")
    with pytest.raises(TooManyBadRowsError, match="unknown_kind: 1"):
        import_log(tables, settings, request)
    lenient = settings.model_copy(update={"ingest": IngestSettings(max_quarantine_share=0.5)})
    assert import_log(tables, lenient, request).lines() == OUTPUT.splitlines()
    watches = rows_of(tables.warehouse, WATCH_EVENT)
    assert [(row[c.CONTENT_ID], row[c.CONTENT_KIND], row[c.WATCHED_SECONDS]) for row in watches if row[c.DT]] == [
        *[(7001, "live", 1_800.0), (7001, "live", 60.0)][:: 1 if watches[0][c.WATCHED_SECONDS] == 1_800 else -1],
        (9002, "clip", 15.5),
    ]
    assert min(row[c.EVENT_TIME] for row in watches) == datetime(2026, 1, 30, 19, tzinfo=UTC)
    title = rows_of(tables.warehouse, CONTENT)[0]
    assert (title[c.TITLE], title[c.DURATION_SECONDS], title[c.VISIBILITY]) == ("A fine clip", 30.0, "public")
    assert title[c.STREAMER_ID] == watches[2][c.STREAMER_ID]


def test_a_hive_table_is_read_with_its_own_ingest_day(tables: Tables, settings: Settings, tmp_path: Path) -> None:
    tables.spark.sql("CREATE DATABASE IF NOT EXISTS elsewhere")
    tables.spark.sql("DROP TABLE IF EXISTS elsewhere.plays")
    tables.spark.sql(
        "CREATE TABLE elsewhere.plays USING parquet AS SELECT 1L AS user, 2L AS item, 1769853600000L AS at, 30 AS s,"
        " '20260131' AS dt"
    )
    path = tmp_path / "mapping.toml"
    constant = "[watch_event.columns.{}]\n{}\n"
    path.write_text(
        '[watch_event]\nhive = "elsewhere.plays"\nday = { column = "dt", format = "yyyyMMdd" }\n'
        + constant.format("user_id", 'column = "user"')
        + constant.format("content_id", 'column = "item"')
        + constant.format("content_kind", 'constant = "clip"')
        + constant.format("streamer_id", "constant = 9")
        + constant.format("event_time", 'column = "at"\nunit = "epoch_ms"')
        + constant.format("watched_seconds", 'column = "s"\nunit = "min"')
    )
    import_log(tables, settings, ImportRequest(LogFormat.MAPPED, tmp_path, mapping=path))
    (row,) = rows_of(tables.warehouse, WATCH_EVENT)
    assert (row[c.DT], row[c.USER_ID], row[c.STREAMER_ID], row[c.WATCHED_SECONDS]) == ("2026-01-31", 1, 9, 1_800.0)
    assert row[c.EVENT_TIME] == datetime(2026, 1, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[watch_event]", "[watch_event", "is no TOML"),
        ("[content]", "[contents]", r"\[contents\] Extra inputs"),
        ("columns.title]", "columns.titel]", r"\[content.columns.titel\] is no column of content_v1; expected one of"),
        ('unit = "ms" ', 'unit = "epoch_ms" ', r"\[watch_event.columns.watched_seconds\] has unit 'epoch_ms'"),
        ('unit = "iso" ', 'unit = "min" ', r"\[watch_event.columns.event_time\] has unit 'min'; expected epoch_s"),
        ("Europe/Prague", "Europe/Prag", r"\[watch_event.columns.event_time\] .* is no time zone"),
        ('constant = "clip"', "", r"\[content.columns.content_kind\] .* give either `column` or `constant`"),
        ("[watch_event.columns.content_id]", "[watch_event.columns.surface]", r"lacks content_id \(what was watched"),
    ],
)
def test_a_mapping_that_does_not_fit_the_tables_is_a_named_error(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in MAPPING
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING.replace(old, new))
    with pytest.raises(MappingError, match=message):
        load_mapping(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('column = "began"', 'column = "start"', r"\[watch_event\]: the source has no column 'start'; found viewer"),
        ('"titles.csv"', '"title.csv"', r"\[content\] files = 'title.csv': no readable file"),
        ('files = "titles.csv"', 'hive = "no.such"', "hive = 'no.such': no such table"),
    ],
)
def test_a_mapping_that_does_not_fit_the_log_is_a_named_error(
    tables: Tables, settings: Settings, tmp_path: Path, old: str, new: str, message: str
) -> None:
    request = documented(tmp_path / "mylog")
    write_files(tmp_path / "mylog", {"mapping.toml": MAPPING.replace(old, new)})
    with pytest.raises(MappingError, match=message):
        import_log(tables, settings, request)
