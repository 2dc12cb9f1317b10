"""Writes a world as a log directory: LOG/<table>/dt=<day>/part-00000.parquet, beside it `truth/` and `world.json`."""

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contracts import columns as c
from contracts.errors import OutputFolderError
from contracts.tables import BROADCAST, CONTENT, STREAMER, USER, USER_ACTION, WATCH_EVENT
from world.days import Day
from world.log import action_rows, watch_rows
from world.snapshots import snapshots
from world.streams import Streams
from world.truth import TRUE_BOT, TRUE_TIE, bots, ties, traits
from world.visits import Scene

LOG_TABLES = (WATCH_EVENT, USER_ACTION, USER, CONTENT, STREAMER, BROADCAST)
_TRUTH = "truth"
_DESCRIPTION = "world.json"
_PART = "part-00000.parquet"


@dataclass(frozen=True)
class Written:
    """One file that was written; `dt` is empty for what stands still."""

    table: str
    dt: str
    rows: int


def write_world(scene: Scene, days: Iterable[Day], streams: Streams, out_dir: Path) -> Iterator[Written]:
    """Write everything, a day at a time, and tell what was written."""
    _clear(out_dir)
    _describe(out_dir, scene, is_complete=False)
    for name, rows in traits(scene).items():
        yield _write(out_dir / _TRUTH, name, "", rows)
    late, raid = WATCH_EVENT.schema.empty_table(), None
    for day in days:
        on_time, next_late = _watches(scene, day, streams)
        log = {WATCH_EVENT.name: pa.concat_tables([late, on_time]), **_daily(day, streams)}
        late, raid = next_late, day.raid
        for name, rows in log.items():
            yield _write(out_dir, name, day.day.isoformat(), rows)
        yield _write(out_dir / _TRUTH, TRUE_TIE.name, day.day.isoformat(), ties(day.bonds))
    if scene.config.attack is not None and raid is not None:
        yield _write(out_dir / _TRUTH, TRUE_BOT.name, "", bots(scene, raid, scene.config.attack.kind))
    _describe(out_dir, scene, is_complete=True)


def _watches(scene: Scene, day: Day, streams: Streams) -> tuple[pa.Table, pa.Table]:
    """Rows that arrive on their day, and those that arrive on the next; the last day has no next.

    Attackers have a stream of their own: the honest rows are the same with and without them.
    """
    log, number = scene.config.log, day.day.toordinal()
    rows, is_late = watch_rows(log, day.plays, streams.rng("log", number))
    if day.raid is not None and day.day in day.raid.plays:
        added, added_late = watch_rows(log, day.raid.plays[day.day], streams.rng("attackers' log", number))
        rows, is_late = pa.concat_tables([rows, added]), np.concatenate([is_late, added_late])
        order = pc.sort_indices(rows, [(name, "ascending") for name in (c.EVENT_TIME, c.USER_ID, c.CONTENT_ID)])
        rows, is_late = rows.take(order), is_late[order.to_numpy()]
    is_late = is_late & (day.day < scene.config.last_day)
    return rows.filter(pa.array(~is_late)), rows.filter(pa.array(is_late))


def _daily(day: Day, streams: Streams) -> dict[str, pa.Table]:
    rng = streams.rng("actions", day.day.toordinal())
    actions = action_rows(day.scene.config.bonds, day.plays, day.new_ties, rng)
    return {USER_ACTION.name: actions, **snapshots(day.scene, day.day, day.raid)}


def _write(root: Path, table: str, dt: str, rows: pa.Table) -> Written:
    name = _folder(table)
    folder = root / name / f"{c.DT}={dt}" if dt else root / name
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, folder / _PART)
    return Written(name, dt, rows.num_rows)


def _folder(table: str) -> str:
    """A versioned table's folder in a log directory."""
    return table.rpartition("_v")[0]


def _clear(out_dir: Path) -> None:
    """Remove an earlier world, of which other days might stay; never anything else.

    Raises:
        OutputFolderError: the folder holds something that no world wrote.
    """
    if not out_dir.exists() or not any(out_dir.iterdir()):
        return
    if not (out_dir / _DESCRIPTION).is_file():
        raise OutputFolderError(f"{out_dir} is not empty and holds no {_DESCRIPTION}; name a new folder for the log")
    for table in LOG_TABLES:
        shutil.rmtree(out_dir / _folder(table.name), ignore_errors=True)
    shutil.rmtree(out_dir / _TRUTH, ignore_errors=True)


def _describe(out_dir: Path, scene: Scene, *, is_complete: bool) -> None:
    """What the folder holds; not complete while it is written, so that a killed run is known by it."""
    config = scene.config
    said = {
        "complete": is_complete,
        "seed": config.seed,
        "first_day": config.first_day.isoformat(),
        "last_day": config.last_day.isoformat(),
        "config": config.model_dump(mode="json", exclude_none=True),
    }
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / _DESCRIPTION).write_text(json.dumps(said, indent=1) + "\n")
