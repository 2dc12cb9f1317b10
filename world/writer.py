"""Writes a world as a log directory: LOG/<table>/dt=<day>/part-00000.parquet, beside it `truth/` and `world.json`."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from contracts import columns as c
from contracts.tables import USER_ACTION, WATCH_EVENT
from world.days import Day
from world.log import action_rows, watch_rows
from world.snapshots import snapshots
from world.streams import Streams
from world.truth import TRUE_TIE, ties, traits
from world.visits import Scene

_TRUTH = "truth"
_PART = "part-00000.parquet"


@dataclass(frozen=True)
class Written:
    """One file that was written; `dt` is empty for what stands still."""

    table: str
    dt: str
    rows: int


def write_world(scene: Scene, days: Iterable[Day], streams: Streams, out_dir: Path) -> Iterator[Written]:
    """Write everything, a day at a time, and tell what was written."""
    for name, rows in traits(scene).items():
        yield _write(out_dir / _TRUTH, name, "", rows)
    late = WATCH_EVENT.schema.empty_table()
    for day in days:
        on_time, next_late = _watches(scene, day, streams)
        log = {WATCH_EVENT.name: pa.concat_tables([late, on_time]), **_daily(day, streams)}
        late = next_late
        for name, rows in log.items():
            yield _write(out_dir, name, day.day.isoformat(), rows)
        yield _write(out_dir / _TRUTH, TRUE_TIE.name, day.day.isoformat(), ties(day.bonds))
    (out_dir / "world.json").write_text(_description(scene))


def _watches(scene: Scene, day: Day, streams: Streams) -> tuple[pa.Table, pa.Table]:
    """Rows that arrive on their day, and those that arrive on the next; the last day has no next."""
    rows, is_late = watch_rows(scene.config.log, day.plays, streams.rng("log", day.day.toordinal()))
    is_late = is_late & (day.day < scene.config.last_day)
    return rows.filter(pa.array(~is_late)), rows.filter(pa.array(is_late))


def _daily(day: Day, streams: Streams) -> dict[str, pa.Table]:
    rng = streams.rng("actions", day.day.toordinal())
    actions = action_rows(day.scene.config.bonds, day.plays, day.new_ties, rng)
    return {USER_ACTION.name: actions, **snapshots(day.scene, day.day)}


def _write(root: Path, table: str, dt: str, rows: pa.Table) -> Written:
    name = table.rpartition("_v")[0]
    folder = root / name / f"{c.DT}={dt}" if dt else root / name
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, folder / _PART)
    return Written(name, dt, rows.num_rows)


def _description(scene: Scene) -> str:
    config = scene.config
    span: dict[str, date] = {"first_day": config.first_day, "last_day": config.last_day}
    plain = {key: day.isoformat() for key, day in span.items()}
    return json.dumps({"seed": config.seed, **plain, "config": config.model_dump(mode="json")}, indent=1) + "\n"
