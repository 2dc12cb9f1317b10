"""Impressions: one stream entry per slate, one table row per position."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from bandit.arms import ArmSet, item_arm, streamer_arm
from contracts import columns as c
from contracts.errors import PayloadError, SlateMismatchError
from contracts.payload import KINDS, SOURCES
from serving.slate import Slate, exploration_kind

Row = dict[str, Any]


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """A slate as the stream holds it: a JSON array, since names would be more than half of it.

    Args:
        v: Version.
        context: With the surface, whose posteriors were used.
        served_at: ISO time.
        kinds: Payload codes per position; so are `sources`.
        levels: Positions in `serving.query.LEVELS`.
        stages: Stage, name, nanoseconds, entered, left, of each stage that ran.
        notes: In words.
    """

    v: int
    request_id: str
    user_id: int | None
    context: str
    surface: str
    policy_id: str
    epoch: int
    seed: int
    arms: tuple[str, ...]
    counts: tuple[int, ...]
    parents: tuple[tuple[str, ...], ...]
    features: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    generation: str
    model_version: str
    served_at: str
    kinds: list[int]
    item_ids: list[int]
    streamer_ids: list[int]
    sources: list[int]
    scores: list[float]
    levels: list[int]
    stages: Sequence[tuple[str, str, int, int, int]]
    notes: list[str]
    tiers: tuple[int, ...] = ()
    visits: tuple[str, ...] = ()
    least: tuple[int, ...] = ()

    @property
    def arm_set(self) -> ArmSet:
        """What the bandit chose among."""
        optional = self.parents, self.features, self.weights, self.tiers, self.visits, self.least
        return ArmSet(self.arms, self.counts, *optional)


VERSION: Final = 1
_OPTIONAL: Final = ("parents", "features", "weights", "tiers", "visits", "least")
_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder(Entry)


def to_entry(slate: Slate) -> bytes:
    """The stream entry of a slate."""
    query, ranking, frame = slate.query, slate.outcome.ranking, slate.outcome.frame
    request, candidates, arm_set = query.request, frame.candidates, ranking.arm_set
    return _encoder.encode(
        Entry(
            VERSION,
            request.request_id,
            query.user_id,
            ranking.context,
            request.surface,
            ranking.policy_id,
            ranking.posterior_epoch,
            request.seed,
            arm_set.arms,
            arm_set.counts,
            arm_set.parents,
            arm_set.features,
            arm_set.weights,
            query.generation.name,
            query.generation.model_version,
            request.served_at,
            candidates.kinds.tolist(),
            candidates.item_ids.tolist(),
            candidates.streamer_ids.tolist(),
            candidates.sources.tolist(),
            candidates.scores.tolist(),
            frame.levels.tolist(),
            slate.outcome.trace.records,
            slate.notes,
            arm_set.tiers,
            arm_set.visits,
            arm_set.least,
        )
    )


def read_entry(packed: bytes) -> Entry:
    """The slate of a stream entry.

    Raises:
        PayloadError: corrupt, or of another version.
    """
    try:
        entry = _decoder.decode(packed)
    except msgspec.MsgspecError as error:
        raise PayloadError(f"an impression entry cannot be read: {error}") from error
    if entry.v != VERSION:
        raise PayloadError(f"impression entry of version {entry.v}; this reader knows {VERSION}")
    return entry


def to_rows(packed: bytes) -> list[Row]:
    """The rows of `impression_v1` of one stream entry.

    Raises:
        PayloadError: as `read_entry`.
    """
    entry = read_entry(packed)
    shared = {
        c.REQUEST_ID: entry.request_id,
        c.USER_ID: entry.user_id,
        c.SEGMENT: entry.context,
        c.SURFACE: entry.surface,
        c.POLICY_ID: entry.policy_id,
        c.POSTERIOR_EPOCH: entry.epoch,
        c.SEED: entry.seed,
        c.ARM_SET: arm_set_to_json(entry.arm_set),
        c.PROPENSITY: None,
        c.GENERATION: entry.generation,
        c.MODEL_VERSION: entry.model_version or None,
        c.SERVED_AT: datetime.fromisoformat(entry.served_at),
    }
    columns = zip(entry.kinds, entry.item_ids, entry.streamer_ids, entry.sources, strict=True)
    return [
        {
            **shared,
            c.POSITION: position,
            c.ITEM_KIND: str(KINDS[kind]),
            c.ITEM_ID: item,
            c.STREAMER_ID: streamer,
            c.SOURCE: str(SOURCES[source]),
            c.EXPLORATION_KIND: exploration_kind(SOURCES[source]),
        }
        for position, (kind, item, streamer, source) in enumerate(columns, start=1)
    ]


def arm_set_to_json(arm_set: ArmSet) -> str:
    """`{"arms": [...], "counts": [...], ...}`, every other field of `ArmSet` where it is not empty."""
    shown = {name: value for name, value in msgspec.structs.asdict(arm_set).items() if value or name not in _OPTIONAL}
    return _encoder.encode(shown).decode()


def arm_set_from_json(text: str) -> ArmSet:
    """The arm set of a logged row."""
    return msgspec.json.decode(text, type=ArmSet)


def chosen_arm(arm_set: ArmSet, row: Mapping[Any, Any]) -> int:
    """Which arm of the set won a row's position: its item, its streamer, or its source.

    Raises:
        SlateMismatchError: none of them is in the set.
    """
    for arm in (item_arm(row[c.ITEM_ID]), streamer_arm(row[c.STREAMER_ID]), row[c.SOURCE]):
        if arm in arm_set.arms:
            return arm_set.arms.index(arm)
    raise SlateMismatchError(f"item {row[c.ITEM_ID]} from {row[c.SOURCE]} has no arm among {', '.join(arm_set.arms)}")
