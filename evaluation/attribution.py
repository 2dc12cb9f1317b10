"""What an impression led to: one rule for whatever learns from impressions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contracts import columns as c

IS_PLAYED: Final = "is_played"
_ROW: Final = "index"
_SEEN: Final = [c.USER_ID, c.CONTENT_ID, c.VIEW_DAY, c.FIRST_EVENT_TIME, c.LAST_EVENT_TIME]
_SAID: Final = [c.WATCHED_SECONDS, c.IS_VALUED, c.IS_CLICK]


def attributed(impressions: pa.Table, views: Sequence[pa.Table], window: timedelta) -> pd.DataFrame:
    """The impressions of known users, with what their user did with their item.

    A view of the item by the user counts when its first or last row falls in the window after serving.

    Args:
        impressions: Rows of `impression_v1`.
        views: Partitions of `view_value_v1`, oldest first; of a view in several, the last one holds.

    Returns:
        The impressions' columns, and three that are never null: `is_played`, any second was watched; `is_valued`, a
        valued watch; `is_click`, a chosen play.
    """
    shown = impressions.filter(pc.is_valid(impressions.column(c.USER_ID))).to_pandas()
    met = shown[[c.USER_ID, c.ITEM_ID, c.SERVED_AT]].reset_index(names=_ROW)
    met = met.merge(_latest_views(views), how="inner", on=[c.USER_ID, c.ITEM_ID], validate="many_to_many")
    end = met[c.SERVED_AT] + window
    reached = met[c.FIRST_EVENT_TIME].between(met[c.SERVED_AT], end) | met[c.LAST_EVENT_TIME].between(
        met[c.SERVED_AT], end
    )
    # An item watched on two days has two views: the impression is one all the same.
    done = met[reached].groupby(_ROW)[[IS_PLAYED, c.IS_VALUED, c.IS_CLICK]].any()
    return shown.join(done.reindex(shown.index, fill_value=False))


def with_closed_window(impressions: pa.Table, until: datetime, window: timedelta) -> pa.Table:
    """The impressions whose window has closed by `until`: views that end there cannot judge the others."""
    served = impressions.column(c.SERVED_AT)
    return impressions.filter(pc.less_equal(served, pa.scalar(until - window, served.type)))


def _latest_views(views: Sequence[pa.Table]) -> pd.DataFrame:
    frame = pa.concat_tables([table.select([*_SEEN, *_SAID]) for table in views]).to_pandas()
    latest = frame.drop_duplicates([c.USER_ID, c.CONTENT_ID, c.VIEW_DAY], keep="last")
    flags = {IS_PLAYED: latest[c.WATCHED_SECONDS] > 0, c.IS_CLICK: latest[c.IS_CLICK].eq(True)}
    kept = [c.USER_ID, c.CONTENT_ID, c.FIRST_EVENT_TIME, c.LAST_EVENT_TIME, IS_PLAYED, c.IS_VALUED, c.IS_CLICK]
    return latest.assign(**flags)[kept].rename(columns={c.CONTENT_ID: c.ITEM_ID})
