"""Worlds with known truth, valued by the Spark transformations of `jobs` on the evening of their last day."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.clock import days_between
from contracts.settings import Settings
from jobs.transformations.abuse import day_totals, with_weights
from jobs.transformations.as_of import AS_OF, of_own_day
from jobs.transformations.content_values import content_values
from jobs.transformations.view_valuation import (
    content_lengths,
    content_sums,
    group_means,
    user_sums,
    view_values,
    watched_on_each_day,
)
from jobs.transformations.views import latest_views, views
from jobs.transformations.voices import COHORT, CROWD_FACTOR, cohorts, voices, without_crowds
from world.config import WorldConfig
from world.world import World

CONFIGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "small": {
        "days": 6,
        "history_days": 4,
        "users": {"count": 1_500},
        "streamers": {"count": 60, "categories": 6},
    },
    "loyal_less": {
        "days": 7,
        "time_zone": "Asia/Tokyo",
        "users": {"count": 3_000, "loyalty": 0.4, "curiosity": 0.7, "sessions_per_day": 2.0, "joining_share": 0.1},
        "streamers": {"count": 120, "categories": 10, "size_exponent": 1.0, "broadcast_hours": 2.0},
        "contents": {"clips_per_hour": 1.2, "quality_sigma": 0.6},
    },
    "sparse": {"days": 6, "users": {"count": 3_000}, "streamers": {"count": 200, "categories": 8}},
    "unseen": {
        "days": 8,
        "time_zone": "America/New_York",
        "users": {"count": 2_000, "joining_share": 0.2, "live_share": 0.25, "activity_sigma": 1.1},
        "streamers": {"count": 80, "size_exponent": 0.5, "broadcasts_per_week": 3.0, "broadcast_hours": 4.0},
        "contents": {"half_life_days": 4.0, "streamer_quality_sigma": 0.8},
        "choice": {"watch_noise": 1.2},
    },
}
CONTENT_VALUE, MEAN_SECONDS, COMPLETION_RATE, VIEWS = "content_value", "mean_watch_seconds", "completion_rate", "views"
MEASURES: Final = (CONTENT_VALUE, MEAN_SECONDS, COMPLETION_RATE, VIEWS)
RAW_SECONDS, RAW_PLAYS = "raw_seconds", "raw_plays"
RANKINGS: Final = (CONTENT_VALUE, RAW_SECONDS, RAW_PLAYS)


@dataclass(frozen=True)
class Valued:
    """One world on the evening of its last day.

    Args:
        contents: By content that was played: its kind, every measure and ranking, and its true quality.
        target: The VOD that is to rise; None where nobody cheats.
        named_share: Honest views that count less by a rule with a name, on their own or with the voice of their user,
            in percent of the honest views of the window.
        little_evidence_share: Honest voices (user and content) that count below one half, in percent.
    """

    contents: pd.DataFrame
    target: int | None
    bots: int
    named_share: float
    little_evidence_share: float


def valued(spark: SparkSession, config: WorldConfig, settings: Settings) -> Valued:
    """Generate a world and value it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        World.from_config(config).generate(folder)
        log = _log_table(spark, folder, "watch_event")
        window = _window(log, _log_table(spark, folder, "content"), config, settings).persist()
        result = _judged(window, log, folder, settings)
        spark.catalog.clearCache()
    return result


def _log_table(spark: SparkSession, folder: Path, name: str) -> DataFrame:
    return spark.read.parquet(f"{folder}/{name}").withColumn(c.DT, f.col(c.DT).cast("string"))


def _window(log: DataFrame, catalogue: DataFrame, config: WorldConfig, settings: Settings) -> DataFrame:
    """Latest views of the window that ends with the last day, as `content_values` reads them."""
    days, valuation = list(days_between(config.first_day, config.last_day)), settings.valuation
    lengths = content_lengths(of_own_day(catalogue), valuation)
    versions = views(log, config.time_zone, valuation.window_days).persist()
    totals = day_totals(versions, days, settings.platform.late_days, valuation)
    weighted = with_weights(versions.withColumn(AS_OF, f.col(c.DT)), totals, valuation)
    usual = watched_on_each_day(versions, lengths, days)
    contents = content_sums(usual).persist()
    groups = group_means(contents, valuation).localCheckpoint()
    values = view_values(weighted, contents, user_sums(usual), groups, lengths, valuation)
    stored = values.withColumn(c.DT, f.col(AS_OF).cast("string")).drop(AS_OF)
    return latest_views(stored, days[-1:], valuation.window_days)


def _judged(window: DataFrame, log: DataFrame, folder: Path, settings: Settings) -> Valued:
    said = voices(window, settings.valuation).persist()
    weighed = without_crowds(cohorts(said).persist(), settings.valuation).persist()
    scores = content_values(weighed, settings.valuation).toPandas()
    crowds = weighed.select(*COHORT, CROWD_FACTOR, c.WEIGHT_REASON)
    believed = said.join(crowds, on=list(COHORT), how="inner").withColumn(
        c.WEIGHT, f.col(c.WEIGHT) * f.col(CROWD_FACTOR)
    )
    heard = believed.select(c.USER_ID, c.VIEWS, c.WEIGHT, c.WEIGHT_REASON).toPandas()
    seen = window.where(f.col(c.WATCHED_SECONDS) > 0).toPandas()
    plays = log.where(f.col(c.WATCHED_SECONDS) > 0).groupBy(c.CONTENT_ID).agg(f.count("*").alias(RAW_PLAYS)).toPandas()
    bots = _truth(folder, "true_bot") if (folder / "truth" / "true_bot").is_dir() else None
    users = [] if bots is None else bots[c.USER_ID].tolist()
    honest, honest_voices = (rows[~rows[c.USER_ID].isin(users)] for rows in (seen, heard))
    hit = honest_voices[honest_voices[c.WEIGHT_REASON].notna()]
    named = honest[c.WEIGHT_REASON].notna().sum() + hit[c.VIEWS].sum()
    return Valued(
        contents=_measured(scores, seen, plays).join(_truth(folder, "true_content").set_index(c.CONTENT_ID)),
        target=None if bots is None else int(bots[c.CONTENT_ID].iloc[0]),
        bots=len(users),
        named_share=100 * float(named / len(honest)),
        little_evidence_share=100 * float((honest_voices[c.WEIGHT] < 0.5).mean()),
    )


def _measured(scores: pd.DataFrame, seen: pd.DataFrame, plays: pd.DataFrame) -> pd.DataFrame:
    of_content = seen.groupby(c.CONTENT_ID)
    raw = pd.DataFrame(
        {
            MEAN_SECONDS: of_content[c.WATCHED_SECONDS].mean(),
            COMPLETION_RATE: of_content[c.COMPLETION].mean(),
            VIEWS: of_content.size(),
            RAW_SECONDS: of_content[c.WATCHED_SECONDS].sum(),
        }
    )
    value = scores.set_index(c.CONTENT_ID)[[c.CONTENT_KIND, c.VALUE_LOWER_BOUND]]
    return value.rename(columns={c.VALUE_LOWER_BOUND: CONTENT_VALUE}).join([raw, plays.set_index(c.CONTENT_ID)])


def _truth(folder: Path, name: str) -> pd.DataFrame:
    return pq.ParquetFile(folder / "truth" / name / "part-00000.parquet").read().to_pandas()
