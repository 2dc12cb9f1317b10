"""The platforms on which policies are tuned, and the others on which they are reported."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from world.config import WorldConfig
from world.regret.setting import Cut, Setting
from world.world import World


@dataclass(frozen=True)
class Platform:
    """A world's config without seed, and how busy one context of its bandit is."""

    config: Mapping[str, Any]
    cut: Cut

    def setting(self, seed: int) -> Setting:
        """One world of it."""
        return Setting.of(World.from_config(WorldConfig.model_validate({**self.config, "seed": seed})), self.cut)


TUNING: Final[Mapping[str, Platform]] = {
    "busy": Platform(
        {
            "days": 7,
            "users": {"count": 1_000, "joining_share": 0.1},
            "streamers": {"count": 250, "born_share": 0.25},
            "choice": {"click_bias": -2.5},
        },
        Cut(requests_per_day=800.0, fashion_drift=0.15),
    ),
    "quiet": Platform(
        {
            "days": 7,
            "users": {"count": 600, "loyalty": 0.4},
            "streamers": {"count": 150, "categories": 6, "born_share": 0.4, "broadcasts_per_week": 6.0},
            "contents": {"quality_sigma": 0.6},
            "choice": {"click_bias": -1.8},
        },
        Cut(requests_per_day=200.0, fashion_drift=0.25),
    ),
}
"""Settings are chosen here, on seeds from 1."""

REPORTED: Final[Mapping[str, Platform]] = {
    "middle": Platform(
        {
            "days": 7,
            "time_zone": "Asia/Tokyo",
            "users": {"count": 800, "sessions_per_day": 2.0},
            "streamers": {"count": 200, "categories": 10, "born_share": 0.3, "broadcast_hours": 4.0},
            "contents": {"streamer_quality_sigma": 0.7},
            "choice": {"click_bias": -2.2, "watch_noise": 1.1},
        },
        Cut(requests_per_day=500.0, fashion_drift=0.2),
    ),
    "large": Platform(
        {
            "days": 7,
            "time_zone": "America/New_York",
            "users": {"count": 1_200, "activity_sigma": 1.1},
            "streamers": {"count": 400, "size_exponent": 0.6, "born_share": 0.2},
            "contents": {"quality_sigma": 1.0},
            "choice": {"click_bias": -2.8},
        },
        Cut(requests_per_day=1_200.0, fashion_drift=0.1),
    ),
}
"""Nothing is chosen here; seeds from 1,001."""
