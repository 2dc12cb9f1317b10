"""Slates for people and for programs."""

import json

import msgspec
from rich.table import Table

from serving.impressions import arm_set_to_json
from serving.slate import Slate

_OF_STAGE = ("stage", "name", "nanoseconds", "entered", "left")


def to_json(slate: Slate) -> str:
    """Everything a slate knows of itself, as one JSON object."""
    query, ranking = slate.query, slate.outcome.ranking
    told = {
        "request_id": query.request.request_id,
        "user_id": query.user_id,
        "surface": query.request.surface,
        "segment": query.segment,
        "level": slate.level,
        "notes": slate.notes,
        "generation": query.generation.name,
        "model_version": query.generation.model_version,
        "policy_id": ranking.policy_id,
        "context": ranking.context,
        "posterior_epoch": ranking.posterior_epoch,
        "seed": query.request.seed,
        "arm_set": json.loads(arm_set_to_json(ranking.arm_set)),
        "served_at": query.request.served_at,
        "items": msgspec.to_builtins(slate.items),
        "stages": [dict(zip(_OF_STAGE, record, strict=True)) for record in slate.outcome.trace.records],
    }
    return json.dumps(told)


def to_table(slate: Slate) -> Table:
    """Rank, kind, title, streamer, source, why; the title line says for whom and from which list."""
    request, generation = slate.query.request, slate.query.generation.name
    who = f"user {request.user_id}" if request.user_id is not None else "anonymous"
    caption = "; ".join(slate.notes) or None
    table = Table(title=f"{request.surface} for {who} ({slate.level}, generation {generation})", caption=caption)
    for heading in ("rank", "kind", "title", "streamer", "source", "why"):
        table.add_column(heading, justify="right" if heading == "rank" else "left", overflow="fold")
    for item in slate.items:
        title = item.title or f"{item.kind} {item.item_id}"
        streamer = item.streamer or f"streamer {item.streamer_id}"
        table.add_row(str(item.rank), item.kind, title, streamer, item.source, item.why)
    return table
