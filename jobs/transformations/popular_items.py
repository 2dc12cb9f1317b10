"""Recent popularity: distinct users with a valued watch, each counted once, by their latest one.

    score(item) = sum over users of  weight * 2^(-age of their latest valued watch / half-life)

A streamer's valued watches are those of all their contents, live ones included; contents count if they can be listed
(`vod`, `clip`: a live broadcast is over the next day).
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import ContentKind, ItemKind, Visibility
from contracts.settings import PopularitySettings
from jobs.transformations.arithmetic import age_days, decay, exact_sum, with_rank
from jobs.transformations.as_of import AS_OF

_ITEM = "item"


def popular_items(views: DataFrame, hidden: DataFrame, popularity: PopularitySettings) -> DataFrame:
    """The most popular items per kind; without `available_at`."""
    scores = item_popularity(views, hidden, popularity)
    ranked = with_rank(scores, [AS_OF, c.ITEM_KIND], f.desc(c.SCORE), f.asc(c.ITEM_ID))
    return ranked.where(f.col(c.RANK) <= popularity.list_length).select(
        AS_OF, c.ITEM_KIND, c.ITEM_ID, c.STREAMER_ID, c.RANK, c.SCORE, c.VIEWERS
    )


def item_popularity(
    views: DataFrame, hidden: DataFrame, popularity: PopularitySettings, groups: Sequence[str] = ()
) -> DataFrame:
    """Score and viewers of each item (within each group, if the views carry columns that group them).

    Args:
        views: Latest views of the window that ends with each `as_of`, partitioned by user.
        hidden: `content_id` and `as_of` of what may not be listed.
    """
    of_user = decay(age_days(), popularity.half_life_days) * f.col(c.WEIGHT)
    rows = views.where(f.col(c.IS_VALUED)).select(
        AS_OF, *groups, c.USER_ID, f.explode(_items()).alias(_ITEM), of_user.alias(c.SCORE)
    )
    item = [f.col(_ITEM)[name].alias(name) for name in (c.ITEM_KIND, c.ITEM_ID, c.STREAMER_ID)]
    voices = (
        rows.select(AS_OF, *groups, c.USER_ID, *item, c.SCORE)
        .groupBy(AS_OF, *groups, c.USER_ID, c.ITEM_KIND, c.ITEM_ID)
        .agg(f.max(c.STREAMER_ID).alias(c.STREAMER_ID), f.max(c.SCORE).alias(c.SCORE))
    )
    counted = voices.groupBy(AS_OF, *groups, c.ITEM_KIND, c.ITEM_ID).agg(
        f.max(c.STREAMER_ID).alias(c.STREAMER_ID),
        exact_sum(f.col(c.SCORE)).alias(c.SCORE),
        f.count(f.lit(1)).alias(c.VIEWERS),
    )
    return without_hidden(counted, hidden)


def not_public(catalogue: DataFrame) -> DataFrame:
    """`content_id` and `as_of` of private and removed contents."""
    return catalogue.where(f.col(c.VISIBILITY) != f.lit(Visibility.PUBLIC.value)).select(c.CONTENT_ID, AS_OF)


def without_hidden(items: DataFrame, hidden: DataFrame) -> DataFrame:
    """Items that are no hidden content; a streamer whose id equals a content's is not that content."""
    contents = hidden.select(AS_OF, f.col(c.CONTENT_ID).alias(c.ITEM_ID), f.lit(False).alias(_ITEM))
    marked = items.withColumn(_ITEM, f.col(c.ITEM_KIND) == f.lit(ItemKind.STREAMER.value))
    return marked.join(contents, on=[AS_OF, c.ITEM_ID, _ITEM], how="left_anti").drop(_ITEM)


def _items() -> Column:
    """The items one view speaks for: its streamer, and its content where that can be listed."""
    streamer = _item(f.lit(ItemKind.STREAMER.value), f.col(c.STREAMER_ID))
    content = _item(f.col(c.CONTENT_KIND), f.col(c.CONTENT_ID))
    is_live = f.col(c.CONTENT_KIND) == f.lit(ContentKind.LIVE.value)
    return f.when(is_live, f.array(streamer)).otherwise(f.array(streamer, content))


def _item(kind: Column, identity: Column) -> Column:
    return f.struct(kind.alias(c.ITEM_KIND), identity.alias(c.ITEM_ID), f.col(c.STREAMER_ID).alias(c.STREAMER_ID))
