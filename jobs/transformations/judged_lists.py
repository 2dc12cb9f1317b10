"""Which places of which lists the next day's valued watches hit.

Mode `new` leaves out what the user was exposed to before the day, from lists and from relevant items alike, so that the
places below move up; mode `all` leaves nothing out.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as f

from contracts import columns as c

IS_EXPOSED = "is_exposed"
IS_RETURN = "is_return"
LIST_NAME = "list_name"
RANK_ALL = "rank_all"
RANK_NEW = "rank_new"
PLACES = "places"


def relevant_items(next_views: DataFrame, item: Column, exposed: DataFrame, known_streamers: DataFrame) -> DataFrame:
    """Distinct (user, item) with a valued watch, marked as exposed before and as a return to a known streamer.

    Args:
        next_views: views of the judging day.
        item: the column that lists of this surface hold: content_id, or streamer_id.
        exposed: (user_id, item_id) met before the day.
        known_streamers: (user_id, streamer_id) watched before the day.
    """
    valued = next_views.where(f.col(c.IS_VALUED)).select(c.USER_ID, item.alias(c.ITEM_ID), c.STREAMER_ID).distinct()
    seen = exposed.select(c.USER_ID, c.ITEM_ID).distinct().withColumn(IS_EXPOSED, f.lit(True))
    known = known_streamers.select(c.USER_ID, c.STREAMER_ID).distinct().withColumn(IS_RETURN, f.lit(True))
    return (
        valued.join(seen, [c.USER_ID, c.ITEM_ID], how="left")
        .join(known, [c.USER_ID, c.STREAMER_ID], how="left")
        .select(
            c.USER_ID,
            c.ITEM_ID,
            f.coalesce(IS_EXPOSED, f.lit(False)).alias(IS_EXPOSED),
            f.coalesce(IS_RETURN, f.lit(False)).alias(IS_RETURN),
        )
    )


def ranked_places(lists: DataFrame, exposed: DataFrame) -> DataFrame:
    """Every list's places in both modes.

    Args:
        lists: (list_name, user_id, item_id, rank), rank 1 best, unique per list and user.

    Returns:
        (list_name, user_id, item_id, rank_all, rank_new); rank_new is null where the item was met before.
    """
    seen = exposed.select(c.USER_ID, c.ITEM_ID).distinct().withColumn(IS_EXPOSED, f.lit(True))
    joined = lists.join(seen, [c.USER_ID, c.ITEM_ID], how="left")
    order = Window.partitionBy(LIST_NAME, c.USER_ID).orderBy(c.RANK)
    so_far = order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    is_new = f.col(IS_EXPOSED).isNull()
    return joined.select(
        LIST_NAME,
        c.USER_ID,
        c.ITEM_ID,
        f.row_number().over(order).alias(RANK_ALL),
        f.when(is_new, f.sum(is_new.cast("int")).over(so_far)).cast("int").alias(RANK_NEW),
    )


def hit_places(places: DataFrame, relevant: DataFrame, k: int) -> DataFrame:
    """The places within `k`, in either mode, that hold a relevant item."""
    top = places.where((f.col(RANK_ALL) <= k) | (f.col(RANK_NEW) <= k))
    return top.join(relevant, [c.USER_ID, c.ITEM_ID], how="inner").select(
        LIST_NAME, c.USER_ID, RANK_ALL, RANK_NEW, IS_EXPOSED, IS_RETURN
    )


def shown_counts(places: DataFrame, k: int) -> DataFrame:
    """How many of the first `k` places of each list every item takes in mode `new`: for coverage and concentration."""
    return (
        places.where(f.col(RANK_NEW) <= k)
        .groupBy(LIST_NAME, c.ITEM_ID)
        .agg(f.count(f.lit(1)).alias(PLACES))
        .select(LIST_NAME, c.ITEM_ID, PLACES)
    )


def popularity(views: DataFrame, item: Column, length: int) -> DataFrame:
    """(item_id, rank) of the `length` items with most users who valued them; ties go to the smaller id."""
    users = (
        views.where(f.col(c.IS_VALUED)).groupBy(item.alias(c.ITEM_ID)).agg(f.countDistinct(c.USER_ID).alias(c.SCORE))
    )
    # A window without partition moves all rows to one task: here there is one row per item, cut at once.
    order = Window.partitionBy(f.lit(0)).orderBy(f.desc(c.SCORE), c.ITEM_ID)
    return (
        users.orderBy(f.desc(c.SCORE), c.ITEM_ID)
        .limit(length)
        .select(c.ITEM_ID, f.row_number().over(order).alias(c.RANK))
    )


def for_everyone(items: DataFrame, users: DataFrame) -> DataFrame:
    """(user_id, item_id, rank): one list given to every user."""
    return users.select(c.USER_ID).crossJoin(f.broadcast(items)).select(c.USER_ID, c.ITEM_ID, c.RANK)
