"""Next-day metrics as rows of a SQLite table that any BI tool reads."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_TABLE = (
    "CREATE TABLE IF NOT EXISTS next_day_metric (dt TEXT, surface TEXT, mode TEXT, split TEXT, list TEXT, metric TEXT,"
    " users INTEGER, mean REAL, low REAL, high REAL, PRIMARY KEY (dt, surface, mode, split, list, metric))"
)


def store_metrics(path: Path, result: dict[str, Any]) -> None:
    """Replace the rows of the result's day in one transaction.

    Args:
        result: what `next_day_metrics` returns.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as database:
        database.execute(_TABLE)
        database.execute("DELETE FROM next_day_metric WHERE dt = ?", (result["date"],))
        database.executemany("INSERT INTO next_day_metric VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _rows(result))
    database.close()


def _rows(result: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    for surface, scored in result["surfaces"].items():
        for mode in result["modes"]:
            for split, of_split in scored[mode].items():
                for name, metrics in of_split["lists"].items():
                    for metric, value in metrics.items():
                        key = (result["date"], surface, mode, split, name, metric, of_split["users"])
                        yield (*key, value["mean"], value["low"], value["high"])
