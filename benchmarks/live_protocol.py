"""Who is visited next among the live, in worlds whose users come back: what availability and repeats are worth.

    python -m benchmarks.live_protocol [--seeds 21 22 23] [--days 14]

Generates a world per seed and runs `models.protocols.live` on it. The order that LiveRec reports on Twitch is to come
out: repeats above popularity, negatives that were live above any, with the repeat score above without. Prints one JSON
object: every world's figures, their means, and how many of the worlds have each order (by NDCG@10 over all visits).
"""

import argparse
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.protocols.live import HIT, NDCG, SETTINGS, report
from models.protocols.live_log import BROADCAST_COLUMNS, VISIT_COLUMNS, live_log
from world.config import WorldConfig
from world.world import World

WORLD: Final[dict[str, Any]] = {
    "users": {"count": 2_000, "loyalty": 0.85, "curiosity": 0.2, "first_known": 1.0, "live_share": 0.6},
    "streamers": {"count": 150, "categories": 8},
}
ORDERS: Final = {
    "repeat_above_popularity": ("repeat", "popularity"),
    "available_above_any": ("two_tower", "two_tower_without_availability"),
    "with_repeat_above_without": ("two_tower_repeat", "two_tower"),
}
RANKINGS: Final = ("popularity", "repeat", "two_tower_without_availability", "two_tower", "two_tower_repeat")


def judged(config: WorldConfig) -> dict[str, Any]:
    """Figures of one world."""
    with tempfile.TemporaryDirectory() as name:
        World.from_config(config).generate(Path(name))
        events = _table(Path(name) / "watch_event", VISIT_COLUMNS)
        broadcasts = _table(Path(name) / "broadcast", BROADCAST_COLUMNS)
    return report(live_log(events, broadcasts, config.time_zone), SETTINGS)


def _table(folder: Path, columns: list[str]) -> pa.Table:
    return pa.concat_tables([pq.ParquetFile(path).read(columns) for path in sorted(folder.glob("*/*.parquet"))])


def _mean(worlds: list[dict[str, Any]], ranking: str, group: str) -> dict[str, float]:
    return {name: round(float(np.mean([world[ranking][group][name] for world in worlds])), 4) for name in (HIT, NDCG)}


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[21, 22, 23])
    parser.add_argument("--days", type=int, default=14)
    arguments = parser.parse_args()
    configs = [WorldConfig.model_validate({**WORLD, "days": arguments.days, "seed": seed}) for seed in arguments.seeds]
    worlds = [judged(config) for config in configs]
    means = {name: {group: _mean(worlds, name, group) for group in ("all", "return", "new")} for name in RANKINGS}
    orders = {
        name: sum(world[one]["all"][NDCG] > world[other]["all"][NDCG] for world in worlds)
        for name, (one, other) in ORDERS.items()
    }
    result = {
        "command": " ".join(["python -m benchmarks.live_protocol", *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "world": WORLD,
        "means": means,
        "orders": {**orders, "of": len(worlds)},
        "worlds": dict(zip(map(str, arguments.seeds), worlds, strict=True)),
    }
    json.dump(result, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
