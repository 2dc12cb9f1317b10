"""Settings: frozen models read once, at an entry point, from `STREAMREC_*` variables over an optional TOML file.

A nested setting is written `STREAMREC_PREFERENCES__HALF_LIFE_DAYS=7` in the environment or under `[preferences]` in the
file that `STREAMREC_CONFIG` names.
"""

from contracts.settings.candidates import CandidateSettings, SurfaceSources
from contracts.settings.fresh import FreshSettings
from contracts.settings.http import HttpSettings
from contracts.settings.ingest import ChecksSettings, IngestSettings
from contracts.settings.live import LiveSettings, MirrorSettings
from contracts.settings.loading import Settings, load_settings
from contracts.settings.models import TwoTowerSettings
from contracts.settings.section import Section
from contracts.settings.services import FeastSettings, MlflowSettings, PlatformSettings, RedisSettings, SparkSettings
from contracts.settings.serving import BanditSettings, ServingSettings
from contracts.settings.systems import (
    ExplorationSettings,
    FeatureSettings,
    NeighborSettings,
    NextContentSettings,
    PopularitySettings,
    PreferenceSettings,
    RepresentativeSettings,
    ValuationSettings,
)

__all__ = [
    "BanditSettings",
    "CandidateSettings",
    "ChecksSettings",
    "ExplorationSettings",
    "FeastSettings",
    "FeatureSettings",
    "FreshSettings",
    "HttpSettings",
    "IngestSettings",
    "LiveSettings",
    "MirrorSettings",
    "MlflowSettings",
    "NeighborSettings",
    "NextContentSettings",
    "PlatformSettings",
    "PopularitySettings",
    "PreferenceSettings",
    "RedisSettings",
    "RepresentativeSettings",
    "Section",
    "ServingSettings",
    "Settings",
    "SparkSettings",
    "SurfaceSources",
    "TwoTowerSettings",
    "ValuationSettings",
    "load_settings",
]
