"""The world's configuration: everything a synthetic platform is made of, read from one TOML file."""

import tomllib
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator, model_validator

from contracts.errors import WorldConfigError
from contracts.settings import Section

Shares = dict[str, Annotated[float, Field(gt=0)]]
_DAY_SHAPE = (3, 2, 1, 1, 1, 1, 2, 3, 3, 3, 4, 5, 6, 5, 5, 5, 6, 7, 9, 11, 12, 12, 9, 6)


class UserConfig(Section):
    """Who watches."""

    count: int = Field(5_000, ge=1, description="Users who ever exist.")
    joining_share: float = Field(0.05, ge=0, le=1, description="Register during the run: cold starts must occur.")
    sessions_per_day: float = Field(3.0, gt=0, description="Mean visits; most come a few times a day or not at all.")
    activity_sigma: float = Field(0.8, ge=0, description="Log-normal spread: few users make most of the rows.")
    loyalty: float = Field(0.6, ge=0, le=1, description="Mean share of slate places held by streamers tied to u.")
    curiosity: float = Field(0.5, ge=0, le=1, description="Mean share of the other places never watched before.")
    concentration: float = Field(8.0, gt=0, description="Beta a + b of both: users differ, few are extreme.")
    live_share: float = Field(0.4, ge=0, le=1, description="Mean share of the visits that look for live broadcasts.")
    first_ties: float = Field(4.0, ge=0, description="Poisson mean of streamers tied to a user when they appear.")
    first_known: float = Field(6.0, ge=0, description="Poisson mean of further streamers watched before the log.")
    languages: Shares = Field({"en": 0.5, "ja": 0.3, "es": 0.2}, min_length=1, description="Shares, of streamers too.")
    countries: Shares = Field(
        {"US": 0.4, "JP": 0.3, "MX": 0.3}, min_length=1, description="Shares; nothing follows them."
    )


class StreamerConfig(Section):
    """Who broadcasts, and when."""

    count: int = Field(300, ge=1, description="Streamers who ever exist.")
    categories: int = Field(12, ge=1, description="Games and topics; the first is the largest.")
    size_exponent: float = Field(0.8, ge=0, description="Zipf: the r-th streamer has size r^-this.")
    category_exponent: float = Field(0.5, ge=0, description="Zipf of the categories.")
    broadcasts_per_week: float = Field(4.0, gt=0, le=7, description="Mean; at most one start a day.")
    broadcast_hours: float = Field(3.0, gt=0, description="Median length.")
    broadcast_sigma: float = Field(0.4, ge=0, description="Log-normal spread of the length.")
    max_broadcast_hours: float = Field(12.0, gt=0, description="Longer ones are cut: nobody stays awake.")
    start_jitter_minutes: float = Field(30.0, ge=0, description="Around the streamer's usual minute of the day.")
    born_share: float = Field(0.08, ge=0, le=1, description="Begin during the run: newcomers must occur.")
    dying_share: float = Field(0.05, ge=0, le=1, description="Stop during the run; their contents stay.")


class ContentConfig(Section):
    """What is made from broadcasts."""

    vod_share: float = Field(0.9, ge=0, le=1, description="Broadcasts that become a VOD.")
    vod_delay_minutes: float = Field(30.0, ge=0, description="From the end of a broadcast to its VOD.")
    clips_per_hour: float = Field(0.8, ge=0, description="Mean clips cut from an hour of broadcast.")
    clip_seconds: float = Field(40.0, gt=0, description="Median length of a clip.")
    clip_sigma: float = Field(0.4, ge=0, description="Log-normal spread of a clip's length.")
    clip_delay_minutes: float = Field(60.0, ge=0, description="Mean time from the moment to its clip.")
    fan_share: float = Field(0.4, ge=0, le=1, description="Clips made by somebody other than the streamer.")
    near_duplicate_share: float = Field(0.1, ge=0, le=1, description="Clips cut again, a few seconds off.")
    removed_share: float = Field(0.01, ge=0, le=1, description="Taken down within days of being published.")
    quality_sigma: float = Field(0.8, ge=0, description="Spread of quality within a streamer.")
    streamer_quality_sigma: float = Field(0.5, ge=0, description="Spread of quality between streamers.")
    half_life_days: float = Field(2.0, gt=0, description="Age at which a content is offered half as often.")
    rewatch_share: float = Field(0.1, ge=0, le=1, description="Chance that a content already watched is offered.")


class TasteConfig(Section):
    """Latent factors; users, streamers and contents share one space."""

    dim: int = Field(8, ge=2, description="Width of the space.")
    topics_per_user: float = Field(0.3, gt=0, description="Dirichlet parameter: small means one or two topics.")
    user_noise: float = Field(0.4, ge=0, description="Taste beside the categories.")
    streamer_noise: float = Field(0.8, ge=0, description="Streamers differ within a category.")
    content_noise: float = Field(0.4, ge=0, description="Contents differ within a streamer.")


class WatchBias(Section):
    """Logit of the share of a length that is watched when merit is zero."""

    live: float = Field(-1.2, description="A quarter of an hour and a half: people drop in.")
    vod: float = Field(-2.2, description="A tenth of some hours.")
    clip: float = Field(0.0, description="Half of less than a minute.")


class ChoiceConfig(Section):
    """How users meet, choose and watch."""

    slate_length: int = Field(12, ge=1, description="Places of a visit's slate.")
    position_bias: float = Field(0.6, ge=0, description="Place k is examined with chance k^-this.")
    size_weight: float = Field(0.8, ge=0, description="Pull of a streamer's log size on being offered.")
    taste_weight: float = Field(1.2, ge=0, description="Pull of affinity on being offered.")
    language_weight: float = Field(2.0, ge=0, description="Pull of a shared language on being offered.")
    quality_weight: float = Field(0.5, ge=0, description="Pull of quality on being offered.")
    click_bias: float = Field(-0.5, description="Logit of a click on an examined item of no merit.")
    click_taste: float = Field(0.7, description="Logit per unit of affinity.")
    click_quality: float = Field(0.3, description="Logit per unit of quality: a title tells only some of it.")
    click_tie: float = Field(0.8, description="Logit for a streamer tied to the user.")
    watch_bias: WatchBias = WatchBias()
    watch_taste: float = Field(0.8, description="Logit of the share watched per unit of affinity.")
    watch_quality: float = Field(0.8, description="Logit per unit of quality.")
    watch_tie: float = Field(0.4, description="Logit for a streamer tied to the user.")
    watch_noise: float = Field(0.9, ge=0, description="Spread of one watch's logit: moods, doorbells.")
    live_attention_minutes: float = Field(
        90.0, gt=0, description="A live watch is a share of this, or of what is left."
    )
    gap_seconds: float = Field(20.0, ge=0, description="Mean pause between two plays of a visit.")


class BondConfig(Section):
    """How ties to streamers form and end, and what users do beside watching."""

    adoption: float = Field(0.15, ge=0, le=1, description="Chance that a fully satisfying first watch makes a tie.")
    churn_per_day: float = Field(0.02, ge=0, le=1, description="Ties that end by themselves.")
    follow_share: float = Field(0.6, ge=0, le=1, description="New ties that are said aloud by a follow.")
    like_share: float = Field(0.06, ge=0, le=1, description="Chance of a like after a fully satisfying watch.")
    hide_share: float = Field(0.01, ge=0, le=1, description="Chance of a hide after a wholly unsatisfying watch.")


class LogConfig(Section):
    """How the platform writes what happened."""

    cut_share: float = Field(0.15, ge=0, le=1, description="Plays logged in several rows.")
    max_pieces: int = Field(4, ge=2, description="Rows of such a play at most.")
    late_share: float = Field(0.002, ge=0, le=1, description="Rows ingested one day late.")
    exposure_share: float = Field(0.02, ge=0, le=1, description="Examined, not played places logged with 0 seconds.")


class AttackKind(StrEnum):
    """What the accounts of an attack do."""

    FRESH_BOTS = "fresh_bots"
    LOOP_BOTS = "loop_bots"
    STREAMER_FARM = "streamer_farm"
    IDLE_LIVE = "idle_live"
    MIMICS = "mimics"


class AttackConfig(Section):
    """Accounts that want one VOD, the target, to rise."""

    kind: AttackKind = Field(description="What the accounts do.")
    share: float = Field(0.01, gt=0, le=1, description="Accounts per honest user active on the day they appear.")
    day: int = Field(ge=1, description="Logged day of the boost; 1 is the first.")
    target: int | None = Field(
        None, description="content_id of a VOD; unset takes the median of those watched, by seconds watched so far."
    )
    loops: int = Field(20, ge=2, description="Times that each of the `loop_bots` watches the target.")
    idle_hours: float = Field(10.0, gt=0, le=24, description="How long each of `idle_live` leaves its player on.")
    honest_days: int = Field(2, ge=1, description="Days before the boost on which `mimics` live like anybody.")


class WorldConfig(Section):
    """One synthetic platform."""

    seed: int = Field(1, ge=0, description="Of every random stream.")
    time_zone: str = Field("UTC", description="Zone of the platform's day.")
    first_day: date = Field(date(2026, 3, 2), description="First logged day; a Monday.")
    days: int = Field(9, ge=1, description="Logged days; the last one judges the day before.")
    history_days: int = Field(7, ge=0, description="Unlogged days whose broadcasts already left contents.")
    hour_weights: tuple[float, ...] = Field(_DAY_SHAPE, description="Visits by local hour, 0 to 23: evenings.")
    users: UserConfig = UserConfig()
    streamers: StreamerConfig = StreamerConfig()
    contents: ContentConfig = ContentConfig()
    taste: TasteConfig = TasteConfig()
    choice: ChoiceConfig = ChoiceConfig()
    bonds: BondConfig = BondConfig()
    log: LogConfig = LogConfig()
    attack: AttackConfig | None = Field(None, description="Nobody cheats unless it is set.")

    @field_validator("hour_weights")
    @classmethod
    def _one_weight_per_hour(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if len(value) != 24 or min(value) < 0 or sum(value) <= 0:
            raise ValueError("expected 24 weights, none negative, not all zero")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value} is no IANA time zone") from error
        return value

    @model_validator(mode="after")
    def _attack_within_the_log(self) -> Self:
        if self.attack is not None and not 1 <= self.attack_begins <= self.attack.day <= self.days:
            raise ValueError(
                f"attack.day {self.attack.day} leaves no room: the log has {self.days} days, and the accounts of"
                f" {self.attack.kind} appear on day {self.attack_begins}"
            )
        return self

    @property
    def attack_begins(self) -> int:
        """Logged day on which the accounts of the attack appear; 0 where nobody cheats."""
        if self.attack is None:
            return 0
        is_mimic = self.attack.kind is AttackKind.MIMICS
        return self.attack.day - (self.attack.honest_days if is_mimic else 0)

    @property
    def last_day(self) -> date:
        return self.first_day + timedelta(days=self.days - 1)

    @property
    def first_schedule_day(self) -> date:
        return self.first_day - timedelta(days=self.history_days)


def read_config(path: Path) -> WorldConfig:
    """Read a world's TOML file.

    Raises:
        WorldConfigError: the file is missing or no TOML, or a key is unknown or out of range; the message names it.
    """
    try:
        return WorldConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WorldConfigError(f"cannot read the world's config {path}: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise WorldConfigError(f"world config {path}: {problems}") from error
