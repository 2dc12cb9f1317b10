"""Settings of the request path."""

from pydantic import Field, SecretStr

from contracts.settings.section import Section


class BanditSettings(Section):
    """Discounted Beta Thompson sampling; what slates depend on is tuned by `python -m world tune_bandit`."""

    prior_successes: float = Field(1.0, gt=0, description="Prior Beta a of a context: with b, a mean of 1/10.")
    prior_failures: float = Field(9.0, gt=0, description="Prior Beta b; ten impressions' worth in all.")
    streamer_strength: float = Field(10.0, gt=0, description="Impressions a streamer's mean is worth to its items.")
    source_strength: float = Field(3.0, gt=0, description="Impressions a source's mean is worth to what it proposes.")
    context_strength: float = Field(10.0, gt=0, description="Impressions the context's mean is worth to its sources.")
    exploration_scale: float = Field(0.05, gt=0, description="Factor on sampled variance: 1 loses half as much again.")
    epsilon: float = Field(0.01, ge=0, le=1, description="Share of slots that epsilon_greedy fills by chance.")
    linear_precision: float = Field(1.0, gt=0, description="Prior precision of each weight of linear_thompson.")
    linear_noise: float = Field(0.1, gt=0, description="Variance of an outcome for linear_thompson: p (1 - p).")
    max_arms: int = Field(5_000, ge=1, description="Arms of a context's state: 125 kB; above it weak ones go.")
    min_evidence: float = Field(0.5, ge=0, description="Half an impression left: the prior says nearly the same.")
    half_life_hours: float = Field(72.0, gt=0, description="Evidence halves in three days of event time.")
    attribution_minutes: float = Field(30.0, gt=0, description="A valued watch this soon after is a success.")
    propensity_draws: int = Field(100_000, ge=1, description="Monte Carlo, linear_thompson: error to 0.0016.")
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
