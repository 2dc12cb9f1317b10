"""Slates for people and for programs."""

import json
from dataclasses import asdict
from datetime import datetime

from rich.table import Table

from serving.slate import Slate


def to_json(slate: Slate) -> str:
    """Everything a slate knows of itself, as one JSON object."""
    return json.dumps(asdict(slate), default=_iso)


def to_table(slate: Slate) -> Table:
    """Rank, kind, title, streamer, source, why; the title line says for whom and from which list."""
    who = f"user {slate.user_id}" if slate.user_id is not None else "anonymous"
    caption = "; ".join(slate.notes) or None
    table = Table(title=f"{slate.surface} for {who} ({slate.level}, generation {slate.generation})", caption=caption)
    for heading in ("rank", "kind", "title", "streamer", "source", "why"):
        table.add_column(heading, justify="right" if heading == "rank" else "left", overflow="fold")
    for item in slate.items:
        title = item.title or f"{item.kind} {item.item_id}"
        streamer = item.streamer or f"streamer {item.streamer_id}"
        table.add_row(str(item.rank), item.kind, title, streamer, item.source, item.why)
    return table


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value)} has no JSON form")
