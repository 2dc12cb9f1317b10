"""Settings of the request path."""

from typing import Literal

from pydantic import Field, SecretStr

from contracts.settings.section import Section


class BanditSettings(Section):
    """Discounted Beta Thompson sampling; what slates depend on is tuned by `python -m world tune_bandit`."""

    policy: Literal["thompson", "greedy", "epsilon_greedy"] = Field(
        "thompson",
        description="Fills the slots; linear_thompson finds no features on a request's way.",
    )
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
    target_ttl_days: float = Field(14.0, gt=0, description="A target's state goes after so long without an outcome.")
    epoch_ttl_days: float = Field(
        2.0, gt=0, description="A followed epoch stays until a daily drain has put it beside the slates drawn from it."
    )
    updates: Literal["daily", "stream"] = Field(
        "daily", description="Who learns: update_posteriors from the day's views, or learn from feedback as it comes."
    )
    reward: Literal["valued_watch", "click"] = Field(
        "valued_watch", description="What a success is to learn: a long enough play, or any click or play."
    )
    valued_watch_seconds: float = Field(
        30.0, ge=0, description="A play this long is valued at once; the batch later compares it with its like."
    )
    step_seconds: float = Field(60.0, gt=0, description="Slates of so long make one epoch: 1,440 a day and context.")
    examination_prior_slates: float = Field(
        20.0, gt=0, description="Measured slates at which a position's examination rate counts half of what it says."
    )


class ServingSettings(Section):
    """Publish and the request path."""

    list_ttl_hours: float = Field(72.0, gt=0, description="Lists outlive two missed batches, then expire.")
    slate_length: int = Field(20, ge=1, description="Items of a slate when the request does not say.")
    max_slate_length: int = Field(100, ge=1, description="More in one slate than a list holds helps nobody.")
    max_per_streamer: int = Field(2, ge=1, description="Items of one streamer in a slate.")
    max_per_moment: int = Field(1, ge=1, description="Cuts of one minute of a broadcast in a slate: they look alike.")
    min_return_share: float = Field(0.2, ge=0, le=0.5, description="Of a slate, kept free for streamers one knows.")
    min_discovery_share: float = Field(0.2, ge=0, le=0.5, description="The same for streamers one does not know.")
    target_arms: int = Field(40, ge=1, description="Things that can win a slot where arms are the things themselves.")
    least_target_weight: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Prior mean of the last of them over the first's: a list has an order already.",
    )
    max_excluded: int = Field(1_000, ge=0, description="Ids a request may exclude; more belong into `seen`.")
    unknown_viewer_age_years: int = Field(17, ge=0, description="Who does not say their age is shown no adult content.")
    sampled_ttl_seconds: int = Field(900, ge=1, description="Drawn lists outlive two rounds of five minutes missed.")
    lease_seconds: float = Field(90.0, gt=0, description="A broadcast without heartbeat for this long is not live.")
    publish_batch_rows: int = Field(200_000, ge=1, description="Rows that each of three threads packs at once: 10 MB.")
    publish_chunk_lists: int = Field(
        2_000, ge=1, description="Lists per pipeline, in whole buckets: 2 MB, far below any timeout."
    )
    publish_heartbeat_seconds: int = Field(300, ge=1, description="Silent for longer than a big day's sort: killed.")
    seen_ttl_days: float = Field(28.0, gt=0, description="How long the online seen set remembers.")
    max_seen_marks: int = Field(2_000, ge=1, description="Contents remembered per user: 24 KB at most; oldest go.")
    max_hidden_marks: int = Field(10_000, ge=1, description="The same of what users hid or blocked, of each kind.")
    channel_database_url: SecretStr | None = Field(
        None, description="SQLAlchemy URL of the representative VODs' database; none uses SQLite below `home`."
    )
    stream_max_length: int = Field(1_000_000, ge=1, description="Entries kept in a Redis Stream: memory is bounded.")
    stream_keep_hours: float = Field(
        48.0, gt=0, description="Older entries are trimmed: a day's drain may be a day late. Memory follows it."
    )
