"""Settings: frozen models read once, at an entry point, from `STREAMREC_*` variables over an optional TOML file.

A nested setting is written `STREAMREC_PREFERENCES__HALF_LIFE_DAYS=7` in the environment or under `[preferences]` in the
file that `STREAMREC_CONFIG` names.
"""

import os
from datetime import date
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from contracts.errors import SettingsError
from contracts.names import Check, ContentKind, ExplorationKind, FusionMethod, LogFormat, Source, Surface


class Section(BaseModel):
    """A group of settings: immutable, and an unknown name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PlatformSettings(Section):
    """Facts of the platform."""

    time_zone: str = Field("UTC", description="Zone of the platform's day; KuaiRand's is Asia/Shanghai.")
    late_days: int = Field(2, ge=0, description="Rows up to this old belong to the log; older ones are quarantined.")
    publish_delay_minutes: int = Field(180, ge=0, description="From the end of a day until its lists can be served.")
    hourly_delay_minutes: int = Field(30, ge=0, description="The same from the end of an hour, whose jobs are cheap.")


class SparkSettings(Section):
    """The session every job of a run shares."""

    remote: str | None = Field(None, description="Spark Connect address, sc://host:port; none starts a local session.")
    master: str = Field("local[*]", description="For a session of our own: all owned cores.")
    shuffle_partitions: int = Field(4, ge=1, description="Small: a day on one machine; a cluster sets hundreds.")
    concurrent_jobs: int = Field(2, ge=1, description="Jobs of a backfill side by side: planning leaves cores idle.")
    days_per_job: int = Field(7, ge=1, description="Days of a backfill that one Spark job computes together.")
    java_options: str = Field("", description="More options of the JVM; a demo stops at its first, quick compiler.")
    driver_memory: str = Field("2g", description="Driver heap; a 60 M row log fits in 4g.")


class RedisSettings(Section):
    """The online store."""

    url: str = Field("redis://127.0.0.1:6379/0", description="Where lists, posteriors and Feast features live.")
    timeout_ms: int = Field(50, ge=1, description="A slow store may cost a request this much before the fallback.")
    batch_timeout_ms: int = Field(10_000, ge=1, description="For publish and sync, whose calls carry megabytes.")


class MlflowSettings(Section):
    """Tracking and registry."""

    tracking_uri: str | None = Field(None, description="None uses SQLite and a folder below `home`.")


class FeastSettings(Section):
    """Feature store."""

    offline_store: str = Field("duckdb", pattern="^(duckdb|spark)$", description="Embedded default, or Spark on Hive.")
    ttl_days: int = Field(
        7,
        ge=1,
        description="An older row is no feature: jobs write one per thing and day. A join's cost grows with it: 100,000"
        " labels over 28 days took 19 s and 2.8 GB at 30 days, 4 s and 1.7 GB at 7 (2 cores).",
    )


class IngestSettings(Section):
    """What may enter the log."""

    max_quarantine_share: float = Field(0.05, ge=0, le=1, description="Above it the import fails: the log is broken.")
    max_watched_seconds: float = Field(86_400.0, gt=0, description="More in one row than a day has is absurd.")
    max_future_minutes: float = Field(5.0, ge=0, description="Clock skew of players that is still believed.")
    livestream_first_day: date = Field(
        date(2019, 7, 1), description="Day of step 0 in the `livestream` format, whose file knows steps but no dates."
    )
    livestream_step_minutes: float = Field(10.0, gt=0, description="Length of a step there: Twitch was polled so.")
    log_format: LogFormat | None = Field(None, description="What `import_log` reads when --format is not given.")
    log_path: Path | None = Field(
        None, description="Where it reads when --log is not given: a task names only its day."
    )
    mapping_path: Path | None = Field(None, description="The column mapping of the `mapped` format.")


class ChecksSettings(Section):
    """What a day's tables may look like before anything is published from them."""

    history_days: int = Field(7, ge=1, description="Days before that a day is compared with: every weekday once.")
    min_history_days: int = Field(3, ge=1, description="With fewer, a median is one odd day's opinion.")
    min_rows: int = Field(100, ge=1, description="Of a usual day; the number of fewer rows varies by chance.")
    row_ratio_lower: float = Field(0.5, ge=0, description="To the median day: less is a log that is not whole.")
    row_ratio_upper: float = Field(3.0, ge=1, description="To it: a great event doubles a day; more is bots or twice.")
    max_unknown_share: float = Field(0.05, ge=0, le=1, description="Rows whose id the catalogue does not know (yet).")
    min_drift_rows: int = Field(1_000, ge=1, description="Of either side; below it chance alone makes an index of 0.1.")
    max_drift: float = Field(0.25, gt=0, description="Population stability index: 0.1 is a shift, 0.25 a large one.")
    only_warn: tuple[Check, ...] = Field(
        (Check.UNKNOWN_IDS, Check.DRIFT),
        description="Checks that stop nothing: habits change, and a content may be watched before it is catalogued.",
    )


class PreferenceSettings(Section):
    """Preferred streamers."""

    half_life_days: float = Field(14.0, gt=0, description="Taste for a streamer halves in two weeks without a visit.")
    saturation_seconds: float = Field(600.0, gt=0, description="log1p(seconds / this): ten minutes say most of it.")
    kind_weights: dict[ContentKind, float] = Field(
        {ContentKind.LIVE: 1.0, ContentKind.VOD: 1.0, ContentKind.CLIP: 0.5},
        description="A clip is met by chance more often than chosen for its streamer.",
    )
    day_weight: float = Field(0.3, ge=0, description="Score per distinct (decayed) day: coming back is preference.")
    min_views: int = Field(2, ge=1, description="Fewer views of anything at all say nothing of a user.")
    min_score: float = Field(0.3, ge=0, description="Below it a streamer is noise; about three minutes once.")
    list_length: int = Field(20, ge=1, description="Preferred streamers per user.")
    full_every_days: int = Field(
        14,
        ge=1,
        description="Every so often a partition holds everybody, the others who came that day: more often costs the"
        " writer, more seldom the readers. At most eight half-lives, or the stored units would not fit.",
    )
    retention_days: int = Field(
        112, ge=1, description="A streamer not visited for so long is forgotten: eight half-lives leave 1/256."
    )

    @model_validator(mode="after")
    def _units_fit(self) -> Self:
        if self.full_every_days > 8 * self.half_life_days:
            raise ValueError("full_every_days is more than eight half-lives; make it smaller")
        return self


class ValuationSettings(Section):
    """Value of a view and of a content."""

    window_days: int = Field(14, ge=1, description="Days whose views give a user's and a content's usual watch time.")
    length_groups: int = Field(4, ge=1, description="Quantiles of a kind's lengths within which views are compared.")
    prior_views: float = Field(5.0, gt=0, description="Views' worth of shrinkage of a content to its wider group.")
    user_prior_views: float = Field(20.0, gt=0, description="Of a user's mean to 0: users differ less than contents.")
    group_prior_views: float = Field(
        100.0, gt=0, description="Of a length's mean to its kind's: few lengths, many views."
    )
    streamer_prior_viewers: float = Field(20.0, gt=0, description="Of a streamer's mean to their kind's.")
    valued_threshold: float = Field(0.6, ge=0, le=1, description="At or above it a view is a valued watch.")
    confidence_z: float = Field(0.5, gt=0, description="Ranks `world`'s contents best; shrinkage is caution already.")
    prior_streamers: float = Field(5.0, gt=0, description="Streamers beside the first at which an account counts half.")
    crowd_evidence: float = Field(
        7.0,
        gt=0,
        description="Log-likelihood ratio; honest days of `world` stay below it on all but 1 in 10,000 views.",
    )
    max_user_views_per_day: int = Field(200, ge=1, description="Views beyond it share this many views' weight.")
    max_single_streamer_views: int = Field(
        10, ge=1, description="The same for a day with one streamer: a fan's evening."
    )
    max_live_hours_per_day: float = Field(8.0, gt=0, le=24, description="Longer, nobody is in front of the player.")
    near_zero_seconds: float = Field(2.0, ge=0, description="A play this short is a skip.")
    near_zero_burst: int = Field(50, ge=1, description="This many skips within a day are a burst: no person's visit.")
    overlap_tolerance: float = Field(1.5, ge=1, description="Watched over elapsed time; a second screen is believed.")
    min_deviation: float = Field(1e-3, gt=0, description="Of watched shares; below it all watches are alike.")


class PopularitySettings(Section):
    """Recent popularity."""

    window_days: int = Field(14, ge=1, description="Seven half-lives: the rest is below 1 %.")
    half_life_days: float = Field(2.0, gt=0, description="Best on KuaiRand's next day (BENCHMARKS.md B).")
    list_length: int = Field(1_000, ge=1, description="Items per kind.")


class RepresentativeSettings(Section):
    """Representative VODs and clips of a streamer."""

    half_life_days: float = Field(7.0, gt=0, description="Age at which a VOD is worth half.")
    least_viewers: float = Field(0.5, ge=0, description="What viewers count who watch nobody else, all together.")
    unknown_age_days: float = Field(7.0, ge=0, description="For contents without a time of publication: a half-life.")
    duplicate_overlap: float = Field(
        0.2, gt=0, le=1, description="Shared part of the longer of two spans from which both show one moment."
    )
    list_length: int = Field(10, ge=1, description="VODs and clips per streamer.")


class NeighborSettings(Section):
    """Related streamers, streamer orientation and live candidates."""

    prior_support: float = Field(5.0, ge=0, description="Users who prefer both, at which relatedness counts half.")
    related_length: int = Field(20, ge=1, description="Related streamers per streamer: a user's twenty have 400.")
    visit_window_days: int = Field(28, ge=1, description="Days whose visits tell orientation, and returns apart.")
    prior_pairs: float = Field(10.0, ge=0, description="Pairs of visits' worth of shrinkage to what is expected.")
    min_orientation: float = Field(0.1, ge=0, le=1, description="From here on a user follows streamers.")
    return_length: int = Field(50, ge=0, description="Return quota: live candidates the user has watched.")
    discovery_length: int = Field(50, ge=0, description="Discovery quota: live candidates the user has not.")


class NextContentSettings(Section):
    """What is offered after a content."""

    max_contents: int = Field(30, ge=2, description="A user's newest valued ones: 435 pairs; 1,000 would have 500,000.")
    min_support: float = Field(2.0, ge=0, description="Users who valued both; fewer is chance, or somebody's bots.")
    prior_support: float = Field(5.0, ge=0, description="Users who valued both, at which closeness counts half.")
    list_length: int = Field(20, ge=1, description="Contents per content: a slate.")


class ExplorationSettings(Section):
    """Streamers for exploration, and which of their contents are shown."""

    window_days: int = Field(28, ge=2, description="Days whose views tell tastes and trends, and who is watched.")
    length: int = Field(10, ge=1, description="Streamers per user and kind.")
    categories: int = Field(3, ge=1, description="Categories of a user, by visits; further ones are whims.")
    per_category: int = Field(20, ge=1, description="Rising streamers, and newcomers, that a category has to offer.")
    recent_days: int = Field(3, ge=1, description="What has been rising for longer is popular by now.")
    prior_daily_viewers: float = Field(2.0, gt=0, description="From one viewer to three is no rise.")
    min_rise: float = Field(1.2, ge=1, description="Recent over earlier viewers a day, from which a streamer rises.")
    newcomer_days: int = Field(7, ge=1, description="First viewed less than this ago: new.")
    small_share: float = Field(0.5, ge=0, le=1, description="Share of streamers, by viewers, that counts as small.")
    min_viewers: int = Field(3, ge=1, description="Fewer viewers are a newcomer's friends.")
    prior_variance: float = Field(0.05, ge=0, description="Variance of values that three equal ones do not disprove.")
    confidence_z: float = Field(1.0, ge=0, description="Standard errors below the mean: what is likely, not possible.")
    lapsed_days: int = Field(7, ge=1, description="Who comes once a week has not lapsed; who missed a week has.")
    newest_days: int = Field(7, ge=1, description="Contents published less than this ago can be the newest.")
    newest_per_streamer: int = Field(2, ge=0, description="Newest contents that take turns with the best-valued.")


class FeatureSettings(Section):
    """Features of users and streamers."""

    window_days: int = Field(28, ge=1, description="Days of views that count.")
    history_length: int = Field(50, ge=1, description="Contents and streamers of a pooled history.")
    heavy_views: int = Field(30, ge=1, description="Views in the window that make a user `heavy`.")
    light_views: int = Field(5, ge=1, description="Fewer make a user `new`.")


class SurfaceSources(Section):
    """Sources of one surface, how they are fused and how the result is ordered."""

    weights: dict[Source, float]
    length: int = Field(100, ge=1, description="Candidates published per user.")
    fusion: FusionMethod = Field(
        FusionMethod.RECIPROCAL_RANK, description="Needs no scores that mean the same in every source."
    )
    preference_weight: float = Field(0.0, ge=0, description="Lift of the most preferred streamer: 1 doubles a score.")
    freshness_weight: float = Field(0.0, ge=0, description="Lift of what was published just now: 1 doubles a score.")
    max_per_streamer: int = Field(20, ge=1, description="In a list; a request shows fewer, and fills up with others.")


def _surface_defaults() -> dict[Surface, SurfaceSources]:
    clips = SurfaceSources(weights={Source.TWO_TOWER: 1.0, Source.PREFERRED: 0.5, Source.POPULAR: 1.0}, length=200)
    live = SurfaceSources(weights={Source.PREFERRED: 1.5, Source.TWO_TOWER: 1.0, Source.POPULAR: 0.5}, length=100)
    favorites = SurfaceSources(weights={Source.PREFERRED: 1.0}, length=100)
    # A feed goes on for long: it has room for what a home page risks less of.
    feed = SurfaceSources(weights={**clips.weights, **{kind.source: 0.3 for kind in ExplorationKind}}, length=200)
    surfaces = (Surface.HOME_CLIPS, Surface.HOME_LIVE, Surface.FAVORITES_CLIPS, Surface.CLIPS_FEED)
    return dict(zip(surfaces, (clips, live, favorites, feed), strict=True))


class CandidateSettings(Section):
    """Fusion of sources into lists."""

    rank_offset: float = Field(60.0, ge=0, description="k of reciprocal rank fusion (Cormack et al., SIGIR 2009).")
    surfaces: dict[Surface, SurfaceSources] = Field(
        default_factory=_surface_defaults, description="Sources, weights and length per surface."
    )
    freshness_half_life_days: float = Field(2.0, gt=0, description="A clip is talked about for a few days.")
    seen_share: float = Field(0.5, ge=0, le=1, description="Watched share from which a content counts as seen.")
    seen_seconds: float = Field(300.0, ge=0, description="Or watched seconds, whichever comes first.")
    seen_window_days: int = Field(28, ge=1, description="Days of views that are looked at for `seen`.")
    earlier_views_are_seen: bool = Field(True, description="Views from before the log have no seconds; they were met.")


class TwoTowerSettings(Section):
    """Two-tower retrieval."""

    train_days: int = Field(28, ge=1, description="Days of examples.")
    dim: int = Field(64, ge=1, description="Width of the shared embedding space.")
    batch_size: int = Field(1_024, ge=2, description="Also the in-batch negatives; 2,048 was worse on KuaiRand.")
    epochs: int = Field(1, ge=1, description="Passes before the last day is met; more overfit the made world.")
    final_epochs: int = Field(1, ge=0, description="Passes that include the last day, which is held out until then.")
    learning_rate: float = Field(0.1, gt=0, description="Row-wise Adagrad of the tables; small rates miss rare rows.")
    dense_learning_rate: float = Field(0.001, gt=0, description="Adam of the few dense layers.")
    temperature: float = Field(0.1, gt=0, description="0.2 cost 17 % NDCG on Gowalla (BENCHMARKS.md A).")
    log_q: str = Field("counts", pattern="^(counts|streaming|off)$", description="Off costs a third of NDCG (same).")
    history_weight: float = Field(0.95, ge=0, le=1, description="Share of the history in the user's vector.")
    id_weight: float = Field(0.05, ge=0, le=1, description="Share of the user's id: most users have few examples.")
    id_dropout: float = Field(0.05, ge=0, lt=1, description="Share of ids shown as unknown, so that new ids work.")
    valued_weight: float = Field(1.0, ge=0, description="What a valued watch counts: the main label.")
    click_weight: float = Field(0.1, ge=0, description="What a play counts: many, and worth little each.")
    like_weight: float = Field(0.5, ge=0, description="What a like adds.")
    follow_weight: float = Field(0.5, ge=0, description="What a follow adds.")
    streamer_weight: float = Field(0.3, ge=0, description="What a VOD or clip counts for its streamer as target.")
    earlier_weight: float = Field(1.0, ge=0, description="What a view of untimed earlier history counts.")
    earlier_plain_weight: float = Field(0.3, ge=0, description="The same where it was known not to be valued.")
    history_length: int = Field(50, ge=1, description="Newest items of each pooled history.")
    seed: int = Field(0, description="Of initial weights, of the order of examples and of dropout, a stream each.")
    device: str = Field("auto", pattern="^(auto|cpu|cuda)$", description="`auto` takes CUDA where there is one.")
    candidates: int = Field(200, ge=1, description="Contents, and streamers, retrieved per user.")


class BanditSettings(Section):
    """Discounted Beta Thompson sampling."""

    prior_successes: float = Field(1.0, gt=0, description="Prior Beta a: with b, a mean of 1/10.")
    prior_failures: float = Field(9.0, gt=0, description="Prior Beta b; ten impressions' worth in all.")
    half_life_hours: float = Field(72.0, gt=0, description="Evidence halves in three days of event time.")
    attribution_minutes: float = Field(30.0, gt=0, description="A valued watch this soon after is a success.")
    propensity_draws: int = Field(100_000, ge=1, description="Monte Carlo draws: standard error at most 0.0016.")
    epoch_ttl_days: float = Field(90.0, gt=0, description="As long as impressions stay: they are recomputed from it.")


class ServingSettings(Section):
    """Publish and the request path."""

    list_ttl_hours: float = Field(72.0, gt=0, description="Lists outlive two missed batches, then expire.")
    slate_length: int = Field(20, ge=1, description="Items of a slate when the request does not say.")
    max_slate_length: int = Field(100, ge=1, description="More in one slate than a list holds helps nobody.")
    max_per_streamer: int = Field(2, ge=1, description="Items of one streamer in a slate.")
    lease_seconds: float = Field(90.0, gt=0, description="A broadcast without heartbeat for this long is not live.")
    publish_chunk_lists: int = Field(2_000, ge=1, description="Lists per pipeline: about 1 MB, far below any timeout.")
    publish_heartbeat_seconds: int = Field(300, ge=1, description="Silent for longer than a big day's sort: killed.")
    seen_ttl_days: float = Field(28.0, gt=0, description="How long the online seen set remembers.")
    channel_database_url: SecretStr | None = Field(
        None, description="SQLAlchemy URL of the representative VODs' database; none uses SQLite below `home`."
    )
    stream_max_length: int = Field(1_000_000, ge=1, description="Entries kept in a Redis Stream: memory is bounded.")


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
