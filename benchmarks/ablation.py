"""What each part of the two-tower model is worth: KuaiRand's next day with one thing changed at a time.

    python -m benchmarks.ablation --log DIR [--days 2022-04-27,2022-04-28] [--seeds 2] [--only NAME NAME]

Each variant is trained like `python -m models next_day`'s towers but for its change, and judged in mode new, alone and
with recent popularity beside, at the best of four weights. The days are those that settings are chosen on, not those
that are reported. What availability and the repeat score are worth is in `benchmarks.live_protocol`: KuaiRand has
nobody live.

Prints one JSON object: means over days and seeds, and the difference from the model as it is in percent of NDCG.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from models.linear.interactions import Ids
from models.protocols.kuairand import Known, KuaiRand, read_kuairand
from models.protocols.next_day import NEW, SETTINGS, TOWERS_WEIGHT, Day, training_data
from models.protocols.ranking import NDCG, RECALL, blend, judge
from models.protocols.towers import two_tower
from models.two_tower.train import use_owned_cores

AS_IS: Final = "as it is"
HARD: Final = "hard_negative_weight"
POPULARITY_WEIGHTS: Final = (0.2, 0.4, 0.6, 0.8)
"""Of which each variant gets its best: one that has learnt popularity wants less of it beside."""
VARIANTS: Final[Mapping[str, Mapping[str, Any]]] = {
    AS_IS: {},
    "logQ": {"log_q": "counts"},
    "logQ from the stream of batches": {"log_q": "streaming"},
    "logQ and 1,024 uniform negatives": {"log_q": "counts", "uniform_negatives": 1_024},
    "1,024 uniform negatives": {"uniform_negatives": 1_024},
    "4,096 uniform negatives": {"uniform_negatives": 4_096},
    "temperature 0.07": {"temperature": 0.07},
    "temperature 0.3": {"temperature": 0.3},
    "temperature learnt from 0.14": {"learns_temperature": True},
    "no history, the id alone": {"history_weight": 0.0, "id_weight": 1.0},
    "history of 10": {"history_length": 10},
    "attention over the history": {"pooling": "attention"},
    "no id": {"id_weight": 0.0},
    "plain exposures ignored": {"earlier_plain_weight": 0.0},
    "plain exposures as hard negatives of weight 3": {"earlier_plain_weight": 0.0, HARD: 3.0},
    "two passes": {"epochs": 2},
}


def shown_beside(known: Known) -> Ids:
    """The video that each known pair's user was shown next before it and did not watch long, -1 for none, [P]."""
    place = np.where(known.is_long, len(known.user), np.arange(len(known.user)))
    nearest = np.minimum.accumulate(place[::-1])[::-1]
    found = nearest.clip(max=len(known.user) - 1)
    is_own = (nearest < len(known.user)) & (known.user[found] == known.user)
    return np.where(is_own, known.item[found], -1)


def judged(log: KuaiRand, day: Day, changes: Mapping[str, Any], seed: int) -> dict[str, dict[str, float]]:
    """Figures of one model, alone and with recent popularity."""
    settings = SETTINGS.model_copy(update={**changes, "seed": seed})
    data = training_data(log, day.known, settings)
    if HARD in changes:
        data = replace(data, skipped=torch.from_numpy(shown_beside(day.known)))
    towers = two_tower(data, settings, categories=int(log.category.max()) + 2)
    beside = {
        f"popular {weight}": blend([(towers, TOWERS_WEIGHT), (day.popular(), weight)]) for weight in POPULARITY_WEIGHTS
    }
    return {name: judge(scores, day.tasks[NEW]) for name, scores in {"alone": towers, **beside}.items()}


def overall(runs: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, float]:
    """Means over runs, alone and with the best of the weights of popularity."""
    means = {
        way: {metric: statistics.fmean(run[way][metric] for run in runs) for metric in (RECALL, NDCG)}
        for way in runs[0]
    }
    best = max(POPULARITY_WEIGHTS, key=lambda weight: means[f"popular {weight}"][NDCG])
    ways = {"alone": means["alone"], "popular": means[f"popular {best}"]}
    figures = {f"{way}_{metric}": round(value, 5) for way, found in ways.items() for metric, value in found.items()}
    return {**figures, "popularity_weight": best}


def main() -> None:
    """Train every variant, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--days", default="2022-04-27,2022-04-28")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", nargs="*", choices=VARIANTS, default=list(VARIANTS), help="Names of variants.")
    arguments = parser.parse_args()
    use_owned_cores()
    started = time.perf_counter()
    log = read_kuairand(arguments.log)
    days = [Day.of(log, date.fromisoformat(text)) for text in arguments.days.split(",")]
    found: dict[str, dict[str, float]] = {}
    names = [AS_IS, *(name for name in arguments.only if name != AS_IS)]
    for name in names:
        runs = [judged(log, day, VARIANTS[name], seed) for day in days for seed in range(arguments.seeds)]
        found[name] = overall(runs)
        sys.stderr.write(f"{name}: {found[name]}\n")
    base = found[AS_IS]
    for figures in found.values():
        figures |= {
            f"{way}_percent": round(100 * (figures[f"{way}_{NDCG}"] / base[f"{way}_{NDCG}"] - 1), 1)
            for way in ("alone", "popular")
        }
    result = {
        "command": " ".join(["python -m benchmarks.ablation", *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"cores": len(os.sched_getaffinity(0)), "torch": torch.__version__},
        "variants": found,
        "settings": SETTINGS.model_dump(exclude={"seed"}),
        "seconds": round(time.perf_counter() - started, 1),
    }
    json.dump(result, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
