"""Judging impressions: which were a success, which a failure, and which nobody looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contracts import columns as c

_WON = "won"
_TOUCHED = "touched"


@dataclass(frozen=True)
class Judged:
    """Examined impressions, N of them.

    Args:
        surfaces: (N,) object.
        segments: (N,) object.
        arms: (N,) object.
        is_success: (N,)
        times: (N,) when they were served, unix seconds.
    """

    surfaces: npt.NDArray[np.object_]
    segments: npt.NDArray[np.object_]
    arms: npt.NDArray[np.object_]
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
            yield Judged(
                self.surfaces[rows], self.segments[rows], self.arms[rows], self.is_success[rows], self.times[rows]
            )


def judge(impressions: pa.Table, views: Sequence[pa.Table], window: timedelta) -> Judged:
    """Outcomes of the impressions of known users.

    Success: a valued watch of the item by the user whose first or last row falls in the window after serving.
    Examined: at or above the slate's last position that was a success or a chosen play; what is below counts for
    nothing (first form: biased towards slates that were used at all).

    Args:
        impressions: Rows of `impression_v1`.
        views: Partitions of `view_value_v1`, oldest first; of a view in several, the last one holds.
    """
    shown = impressions.filter(pc.is_valid(impressions.column(c.USER_ID))).to_pandas()
    frame = shown.merge(_latest_views(views), how="left", on=[c.USER_ID, c.ITEM_ID], validate="many_to_many")
    end = frame[c.SERVED_AT] + window
    reached = frame[c.FIRST_EVENT_TIME].between(frame[c.SERVED_AT], end) | frame[c.LAST_EVENT_TIME].between(
        frame[c.SERVED_AT], end
    )
    frame[_WON] = reached & frame[c.IS_VALUED].eq(True)
    frame[_TOUCHED] = reached & (frame[c.IS_VALUED].eq(True) | frame[c.IS_CLICK].eq(True))
    # An item watched on two days has two views: the impression is one outcome all the same.
    keys = [c.REQUEST_ID, c.POSITION]
    rows = frame.groupby([*keys, c.SURFACE, c.SEGMENT, c.SOURCE, c.SERVED_AT], as_index=False)[[_WON, _TOUCHED]].any()
    depth = rows[c.POSITION].where(rows[_TOUCHED], 0).groupby(rows[c.REQUEST_ID]).transform("max")
    return _to_judged(rows[rows[c.POSITION] <= depth])


def _latest_views(views: Sequence[pa.Table]) -> pd.DataFrame:
    wanted = [c.USER_ID, c.CONTENT_ID, c.VIEW_DAY, c.FIRST_EVENT_TIME, c.LAST_EVENT_TIME, c.IS_VALUED, c.IS_CLICK]
    frame = pa.concat_tables([table.select(wanted) for table in views]).to_pandas()
    latest = frame.drop_duplicates([c.USER_ID, c.CONTENT_ID, c.VIEW_DAY], keep="last")
    return latest.drop(columns=c.VIEW_DAY).rename(columns={c.CONTENT_ID: c.ITEM_ID})


def _to_judged(rows: pd.DataFrame) -> Judged:
    times = (rows[c.SERVED_AT] - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    return Judged(
        rows[c.SURFACE].to_numpy(object),
        rows[c.SEGMENT].to_numpy(object),
        rows[c.SOURCE].to_numpy(object),
        rows[_WON].to_numpy(bool),
        np.asarray(times, np.float64),
    )
