"""Settings of the platform and of the services that every room may use."""

from pydantic import Field

from contracts.settings.section import Section


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
    java_options: str = Field(
        "-XX:+UseParallelGC", description="More options of the JVM: a batch wants throughput, not short pauses."
    )
    driver_memory: str = Field("2g", description="Driver heap; a day of a 60 M row log was measured with 2800m.")


class RedisSettings(Section):
    """The online store."""

    url: str = Field(
        "redis://127.0.0.1:6379/0",
        description="Where lists, posteriors and Feast features live; redis+cluster://HOST:PORT names any node of a"
        " Redis Cluster.",
    )
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
