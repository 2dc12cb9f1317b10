"""What each kind of exploration led to: plays, valued watches, and how long the plays went on.

The plays of a user on a day are their views with any seconds, in the order in which they began. After a play,

    streamer run = the next plays that are of the same streamer, before one of another: did the user stay with them
    session run  = the next plays of anything, each begun within the attribution window after the one before it ended:
                   did the user go on watching, which is what exploration in an endless feed is for

Both leave out the play itself; a kind's figure is the mean over its impressions that were played. A view is known to
have lasted until its last row began, or for its seconds from its start, whichever is later.
"""

from datetime import timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from contracts import columns as c
from contracts.tables import EXPLORATION_REPORT
from evaluation.attribution import IS_PLAYED, attributed
from evaluation.intervals import rate_over_users

NOT_EXPLORED: Final = "none"
_KIND: Final = [c.SURFACE, c.EXPLORATION_KIND]
_RUNS: Final = [c.STREAMER_RUN, c.SESSION_RUN]
_COUNTS: Final = [c.IMPRESSIONS, c.PLAYS, c.VALUED_VIEWS, *_RUNS]


def outcomes_by_user(impressions: pa.Table, views: pa.Table, window: timedelta) -> pd.DataFrame:
    """Counts, and sums of the runs, per user, surface and kind of exploration.

    Args:
        impressions: Rows of `impression_v1` whose window has closed.
        views: The day's views of the same users: rows of `view_value_v1`.
    """
    shown = attributed(impressions, [views], window).merge(
        _runs(views, window), how="left", on=[c.USER_ID, c.ITEM_ID], validate="many_to_one"
    )
    counted = pd.DataFrame(
        {
            c.IMPRESSIONS: shown[IS_PLAYED].notna(),
            c.PLAYS: shown[IS_PLAYED],
            c.VALUED_VIEWS: shown[c.IS_VALUED],
            **{run: shown[run].where(shown[IS_PLAYED], 0) for run in _RUNS},
        }
    ).astype(int)
    kinds = shown[[c.USER_ID, c.SURFACE]].assign(**{c.EXPLORATION_KIND: shown[c.EXPLORATION_KIND].fillna(NOT_EXPLORED)})
    rows = kinds.join(counted)
    return rows.groupby([*_KIND, c.USER_ID], as_index=False)[_COUNTS].sum()


def exploration_report(outcomes: pd.DataFrame) -> pa.Table:
    """Rows of `exploration_report_v1` out of `outcomes_by_user`."""
    rows = [{**dict(zip(_KIND, kind, strict=True)), **_summary(of_kind)} for kind, of_kind in outcomes.groupby(_KIND)]
    return pa.Table.from_pylist(rows, EXPLORATION_REPORT.schema)


def _summary(of_kind: pd.DataFrame) -> dict[str, float | None]:
    totals = of_kind[_COUNTS].sum()
    rate = rate_over_users(of_kind[c.VALUED_VIEWS].to_numpy(), of_kind[c.IMPRESSIONS].to_numpy())
    plays = int(totals[c.PLAYS])
    return {
        c.USERS: len(of_kind),
        **{name: int(totals[name]) for name in (c.IMPRESSIONS, c.PLAYS, c.VALUED_VIEWS)},
        c.VALUED_RATE: rate.mean,
        c.LOWER_BOUND: rate.low,
        c.UPPER_BOUND: rate.high,
        **{run: float(totals[run] / plays) if plays else None for run in _RUNS},
    }


def _runs(views: pa.Table, pause: timedelta) -> pd.DataFrame:
    """Of every play, how many follow: `user_id`, `item_id` and the two runs."""
    order = [c.USER_ID, c.FIRST_EVENT_TIME, c.CONTENT_ID]
    names = [*order, c.STREAMER_ID, c.LAST_EVENT_TIME, c.WATCHED_SECONDS]
    plays = views.select(names).to_pandas().query(f"{c.WATCHED_SECONDS} > 0").sort_values(order)
    lasted = plays[c.FIRST_EVENT_TIME] + pd.to_timedelta(plays[c.WATCHED_SECONDS], unit="s")
    ended = lasted.where(lasted > plays[c.LAST_EVENT_TIME], plays[c.LAST_EVENT_TIME])
    is_users = plays[c.USER_ID].eq(plays[c.USER_ID].shift(-1))
    is_streamers = is_users & plays[c.STREAMER_ID].eq(plays[c.STREAMER_ID].shift(-1))
    goes_on = is_users & (plays[c.FIRST_EVENT_TIME].shift(-1) - ended <= pause)
    runs = {c.STREAMER_RUN: _following(is_streamers.to_numpy()), c.SESSION_RUN: _following(goes_on.to_numpy())}
    return plays[[c.USER_ID, c.CONTENT_ID]].rename(columns={c.CONTENT_ID: c.ITEM_ID}).assign(**runs)


def _following(goes_on: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Of every row, how many follow until one whose `goes_on` is false, that one included."""
    last = np.flatnonzero(~goes_on)
    rows = np.arange(len(goes_on))
    return last[np.searchsorted(last, rows)] - rows
