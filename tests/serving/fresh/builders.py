"""A tower set by hand and events of contents, small enough to be seen through."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from contracts.content_events import ContentChanged, ContentPublished, ContentTakenDown
from contracts.names import STREAM_CONTENT
from contracts.packed_vector import FloatArray
from serving.fresh.index import UserVector
from serving.fresh.item import Description
from serving.stores.protocol import Store

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
CATEGORIES = ("chess", "racing")


def minutes(count: float) -> datetime:
    """A moment so many minutes from now."""
    return NOW + timedelta(minutes=count)


class AxisTower:
    """Chess lies on the first axis, racing on the second, what is neither between; age turns it a little away."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.embedded = 0

    def embed(self, contents: Sequence[tuple[int, Description]], at: float) -> FloatArray:
        self.embedded += len(contents)
        rows = [self._row(description, at) for _, description in contents]
        vectors = np.array(rows, np.float32).reshape(-1, 3)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    @staticmethod
    def _row(description: Description, at: float) -> list[float]:
        axes = [float(description.category in {category, None}) for category in CATEGORIES]
        hours = (at - (description.published_at or at)) / 3600
        return [*axes, min(hours // 1, 24.0) / 100]


def published(content: int, category: str | None = "chess", at: datetime = NOW, **more: object) -> ContentPublished:
    values = {"content_kind": "clip", "streamer_id": 10, "title": f"title {content}", "published_at": at, **more}
    return ContentPublished(event_time=at, content_id=content, category=category, **values)  # type: ignore[arg-type]


def changed(content: int, category: str | None, at: datetime, **more: object) -> ContentChanged:
    values = {"content_kind": "clip", "streamer_id": 10, "title": f"title {content}", "published_at": NOW, **more}
    return ContentChanged(event_time=at, content_id=content, category=category, **values)  # type: ignore[arg-type]


def taken_down(content: int, at: datetime) -> ContentTakenDown:
    return ContentTakenDown(event_time=at, content_id=content)


def send(store: Store, *events: ContentPublished | ContentChanged | ContentTakenDown) -> None:
    for event in events:
        store.append(STREAM_CONTENT, event.to_json(), 10_000)


def fan_of(category: str, version: str = "1") -> UserVector:
    values = np.zeros(3, np.float32)
    values[CATEGORIES.index(category)] = 1
    return UserVector(values, version)
