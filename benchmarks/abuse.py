"""How far attackers move a content's value, whom the rules hit, and how well the value tells true quality.

    python -m benchmarks.abuse [--seeds 11] [--honest-seeds 11 12] [--shares 0.001 0.01 0.05]
        [--configs small loyal_less sparse unseen]

Generates every world of the given configurations and seeds, honest and with each attack at each size, values its views
with the Spark transformations of `jobs`, and prints one JSON object. The settings were tuned on seeds 1 to 4 of `small`
and `loyal_less` and on seed 1 of `sparse`; `unseen` was never looked at while tuning.

- rise: percentile points by which the target, a VOD of median rank by watched seconds, rises among the VODs of the
  window because of the attack: by content value, by raw seconds, and by raw plays (rows of the watch log). The attack
  is on the last day, whose evening the ranking is of.
- named_share: honest views of the window that count less by a rule with a name, on their own or with the voice of
  their user, in percent of the honest views.
- little_evidence_share: honest voices (user and content) that count below one half, for whatever reason, in percent.
- correlation: Spearman's, with true quality, over the contents of a kind in the honest worlds; the mean over worlds,
  with percentile bootstrap intervals (95 %) over contents, and the same of the differences to the content value.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.sql import SparkSession
from scipy.stats import rankdata

from benchmarks.valued_worlds import (
    COMPLETION_RATE,
    CONFIGS,
    CONTENT_VALUE,
    MEAN_SECONDS,
    RAW_PLAYS,
    RAW_SECONDS,
    VIEWS,
    Valued,
    valued,
)
from contracts import columns as c
from contracts.names import ContentKind
from contracts.settings import Settings
from jobs.session import open_session
from world.config import AttackKind, WorldConfig

_KINDS: Final = (ContentKind.VOD, ContentKind.CLIP)
_RESAMPLES: Final = 300
MEASURES: Final = (CONTENT_VALUE, MEAN_SECONDS, COMPLETION_RATE, VIEWS)
RANKINGS: Final = (CONTENT_VALUE, RAW_SECONDS, RAW_PLAYS)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """An honest world by its configuration and seed."""

    config: str
    seed: int
    honest: Valued


def rise(honest: Valued, attacked: Valued, ranking: str) -> float:
    """Percentile points by which the attack lifts its target among the VODs, by one ranking."""
    if attacked.target is None:
        raise ValueError("nobody attacks this world")
    before, after = (_percentile(world.contents, attacked.target, ranking) for world in (honest, attacked))
    return after - before


def correlations(worlds: Sequence[Valued], kind: str, rng: np.random.Generator) -> dict[str, Any]:
    """Mean over worlds of each measure's rank correlation with quality, and how far the content value is above it."""
    frames = [world.contents[world.contents[c.CONTENT_KIND] == kind] for world in worlds]
    values = [frame[[*MEASURES, c.QUALITY]].to_numpy(dtype=np.float64) for frame in frames]
    found = np.mean([_spearman(rows) for rows in values], axis=0)
    resampled = np.array(
        [np.mean([_spearman(_redrawn(rows, rng)) for rows in values], axis=0) for _ in range(_RESAMPLES)]
    )
    return {
        "worlds": len(values),
        "contents": sum(len(rows) for rows in values),
        "spearman": {name: _interval(found[i], resampled[:, i]) for i, name in enumerate(MEASURES)},
        "content_value_above": {
            name: _interval(found[0] - found[i], resampled[:, 0] - resampled[:, i])
            for i, name in enumerate(MEASURES)
            if i > 0
        },
    }


def _percentile(contents: pd.DataFrame, target: int, ranking: str) -> float:
    """Percent of the other VODs that rank below; ties count half."""
    vods = contents[contents[c.CONTENT_KIND] == ContentKind.VOD.value][ranking]
    own = vods[vods.index == target].iloc[0]
    below, equal = (vods < own).sum(), (vods == own).sum() - 1
    return 100 * float(below + equal / 2) / (len(vods) - 1)


def _spearman(rows: Floats) -> Floats:
    """Of every column with the last."""
    ranks = np.stack([rankdata(column) for column in rows.T])
    return np.asarray(np.corrcoef(ranks)[:-1, -1])


def _redrawn(rows: Floats, rng: np.random.Generator) -> Floats:
    return rows[rng.integers(0, len(rows), len(rows))]


def _interval(found: float, resampled: Floats) -> dict[str, float]:
    low, high = np.quantile(resampled, [0.025, 0.975])
    return {"mean": round(float(found), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def attacks(
    spark: SparkSession, honest: Valued, config: WorldConfig, shares: Sequence[float], settings: Settings
) -> Iterable[dict[str, Any]]:
    """A row per attack and size."""
    for kind, share in ((kind, share) for kind in AttackKind for share in shares):
        attack = {"kind": kind, "share": share, "day": config.days}
        attacked = valued(spark, WorldConfig.model_validate({**config.model_dump(), "attack": attack}), settings)
        yield {
            "attack": kind.value,
            "share": share,
            "bots": attacked.bots,
            **{ranking: round(rise(honest, attacked, ranking), 2) for ranking in RANKINGS},
            "named_share": round(attacked.named_share, 4),
        }


def table(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Mean and largest rise per attack and size over the worlds."""
    summed = pd.DataFrame(rows).groupby(["attack", "share"], sort=False)
    found = []
    for (attack, share), part in summed:
        rises = {
            ranking: {"mean": round(part[ranking].mean(), 2), "largest": round(part[ranking].max(), 2)}
            for ranking in RANKINGS
        }
        found.append(
            {
                "attack": attack,
                "share": share,
                "worlds": len(part),
                "rise": rises,
                "largest_named_share": round(part["named_share"].max(), 4),
            }
        )
    return found


def honest_shares(worlds: Sequence[World]) -> list[dict[str, Any]]:
    """Whom the rules hit where nobody cheats."""
    return [
        {
            "config": world.config,
            "seed": world.seed,
            "named_share": round(world.honest.named_share, 4),
            "little_evidence_share": round(world.honest.little_evidence_share, 2),
        }
        for world in worlds
    ]


def measure(arguments: argparse.Namespace, settings: Settings) -> tuple[list[World], list[dict[str, Any]]]:
    """Every world, honest and attacked, in one Spark session."""
    started = time.perf_counter()
    spark = open_session(settings)
    worlds, rows = [], []
    for name, seed in ((name, seed) for seed in arguments.honest_seeds for name in arguments.configs):
        config = WorldConfig.model_validate({**CONFIGS[name], "seed": seed})
        honest = valued(spark, config, settings)
        worlds.append(World(name, seed, honest))
        if seed in arguments.seeds:
            found = attacks(spark, honest, config, arguments.shares, settings)
            rows += [{"config": name, "seed": seed, **row} for row in found]
        sys.stderr.write(f"{name} {seed}: {time.perf_counter() - started:.0f} s\n")
    spark.stop()
    return worlds, rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11], help="Those of them that are attacked.")
    parser.add_argument("--honest-seeds", type=int, nargs="+", default=[11, 12], help="Of every configuration.")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.001, 0.01, 0.05], help="Bots per active user.")
    parser.add_argument("--configs", nargs="+", choices=CONFIGS, default=list(CONFIGS))
    parser.add_argument("--home", type=Path, default=Path("var/benchmarks"), help="Of the session's metastore.")
    arguments = parser.parse_args()
    settings, rng = Settings(home=arguments.home), np.random.default_rng(1)
    worlds, rows = measure(arguments, settings)
    honest = [world.honest for world in worlds]
    report = {
        "protocol": " ".join((__doc__ or "").split()),
        "seeds": arguments.seeds,
        "honest_seeds": arguments.honest_seeds,
        "configs": {name: CONFIGS[name] for name in arguments.configs},
        "valuation": settings.valuation.model_dump(),
        "table": table(rows),
        "honest_worlds": honest_shares(worlds),
        "correlation": {kind.value: correlations(honest, kind.value, rng) for kind in _KINDS},
        "rises": rows,
    }
    json.dump(report, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
