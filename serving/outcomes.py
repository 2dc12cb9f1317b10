"""Judging impressions: which were a success, which a failure, and which nobody looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from contracts import columns as c
from evaluation.attribution import attributed
from serving.impressions import arm_set_from_json, chosen_arm


@dataclass(frozen=True)
class Judged:
    """Examined impressions, N of them.

    Args:
        surfaces: (N,) object.
        segments: (N,) object.
        arms: (N,) object.
        parents: (N,) object, each arm's chain of parents as a tuple.
        is_success: (N,)
        times: (N,) when they were served, unix seconds.
    """

    surfaces: npt.NDArray[np.object_]
    segments: npt.NDArray[np.object_]
    arms: npt.NDArray[np.object_]
    parents: npt.NDArray[np.object_]
    is_success: npt.NDArray[np.bool_]
    times: npt.NDArray[np.float64]

    @property
    def context(self) -> tuple[str, str]:
        """Surface and segment, where all rows share them."""
        return str(self.surfaces[0]), str(self.segments[0])

    def by_context(self) -> Iterator["Judged"]:
        """One part per surface and segment, in a fixed order."""
        for surface, segment in sorted(set(zip(self.surfaces.tolist(), self.segments.tolist(), strict=True))):
            rows = (self.surfaces == surface) & (self.segments == segment)
            yield Judged(*(getattr(self, field.name)[rows] for field in fields(self)))


def judge(impressions: pa.Table, views: Sequence[pa.Table], window: timedelta) -> Judged:
    """Outcomes of the impressions of known users, by `evaluation.attribution`.

    Success: a valued watch.
    Examined: at or above the slate's last position that was a success or a chosen play; what is below counts for
    nothing (first form: biased towards slates that were used at all).

    Args:
        impressions: Rows of `impression_v1`.
        views: Partitions of `view_value_v1`, oldest first.
    """
    rows = attributed(impressions, views, window)
    was_used = rows[c.IS_VALUED] | rows[c.IS_CLICK]
    depth = rows[c.POSITION].where(was_used, 0).groupby(rows[c.REQUEST_ID]).transform("max")
    return _to_judged(rows[rows[c.POSITION] <= depth])


def _to_judged(rows: pd.DataFrame) -> Judged:
    arms, parents = _arms(rows)
    times = (rows[c.SERVED_AT] - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    return Judged(
        rows[c.SURFACE].to_numpy(object),
        rows[c.SEGMENT].to_numpy(object),
        arms,
        parents,
        rows[c.IS_VALUED].to_numpy(bool),
        np.asarray(times, np.float64),
    )


def _arms(rows: pd.DataFrame) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """The arm that won each position, and its parents."""
    arms, parents = np.empty(len(rows), object), np.empty(len(rows), object)
    sets = {text: arm_set_from_json(text) for text in rows[c.ARM_SET].unique()}
    logged = rows[[c.ARM_SET, c.SOURCE, c.ITEM_KIND, c.ITEM_ID, c.STREAMER_ID]].to_dict("records")
    for place, row in enumerate(logged):
        arm_set = sets[row[c.ARM_SET]]
        arm = chosen_arm(arm_set, row)
        arms[place], parents[place] = arm_set.arms[arm], arm_set.chain(arm)
    return arms, parents
