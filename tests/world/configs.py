"""Configs of the tests: changes are nested dicts over the committed small world."""

import tomllib
from pathlib import Path
from typing import Any

from world.config import WorldConfig

SMALL = Path(__file__).parents[2] / "world" / "configs" / "small.toml"
DEMO = SMALL.with_name("demo.toml")

# One visit is one play of one clip, chosen by loyalty and curiosity alone: closed forms hold exactly.
PLAIN: dict[str, Any] = {
    "seed": 11,
    "days": 1,
    "users": {"count": 1_000, "live_share": 0.0, "joining_share": 0.0},
    "streamers": {"count": 60, "size_exponent": 0.0, "broadcasts_per_week": 7.0},
    "contents": {"vod_share": 0.0, "clips_per_hour": 4.0, "rewatch_share": 1.0, "removed_share": 0.0},
    "choice": {
        "slate_length": 1,
        "taste_weight": 0.0,
        "language_weight": 0.0,
        "quality_weight": 0.0,
        "click_bias": 30.0,
    },
    "log": {"cut_share": 0.0, "late_share": 0.0, "exposure_share": 0.0},
}


def changed(base: dict[str, Any], **sections: Any) -> WorldConfig:  # noqa: ANN401  any part of a config
    """A config from a nested dict with some sections, or values, changed."""
    merged = {**base}
    for name, value in sections.items():
        merged[name] = {**merged.get(name, {}), **value} if isinstance(value, dict) else value
    return WorldConfig.model_validate(merged)


def small(**sections: Any) -> WorldConfig:  # noqa: ANN401
    """The committed small world, changed."""
    return changed(tomllib.loads(SMALL.read_text()), **sections)


def plain(**sections: Any) -> WorldConfig:  # noqa: ANN401
    """The world of closed forms, changed."""
    return changed(PLAIN, **sections)
