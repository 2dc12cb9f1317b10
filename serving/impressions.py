"""Impressions: one stream entry per slate, one table row per position."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bandit.arms import ArmSet, item_arm, streamer_arm
from contracts import columns as c
from contracts.errors import SlateMismatchError
from serving.slate import Slate

Row = dict[str, Any]


def to_entry(slate: Slate) -> bytes:
    """The stream entry of a slate: what all its rows share, then what each has of its own."""
    arm_set = arm_set_to_json(ArmSet(slate.arms, slate.counts, slate.parents, slate.features))
    shared = {
        c.REQUEST_ID: slate.request_id,
        c.USER_ID: slate.user_id,
        c.SEGMENT: slate.segment,
        c.SURFACE: slate.surface,
        c.POLICY_ID: slate.policy_id,
        c.POSTERIOR_EPOCH: slate.posterior_epoch,
        c.SEED: slate.seed,
        c.ARM_SET: arm_set,
        c.PROPENSITY: None,
        c.GENERATION: slate.generation,
        c.MODEL_VERSION: slate.model_version or None,
        c.SERVED_AT: slate.served_at.isoformat(),
    }
    own = [
        {
            c.POSITION: item.rank,
            c.ITEM_KIND: item.kind,
            c.ITEM_ID: item.item_id,
            c.STREAMER_ID: item.streamer_id,
            c.SOURCE: item.source,
            c.EXPLORATION_KIND: item.exploration_kind,
        }
        for item in slate.items
    ]
    return json.dumps([shared, own]).encode()


def to_rows(entry: bytes) -> list[Row]:
    """The rows of `impression_v1` of one stream entry."""
    shared, own = json.loads(entry)
    shared[c.SERVED_AT] = datetime.fromisoformat(shared[c.SERVED_AT])
    return [{**shared, **row} for row in own]


def arm_set_to_json(arm_set: ArmSet) -> str:
    """`{"arms": [...], "counts": [...]}` in slate order; `parents` and `features` where arms have any."""
    return json.dumps({name: value for name, value in asdict(arm_set).items() if value or name in ("arms", "counts")})


def arm_set_from_json(text: str) -> ArmSet:
    """The arm set of a logged row."""
    return ArmSet(**{name: tuple(map(_tuple, values)) for name, values in json.loads(text).items()})


def _tuple(value: Any) -> Any:  # noqa: ANN401  a JSON value
    return tuple(value) if isinstance(value, list) else value


def chosen_arm(arm_set: ArmSet, row: Mapping[Any, Any]) -> int:
    """Which arm of the set won a row's position: its item, its streamer, or its source.

    Raises:
        SlateMismatchError: none of them is in the set.
    """
    for arm in (item_arm(row[c.ITEM_ID]), streamer_arm(row[c.STREAMER_ID]), row[c.SOURCE]):
        if arm in arm_set.arms:
            return arm_set.arms.index(arm)
    raise SlateMismatchError(f"item {row[c.ITEM_ID]} from {row[c.SOURCE]} has no arm among {', '.join(arm_set.arms)}")
