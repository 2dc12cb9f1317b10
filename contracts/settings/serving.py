"""Settings of the request path."""

from pydantic import Field, SecretStr

from contracts.settings.section import Section


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
    publish_batch_rows: int = Field(200_000, ge=1, description="Rows that each of three threads packs at once: 10 MB.")
    publish_chunk_lists: int = Field(
        2_000, ge=1, description="Lists per pipeline, in whole buckets: 2 MB, far below any timeout."
    )
    publish_heartbeat_seconds: int = Field(300, ge=1, description="Silent for longer than a big day's sort: killed.")
    seen_ttl_days: float = Field(28.0, gt=0, description="How long the online seen set remembers.")
    channel_database_url: SecretStr | None = Field(
        None, description="SQLAlchemy URL of the representative VODs' database; none uses SQLite below `home`."
    )
    stream_max_length: int = Field(1_000_000, ge=1, description="Entries kept in a Redis Stream: memory is bounded.")
