"""One content of the fresh lane, as the store keeps it. Letter: D dimensions."""

import base64
import binascii
import json
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from contracts.content_events import ContentChanged, ContentPublished, ContentTakenDown
from contracts.errors import PayloadError
from contracts.names import ContentKind, Visibility
from contracts.packed_vector import FloatArray

_ON_THE_WIRE: Final = np.dtype("<f2")
"""A component to 0.0005 of itself: far finer than what users' vectors are packed in."""


@dataclass(frozen=True)
class Description:
    """What the item tower and the filters want to know of a content; `published_at` is unix seconds."""

    kind: str
    streamer_id: int
    title: str | None = None
    category: str | None = None
    language: str | None = None
    min_age: int | None = None
    duration_seconds: float | None = None
    published_at: float | None = None


@dataclass(frozen=True, eq=False)
class FreshItem:
    """A content of which something happened since the batch.

    Args:
        changed_at: Unix seconds of the latest event: earlier ones, redelivered, change nothing.
        description: None of what must not be shown: taken down, private. It is remembered so that an earlier event
            that comes late does not bring it back.
        model_version: Of the model that made the vector.
        vector: Unit vector, float32 [D]; None as long as nothing could embed it.
    """

    content_id: int
    changed_at: float
    description: Description | None
    model_version: str = ""
    vector: FloatArray | None = None

    @classmethod
    def of(cls, event: ContentPublished | ContentChanged | ContentTakenDown) -> "FreshItem":
        """What an event says of its content."""
        at = event.event_time.timestamp()
        if isinstance(event, ContentTakenDown) or event.visibility is not Visibility.PUBLIC:
            return cls(event.content_id, at, None)
        described = Description(
            kind=event.content_kind,
            streamer_id=event.streamer_id,
            title=event.title,
            category=event.category,
            language=event.language,
            min_age=event.min_age,
            duration_seconds=event.duration_seconds,
            published_at=event.published_at.timestamp() if event.published_at else None,
        )
        return cls(event.content_id, at, described)

    def overrules(self, known: "FreshItem | None") -> bool:
        """Whether it is a later word; of one and the same moment the last one holds, but nothing after what hides."""
        if known is None or self.changed_at != known.changed_at:
            return known is None or self.changed_at > known.changed_at
        return known.description not in {None, self.description}

    def to_json(self) -> bytes:
        values: dict[str, Any] = {"changed_at": self.changed_at, "model_version": self.model_version}
        if self.description is not None:
            values["description"] = asdict(self.description)
        if self.vector is not None:
            values["vector"] = base64.b64encode(self.vector.astype(_ON_THE_WIRE).tobytes()).decode()
        return json.dumps(values).encode()

    @classmethod
    def from_json(cls, content_id: int, text: bytes) -> "FreshItem":
        """Read what `to_json` wrote.

        Raises:
            PayloadError: it is nothing that `to_json` writes.
        """
        try:
            values = json.loads(text)
            described, packed = values.get("description"), values.get("vector")
            vector = _unpacked(packed) if packed is not None else None
            description = _described(described) if described is not None else None
            return cls(content_id, float(values["changed_at"]), description, str(values["model_version"]), vector)
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise PayloadError(f"fresh content {content_id} cannot be read ({error!r})") from error


def _described(values: dict[str, Any]) -> Description:
    description = Description(**values)
    if description.kind not in set(ContentKind) or not -(2**63) <= description.streamer_id < 2**63:
        raise ValueError(f"kind {description.kind!r} of streamer {description.streamer_id!r}")
    return description


def _unpacked(packed: str) -> FloatArray:
    """The vector, of length 1 again after rounding."""
    values = np.frombuffer(base64.b64decode(packed, validate=True), _ON_THE_WIRE).astype(np.float32)
    length = np.linalg.norm(values)
    if not np.isfinite(length) or length == 0:
        raise ValueError(f"a vector of {len(values)} components has no direction")
    unit: FloatArray = values / length
    return unit
