"""Labels of a day's views; features join them later, point in time."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from contracts import columns as c
from contracts.names import Action, ItemKind


def training_examples(view_values: DataFrame, actions: DataFrame, day: date) -> DataFrame:
    """One row per view of `day` that partition `day` holds: rows that come later are no examples of that day."""
    views = view_values.where(F.col(c.VIEW_DAY) == F.lit(day))
    likes = _targets(actions, Action.LIKE, c.CONTENT_ID, c.LABEL_LIKE)
    follows = _targets(actions, Action.FOLLOW, c.STREAMER_ID, c.LABEL_FOLLOW)
    return (
        views.join(likes, on=[c.USER_ID, c.CONTENT_ID], how="left")
        .join(follows, on=[c.USER_ID, c.STREAMER_ID], how="left")
        .select(
            c.USER_ID,
            c.CONTENT_ID,
            c.CONTENT_KIND,
            c.STREAMER_ID,
            F.col(c.FIRST_EVENT_TIME).alias(c.EVENT_TIME),
            F.coalesce(F.col(c.IS_CLICK), F.col(c.WATCHED_SECONDS) > 0).alias(c.LABEL_CLICK),
            F.col(c.IS_VALUED).alias(c.LABEL_VALUED),
            F.coalesce(F.col(c.LABEL_LIKE), F.lit(False)).alias(c.LABEL_LIKE),
            F.coalesce(F.col(c.LABEL_FOLLOW), F.lit(False)).alias(c.LABEL_FOLLOW),
            c.WEIGHT,
        )
    )


def _targets(actions: DataFrame, action: Action, target: str, label: str) -> DataFrame:
    """Who did this to which target, once each. A content's id is unique over kinds, a streamer's is another space."""
    is_streamer = F.col(c.TARGET_KIND) == F.lit(ItemKind.STREAMER.value)
    fits = is_streamer if target == c.STREAMER_ID else ~is_streamer
    wanted = actions.where((F.col(c.ACTION) == F.lit(action.value)) & fits)
    pairs = wanted.groupBy(c.USER_ID, F.col(c.TARGET_ID).alias(target))
    return pairs.agg(F.lit(True).alias(label))
