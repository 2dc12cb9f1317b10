"""All settings, and how they are read."""

import os
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from contracts.errors import SettingsError
from contracts.settings.candidates import CandidateSettings
from contracts.settings.fresh import FreshSettings
from contracts.settings.http import HttpSettings
from contracts.settings.ingest import ChecksSettings, IngestSettings
from contracts.settings.live import LiveSettings, MirrorSettings
from contracts.settings.models import TwoTowerSettings
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


class Settings(BaseSettings):
    """All settings of a run."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="STREAMREC_", env_nested_delimiter="__", toml_file=None
    )

    home: Path = Field(Path("var"), description="Folder of everything a run writes: warehouse, registry, databases.")
    hive_metastore_uri: str | None = Field(None, description="thrift://host:port; none uses an embedded metastore.")
    platform: PlatformSettings = PlatformSettings()
    spark: SparkSettings = SparkSettings()
    redis: RedisSettings = RedisSettings()
    mlflow: MlflowSettings = MlflowSettings()
    feast: FeastSettings = FeastSettings()
    ingest: IngestSettings = IngestSettings()
    checks: ChecksSettings = ChecksSettings()
    preferences: PreferenceSettings = PreferenceSettings()
    valuation: ValuationSettings = ValuationSettings()
    popularity: PopularitySettings = PopularitySettings()
    representative: RepresentativeSettings = RepresentativeSettings()
    neighbors: NeighborSettings = NeighborSettings()
    next_contents: NextContentSettings = NextContentSettings()
    exploration: ExplorationSettings = ExplorationSettings()
    features: FeatureSettings = FeatureSettings()
    candidates: CandidateSettings = CandidateSettings()
    two_tower: TwoTowerSettings = TwoTowerSettings()
    bandit: BanditSettings = BanditSettings()
    serving: ServingSettings = ServingSettings()
    fresh: FreshSettings = FreshSettings()
    live: LiveSettings = LiveSettings()
    mirrors: MirrorSettings = MirrorSettings()
    http: HttpSettings = HttpSettings()

    @property
    def warehouse_path(self) -> Path:
        return self.home.resolve() / "warehouse"

    @property
    def mlflow_tracking_uri(self) -> str:
        return self.mlflow.tracking_uri or f"sqlite:///{self.home.resolve() / 'mlflow' / 'mlflow.db'}"

    @property
    def mlflow_artifacts_path(self) -> Path:
        return self.home.resolve() / "mlflow" / "artifacts"

    @property
    def simulation_database_path(self) -> Path:
        return self.home.resolve() / "simulation.db"

    @property
    def channel_database_url(self) -> str:
        """Where `python -m serving publish_channels` writes; it may hold a password."""
        chosen = self.serving.channel_database_url
        return chosen.get_secret_value() if chosen else f"sqlite:///{self.home.resolve() / 'channels.db'}"

    @property
    def feast_registry_path(self) -> Path:
        return self.home.resolve() / "feast" / "registry.db"

    @property
    def feast_config_path(self) -> Path:
        """What `feast.FeatureStore(fs_yaml_file=...)` opens, once `python -m feature_repo apply` has run."""
        return self.home.resolve() / "feast" / "feature_store.yaml"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  pydantic-settings passes it by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings() -> Settings:
    """Read the settings once; call it at entry points only.

    Raises:
        SettingsError: a setting is unknown or out of range; the message names it.
    """
    config = os.environ.get("STREAMREC_CONFIG")
    _refuse_unknown_variables()
    if config is not None and not Path(config).is_file():
        raise SettingsError(f"STREAMREC_CONFIG names {config}, which is not a file")
    try:
        return _settings_class(config)()
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"settings from STREAMREC_* and {config or 'no file'}: {problems}") from error


def _refuse_unknown_variables() -> None:
    """pydantic-settings passes over unknown variables without a word: a misspelt setting would do nothing."""
    known = {f"STREAMREC_{name.upper()}" for name in Settings.model_fields} | {"STREAMREC_CONFIG"}
    for variable in os.environ:
        if variable.startswith("STREAMREC_") and variable.partition("__")[0] not in known:
            raise SettingsError(f"{variable} is no setting; docs/contracts.md lists them")


def _settings_class(toml_file: str | None) -> type[Settings]:
    class FileSettings(Settings):
        model_config = SettingsConfigDict(**{**Settings.model_config, "toml_file": toml_file})

    return FileSettings
