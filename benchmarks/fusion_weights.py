"""How other weights, methods and orders of fusion would have fared on a day that is over.

    STREAMREC_HOME=... python -m benchmarks.fusion_weights --date 2026-03-09 --surface home_clips

Needs the day's sources and the next day's values, such as a demo's. Fuses the sources of the users who judge again for
every setting of a grid, first of weights and methods, then of orders on the best of these, and judges each like
`jobs next_day_metrics` in mode `new`. Prints one JSON object, best first. Settings are chosen on platforms and days of
which no number is reported.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts import columns as c
from contracts.names import FusionMethod, Source, Surface
from contracts.settings import CandidateSettings, Settings, SurfaceSources, load_settings
from contracts.snapshots import Warehouse
from contracts.tables import VIEW_VALUE
from evaluation.report import HitRows, score_lists
from jobs.commands.candidate_lists import everybody, user_inputs
from jobs.commands.judged_rows import JUDGED_SURFACES, DaySnapshots, JudgedSurface, met_before
from jobs.session import open_session
from jobs.tables import Tables
from jobs.transformations import judged_lists as j
from jobs.transformations.candidate_lists import fused_lists, source_rows
from jobs.transformations.fused_lists import Everybody

_K: Final = 20
_SEED: Final = 20
_SHOWN: Final = 10
_WEIGHTS: Final = (0.0, 0.1, 0.25, 0.5, 1.0)
_LIFTS: Final = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
_OTHERS: Final = {
    Surface.HOME_CLIPS: (Source.PREFERRED, Source.POPULAR),
    Surface.HOME_LIVE: (Source.PREFERRED, Source.POPULAR, Source.LIVE_NEIGHBORS),
}


@dataclass(frozen=True)
class Judge:
    """The day's sources, and what the next day says of them."""

    surface: Surface
    length: int
    rank_offset: float
    rows: pa.Table
    everybody: Everybody
    relevant: pa.Table
    exposed: j.Pairs

    def ndcg(self, sources: SurfaceSources) -> dict[str, float]:
        """Mean over users of NDCG@20 with its 95 % interval."""
        chosen = CandidateSettings(rank_offset=self.rank_offset, surfaces={self.surface: sources})
        lists = pa.concat_tables(fused_lists(self.everybody, chosen, has_model=True)(self.rows))
        rank = lists.column(c.RANK).cast(pa.float64())
        ranked = pa.table({c.USER_ID: lists.column(c.USER_ID), c.ITEM_ID: lists.column(c.ITEM_ID), c.RANK: rank})
        hits = j.hit_places(j.ranked_places(ranked, self.exposed), self.relevant, _K)
        kept = hits.filter(pc.and_(pc.invert(hits.column(j.IS_EXPOSED)), pc.is_valid(hits.column(j.RANK_NEW))))
        found = HitRows(kept.column(c.USER_ID).to_numpy(), kept.column(j.RANK_NEW).to_numpy().astype(np.int64))
        users = self.relevant.filter(pc.invert(self.relevant.column(j.IS_EXPOSED))).column(c.USER_ID).to_numpy()
        mean = score_lists({"lists": found}, users, _K, np.random.default_rng(_SEED))["lists"]["ndcg"]
        return {"ndcg_at_20": round(mean.mean, 5), "low": round(mean.low, 5), "high": round(mean.high, 5)}


def judge_of(tables: Tables, settings: Settings, day: date, surface: Surface) -> Judge:
    """Read all that the trials share.

    Raises:
        MissingPartitionError: a source of the day, or the values of the next one, are not there.
    """
    (judged,) = (found for found in JUDGED_SURFACES if found.surface == surface)
    every_source = dict.fromkeys((Source.TWO_TOWER, *_OTHERS[surface]), 1.0)
    candidates = settings.candidates.model_copy(update={"surfaces": {surface: SurfaceSources(weights=every_source)}})
    settings = settings.model_copy(update={"candidates": candidates})
    snapshots = DaySnapshots(tables, day)
    watched = _watched(snapshots, judged, day + timedelta(days=1))
    users = pc.unique(watched.column(c.USER_ID))
    exposed, known = met_before(snapshots, judged, pc.field(c.USER_ID).isin(users))
    rows = source_rows(user_inputs(tables, day, settings)).toArrow()
    return Judge(
        surface,
        settings.candidates.surfaces[surface].length,
        candidates.rank_offset,
        rows.filter(pc.is_in(rows.column(c.USER_ID), users)),
        everybody(tables, day, settings),
        j.relevant_items(watched, exposed, known),
        exposed,
    )


def _watched(snapshots: DaySnapshots, judged: JudgedSurface, day: date) -> pa.Table:
    of_kind = pc.field(c.CONTENT_KIND).isin([kind.value for kind in judged.watched_kinds])
    valued = (pc.field(c.VIEW_DAY) == day) & pc.field(c.IS_VALUED) & of_kind
    names = (c.USER_ID, c.CONTENT_ID, c.STREAMER_ID)
    rows = snapshots.read([snapshots.require(VIEW_VALUE, day)], VIEW_VALUE, names, valued)
    ids = {name: rows.column(name) for name in (c.USER_ID, c.STREAMER_ID)}
    return pa.table({**ids, c.ITEM_ID: rows.column(judged.item)})


def fusions(judge: Judge) -> Iterator[SurfaceSources]:
    """The model with weight 1, the others with less or as much, by every method."""
    others = _OTHERS[judge.surface]
    for method, *weights in product(FusionMethod, *(_WEIGHTS for _ in others)):
        used = {source: weight for source, weight in zip(others, weights, strict=True) if weight}
        yield SurfaceSources(weights={Source.TWO_TOWER: 1.0, **used}, length=judge.length, fusion=method)


def orders(best: SurfaceSources) -> Iterator[SurfaceSources]:
    """The same fusion with preferred streamers and fresh contents lifted."""
    for preference, freshness in product(_LIFTS, _LIFTS):
        yield best.model_copy(update={"preference_weight": preference, "freshness_weight": freshness})


def run(judge: Judge) -> dict[str, Any]:
    """The best settings of both steps."""
    fused = _best(judge, fusions(judge))
    ordered = _best(judge, orders(SurfaceSources.model_validate(fused[0]["settings"])))
    alone = SurfaceSources(weights={Source.TWO_TOWER: 1.0}, length=judge.length)
    return {"model_alone": judge.ndcg(alone), "fusion": fused[:_SHOWN], "order": ordered[:_SHOWN]}


def _best(judge: Judge, trials: Iterator[SurfaceSources]) -> list[dict[str, Any]]:
    found = [{**judge.ndcg(trial), "settings": trial.model_dump(mode="json")} for trial in trials]
    return sorted(found, key=lambda result: -result["ndcg_at_20"])


def main() -> None:
    """Judge the grid, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--date", type=date.fromisoformat, required=True)
    parser.add_argument("--surface", type=Surface, choices=list(_OTHERS), required=True)
    arguments = parser.parse_args()
    settings = load_settings()
    tables = Tables(open_session(settings), Warehouse(settings.warehouse_path), datetime.now(UTC))
    result = run(judge_of(tables, settings, arguments.date, arguments.surface))
    command = " ".join(["python -m benchmarks.fusion_weights", *sys.argv[1:]])
    json.dump({"command": command, "measured_on": datetime.now(UTC).date().isoformat(), **result}, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
