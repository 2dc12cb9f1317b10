import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from contracts import columns as c
from contracts.clock import day_bounds
from contracts.errors import OutputFolderError
from contracts.schema import Table
from contracts.tables import BROADCAST, CONTENT, STREAMER, USER, USER_ACTION, WATCH_EVENT
from tests.world.configs import small
from world.streams import Streams
from world.truth import TRUE_TIE, TRUTH_TABLES
from world.world import World
from world.writer import LOG_TABLES, write_world

DAYS = [date(2026, 3, day) for day in (2, 3, 4, 5)]
# Rare things often enough for four small days.
OFTEN = {"log": {"late_share": 0.05, "cut_share": 0.5, "exposure_share": 0.2}, "contents": {"removed_share": 0.1}}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    World.from_config(small(**OFTEN)).generate(folder)
    return folder


def _read(log: Path, table: Table, day: date) -> pa.Table:
    folder = log / table.name.rpartition("_v")[0] / f"dt={day.isoformat()}"
    return pq.ParquetFile(folder / "part-00000.parquet").read()


def _column(rows: pa.Table, name: str) -> np.ndarray:
    return rows[name].to_numpy()


def _seconds(rows: pa.Table, name: str) -> np.ndarray:
    return rows[name].cast(pa.int64()).to_numpy(zero_copy_only=False) / 1e6


def _join(left: pa.Table, right: pa.Table, key: str, other: str) -> pa.Table:
    return left.join(right.rename_columns([other if name == key else name for name in right.column_names]), other)


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(log: Path, tmp_path: Path) -> None:
    for name, seed in (("same", 7), ("other", 8)):
        World.from_config(small(seed=seed, **OFTEN)).generate(tmp_path / name)
    assert _digests(tmp_path / "same") == _digests(log)
    ours, others = _digests(log), _digests(tmp_path / "other")
    assert ours.keys() == others.keys()
    assert [name for name in ours if ours[name] == others[name]] == []


def test_a_world_generates_the_same_twice(log: Path, tmp_path: Path) -> None:
    world = World.from_config(small(**OFTEN))
    for name in ("first", "second"):
        world.generate(tmp_path / name)
    assert _digests(tmp_path / "first") == _digests(tmp_path / "second") == _digests(log)


@pytest.mark.parametrize("table", LOG_TABLES, ids=lambda table: table.name)
def test_every_day_of_every_table_has_the_schema_and_key_of_its_contract(log: Path, table: Table) -> None:
    for day in DAYS:
        rows = _read(log, table, day)
        assert rows.schema.equals(table.schema)
        rows.validate(full=True)
        assert rows.num_rows > 0
        assert rows.group_by(list(table.key)).aggregate([]).num_rows == rows.num_rows
        required = [column.name for column in table.columns if not column.nullable]
        assert [rows[name].null_count for name in required] == [0] * len(required)


@pytest.mark.parametrize("table", TRUTH_TABLES, ids=lambda table: table.name)
def test_the_truth_has_the_schema_that_the_world_declares(log: Path, table: Table) -> None:
    folder = log / "truth" / table.name.rpartition("_v")[0]
    files = sorted(folder.rglob("*.parquet"))
    assert len(files) == (len(DAYS) if table is TRUE_TIE else 1)
    assert all(pq.ParquetFile(file).read().schema.equals(table.schema) for file in files)


def test_no_other_file_is_written(log: Path) -> None:
    assert sorted(path.name for path in log.iterdir()) == sorted(
        [*(table.name.rpartition("_v")[0] for table in LOG_TABLES), "truth", "world.json"]
    )
    said = json.loads((log / "world.json").read_text())
    assert said["complete"] is True
    assert (said["seed"], said["first_day"], said["last_day"]) == (7, "2026-03-02", "2026-03-05")
    assert said["config"]["users"]["count"] == 200


def test_a_shorter_world_leaves_no_day_of_the_longer_one_before_it(tmp_path: Path) -> None:
    for days in (2, 1):
        World.from_config(small(days=days)).generate(tmp_path)
    assert [path.name for path in (tmp_path / "watch_event").iterdir()] == ["dt=2026-03-02"]
    assert len(list((tmp_path / "truth" / "true_tie").iterdir())) == 1


def test_a_folder_that_no_world_wrote_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "watch_event").mkdir()
    with pytest.raises(OutputFolderError, match=r"holds no world\.json"):
        World.from_config(small(days=1)).generate(tmp_path)
    assert list((tmp_path / "watch_event").iterdir()) == []


def test_a_killed_run_is_known_by_its_description_and_can_be_run_again(tmp_path: Path) -> None:
    world = World.from_config(small(days=2))
    writing = write_world(world.first.scene, world.days(), Streams(7), tmp_path)
    while next(writing).dt == "":
        pass
    writing.close()
    assert json.loads((tmp_path / "world.json").read_text())["complete"] is False
    world.generate(tmp_path)
    assert json.loads((tmp_path / "world.json").read_text())["complete"] is True


def test_late_rows_come_one_day_later_with_their_own_time_and_as_often_as_configured(log: Path) -> None:
    counts = []
    for day in DAYS:
        begin, end = (moment.timestamp() for moment in day_bounds(day, "UTC"))
        time = _seconds(_read(log, WATCH_EVENT, day), c.EVENT_TIME)
        assert ((time >= begin - 86_400) & (time < end)).all()
        counts.append((time < begin).sum() / len(time))
    assert counts[0] == 0
    assert all(0.02 < share < 0.09 for share in counts[1:])


def test_cutting_a_visit_into_rows_changes_rows_and_not_seconds(tmp_path: Path) -> None:
    rows, seconds = [], []
    for share in (0.0, 0.9):
        folder = tmp_path / str(share)
        World.from_config(small(days=1, log={"cut_share": share, "late_share": 0.0})).generate(folder)
        watched = _read(folder, WATCH_EVENT, DAYS[0])
        rows.append(watched.num_rows)
        seconds.append(watched.group_by([c.USER_ID, c.CONTENT_ID]).aggregate([(c.WATCHED_SECONDS, "sum")]))
    assert rows[1] > 1.5 * rows[0]
    whole, cut = (table.sort_by([(c.USER_ID, "ascending"), (c.CONTENT_ID, "ascending")]) for table in seconds)
    assert whole[c.CONTENT_ID].equals(cut[c.CONTENT_ID])
    total = f"{c.WATCHED_SECONDS}_sum"
    assert np.abs(_column(whole, total) - _column(cut, total)).max() < 0.01


def test_nobody_watches_two_things_at_once(log: Path) -> None:
    rows = pa.concat_tables([_read(log, WATCH_EVENT, day) for day in DAYS])
    rows = rows.filter(pc.greater(rows[c.WATCHED_SECONDS], 0)).sort_by(
        [(c.USER_ID, "ascending"), (c.EVENT_TIME, "ascending")]
    )
    begin = _seconds(rows, c.EVENT_TIME)
    end, user = begin + _column(rows, c.WATCHED_SECONDS), _column(rows, c.USER_ID)
    same = user[1:] == user[:-1]
    assert (end[:-1] <= begin[1:] + 0.01)[same].all()


def test_live_is_watched_while_it_is_on_and_contents_while_they_are_public(log: Path) -> None:
    world = World.from_config(small(**OFTEN))
    schedule, contents = world.first.scene.schedule, world.first.scene.contents
    rows = pa.concat_tables([_read(log, WATCH_EVENT, day) for day in DAYS])
    kind, item = np.array(rows[c.CONTENT_KIND].to_pylist()), _column(rows, c.CONTENT_ID)
    begin = _seconds(rows, c.EVENT_TIME)
    end = begin + _column(rows, c.WATCHED_SECONDS)
    live = kind == "live"
    broadcast, content = item[live] - schedule.ids[0], item[~live] - contents.ids[0]
    assert 0.1 < live.mean() < 0.9
    assert (begin[live] >= schedule.started[broadcast]).all()
    assert (end[live] <= schedule.ended[broadcast] + 0.01).all()
    assert (begin[~live] >= contents.published[content]).all()
    assert (end[~live] <= contents.removed[content] + 0.01).all()
    assert (_column(rows, c.STREAMER_ID)[~live] == contents.streamer[content] + 1).all()
    assert ((kind[~live] == "clip") == contents.is_clip[content]).all()


def test_an_exposure_has_no_seconds_and_no_click(log: Path) -> None:
    rows = _read(log, WATCH_EVENT, DAYS[0])
    clicked, seconds = _column(rows, c.IS_CLICK), _column(rows, c.WATCHED_SECONDS)
    assert (~clicked).any()
    assert (seconds[~clicked] == 0).all()
    assert (seconds[clicked] > 0).mean() > 0.99


def test_a_snapshot_holds_what_was_known_at_the_end_of_its_day_and_grows(log: Path) -> None:
    times = ((USER, c.REGISTERED_AT), (STREAMER, c.CREATED_AT), (CONTENT, c.PUBLISHED_AT), (BROADCAST, c.STARTED_AT))
    for table, time in times:
        for day in DAYS:
            end = day_bounds(day, "UTC")[1].timestamp()
            assert (_seconds(_read(log, table, day), time) < end).all()
    for table in (USER, CONTENT):
        assert _read(log, table, DAYS[0]).num_rows < _read(log, table, DAYS[-1]).num_rows


def test_a_broadcast_that_is_still_on_has_no_end_until_the_next_day(log: Path) -> None:
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    on = {
        broadcast.broadcast_id
        for broadcast in World.from_config(small(**OFTEN)).live_at(midnight - timedelta(seconds=1))
    }
    today, tomorrow = (_read(log, BROADCAST, day) for day in DAYS[:2])
    running = set(today.filter(today[c.ENDED_AT].is_null())[c.BROADCAST_ID].to_pylist())
    assert running == on != set()
    ended = dict(zip(tomorrow[c.BROADCAST_ID].to_pylist(), tomorrow[c.ENDED_AT].to_pylist(), strict=True))
    assert all(ended[broadcast] >= midnight for broadcast in running)


def test_a_removed_content_is_said_to_be_removed(log: Path) -> None:
    rows = _read(log, CONTENT, DAYS[-1])
    said = dict(
        zip(
            rows[c.VISIBILITY].value_counts().field(0).to_pylist(),
            rows[c.VISIBILITY].value_counts().field(1).to_pylist(),
            strict=True,
        )
    )
    assert set(said) == {"public", "removed"}
    assert said["removed"] < said["public"] / 4


def test_newcomers_watch_only_after_they_registered_and_the_dead_stop(log: Path) -> None:
    registered = _read(log, USER, DAYS[-1]).select([c.USER_ID, c.REGISTERED_AT])
    rows = pa.concat_tables([_read(log, WATCH_EVENT, day) for day in DAYS]).join(registered, c.USER_ID)
    assert pc.all(pc.greater_equal(rows[c.EVENT_TIME], rows[c.REGISTERED_AT])).as_py()
    scene = World.from_config(small(streamers={"dying_share": 0.5, "born_share": 0.3})).first.scene
    streamer = scene.schedule.streamer
    assert (scene.schedule.started >= scene.population.streamers.born[streamer]).all()
    assert (scene.schedule.started < scene.population.streamers.dies[streamer]).all()


def test_follows_name_streamers_and_likes_name_what_was_watched(log: Path) -> None:
    actions = pa.concat_tables([_read(log, USER_ACTION, day) for day in DAYS])
    kinds = actions.group_by([c.ACTION, c.TARGET_KIND]).aggregate([]).to_pylist()
    found = {(row[c.ACTION], row[c.TARGET_KIND]) for row in kinds}
    assert ("follow", "streamer") in found
    assert {kind for action, kind in found if action != "follow"} <= {"live", "vod", "clip"}
    likes = actions.filter(pc.equal(actions[c.ACTION], "like"))
    watched = pa.concat_tables([_read(log, WATCH_EVENT, day) for day in DAYS])
    pairs = {*zip(watched[c.USER_ID].to_pylist(), watched[c.CONTENT_ID].to_pylist(), strict=True)}
    assert {*zip(likes[c.USER_ID].to_pylist(), likes[c.TARGET_ID].to_pylist(), strict=True)} <= pairs


def test_a_platform_without_live_clips_or_history_still_writes_its_days(tmp_path: Path) -> None:
    config = small(days=1, history_days=0, contents={"clips_per_hour": 0.0, "vod_share": 0.0}, streamers={"count": 1})
    written = World.from_config(config).generate(tmp_path)
    assert {part.table for part in written if part.dt} >= {"watch_event", "content", "broadcast"}
    assert _read(tmp_path, CONTENT, DAYS[0]).schema.equals(CONTENT.schema)
