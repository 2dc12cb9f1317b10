"""Labels of a day's views; features join them later, point in time."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import Action, ItemKind
from jobs.transformations.as_of import AS_OF


def training_examples(view_values: DataFrame, actions: DataFrame) -> DataFrame:
    """One row per view of `as_of` that its own partition holds: rows that come later are no examples of that day.

    Args:
        view_values: Rows of the partition of `as_of`.
        actions: Likewise.
    """
    views = view_values.where(f.col(c.VIEW_DAY) == f.col(AS_OF))
    likes = _targets(actions, Action.LIKE, c.CONTENT_ID, c.LABEL_LIKE)
    follows = _targets(actions, Action.FOLLOW, c.STREAMER_ID, c.LABEL_FOLLOW)
    return (
        views.join(likes, on=[c.USER_ID, c.CONTENT_ID, AS_OF], how="left")
        .join(follows, on=[c.USER_ID, c.STREAMER_ID, AS_OF], how="left")
        .select(
            AS_OF,
            c.USER_ID,
            c.CONTENT_ID,
            c.CONTENT_KIND,
            c.STREAMER_ID,
            f.col(c.FIRST_EVENT_TIME).alias(c.EVENT_TIME),
            f.coalesce(f.col(c.IS_CLICK), f.col(c.WATCHED_SECONDS) > 0).alias(c.LABEL_CLICK),
            f.col(c.IS_VALUED).alias(c.LABEL_VALUED),
            f.coalesce(f.col(c.LABEL_LIKE), f.lit(False)).alias(c.LABEL_LIKE),
            f.coalesce(f.col(c.LABEL_FOLLOW), f.lit(False)).alias(c.LABEL_FOLLOW),
            c.WEIGHT,
        )
    )


def _targets(actions: DataFrame, action: Action, target: str, label: str) -> DataFrame:
    """Who did this to which target, once each. A content's id is unique over kinds, a streamer's is another space."""
    is_streamer = f.col(c.TARGET_KIND) == f.lit(ItemKind.STREAMER.value)
    fits = is_streamer if target == c.STREAMER_ID else ~is_streamer
    wanted = actions.where((f.col(c.ACTION) == f.lit(action.value)) & fits)
    pairs = wanted.groupBy(AS_OF, c.USER_ID, f.col(c.TARGET_ID).alias(target))
    return pairs.agg(f.lit(True).alias(label))
