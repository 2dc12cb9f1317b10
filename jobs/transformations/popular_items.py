"""Recent popularity: distinct users with a valued watch, each counted once, by their latest one.

    score(item) = sum over users of  weight * 2^(-age of their latest valued watch / half-life)

A streamer's valued watches are those of all their contents, live ones included; contents count if they can be listed
(`vod`, `clip`: a live broadcast is over the next day).
"""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from contracts import columns as c
from contracts.names import ContentKind, ItemKind
from contracts.settings import PopularitySettings
from jobs.transformations.arithmetic import age_days, decay, exact_sum, with_rank

_ITEM = "item"


def popular_items(views: DataFrame, hidden: DataFrame, day: date, popularity: PopularitySettings) -> DataFrame:
    """The most popular items per kind; without `available_at`."""
    scores = item_popularity(views, hidden, day, popularity)
    ranked = with_rank(scores, [c.ITEM_KIND], F.desc(c.SCORE), F.asc(c.ITEM_ID))
    return ranked.where(F.col(c.RANK) <= popularity.list_length).select(
        c.ITEM_KIND, c.ITEM_ID, c.STREAMER_ID, c.RANK, c.SCORE, c.VIEWERS
    )


def item_popularity(
    views: DataFrame, hidden: DataFrame, day: date, popularity: PopularitySettings, groups: Sequence[str] = ()
) -> DataFrame:
    """Score and viewers of each item (within each group, if the views carry columns that group them).

    Args:
        views: Latest views of the window, partitioned by user.
        hidden: `content_id` of what may not be listed.
    """
    of_user = decay(age_days(day), popularity.half_life_days) * F.col(c.WEIGHT)
    rows = views.where(F.col(c.IS_VALUED)).select(
        *groups, c.USER_ID, F.explode(_items()).alias(_ITEM), of_user.alias(c.SCORE)
    )
    item = [F.col(_ITEM)[name].alias(name) for name in (c.ITEM_KIND, c.ITEM_ID, c.STREAMER_ID)]
    voices = (
        rows.select(*groups, c.USER_ID, *item, c.SCORE)
        .groupBy(*groups, c.USER_ID, c.ITEM_KIND, c.ITEM_ID)
        .agg(F.max(c.STREAMER_ID).alias(c.STREAMER_ID), F.max(c.SCORE).alias(c.SCORE))
    )
    counted = voices.groupBy(*groups, c.ITEM_KIND, c.ITEM_ID).agg(
        F.max(c.STREAMER_ID).alias(c.STREAMER_ID),
        exact_sum(F.col(c.SCORE)).alias(c.SCORE),
        F.count(F.lit(1)).alias(c.VIEWERS),
    )
    return without_hidden(counted, hidden)


def without_hidden(items: DataFrame, hidden: DataFrame) -> DataFrame:
    """Items that are no hidden content; a streamer whose id equals a content's is not that content."""
    contents = hidden.select(F.col(c.CONTENT_ID).alias(c.ITEM_ID), F.lit(False).alias(_ITEM))
    marked = items.withColumn(_ITEM, F.col(c.ITEM_KIND) == F.lit(ItemKind.STREAMER.value))
    return marked.join(contents, on=[c.ITEM_ID, _ITEM], how="left_anti").drop(_ITEM)


def _items() -> Column:
    """The items one view speaks for: its streamer, and its content where that can be listed."""
    streamer = _item(F.lit(ItemKind.STREAMER.value), F.col(c.STREAMER_ID))
    content = _item(F.col(c.CONTENT_KIND), F.col(c.CONTENT_ID))
    is_live = F.col(c.CONTENT_KIND) == F.lit(ContentKind.LIVE.value)
    return F.when(is_live, F.array(streamer)).otherwise(F.array(streamer, content))


def _item(kind: Column, identity: Column) -> Column:
    return F.struct(kind.alias(c.ITEM_KIND), identity.alias(c.ITEM_ID), F.col(c.STREAMER_ID).alias(c.STREAMER_ID))
