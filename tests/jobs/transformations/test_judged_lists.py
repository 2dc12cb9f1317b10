from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from contracts import columns as c
from jobs.transformations import judged_lists as j

ITEMS = f"{c.USER_ID} long, {c.ITEM_ID} long"
STREAMERS = f"{c.USER_ID} long, {c.STREAMER_ID} long"
VIEWS = f"{c.USER_ID} long, {c.CONTENT_ID} long, {c.STREAMER_ID} long, {c.IS_VALUED} boolean"
LISTS = f"{j.LIST_NAME} string, {c.USER_ID} long, {c.ITEM_ID} long, {c.RANK} double"


def rows(frame: DataFrame) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in frame.collect())


def test_a_relevant_item_is_valued_and_marked_as_exposed_and_as_a_return(spark: SparkSession) -> None:
    views = spark.createDataFrame([(1, 10, 5, True), (1, 11, 6, True), (1, 12, 5, False), (2, 10, 5, True)], VIEWS)
    exposed = spark.createDataFrame([(1, 10), (1, 10)], ITEMS)
    known = spark.createDataFrame([(1, 5), (1, 5)], STREAMERS)
    relevant = j.relevant_items(views, f.col(c.CONTENT_ID), exposed, known)
    assert rows(relevant) == [(1, 10, True, True), (1, 11, False, False), (2, 10, False, False)]


def test_an_exposed_place_leaves_mode_new_and_those_below_move_up(spark: SparkSession) -> None:
    lists = spark.createDataFrame(
        [("a", 1, 10, -9.0), ("a", 1, 11, -8.0), ("a", 1, 12, -1.0), ("b", 1, 10, 1.0)], LISTS
    )
    exposed = spark.createDataFrame([(1, 10), (2, 11)], ITEMS)
    places = j.ranked_places(lists, exposed)
    assert rows(places.where(f.col(j.LIST_NAME) == "a").drop(j.LIST_NAME).fillna(0)) == [
        (1, 10, 1, 0),
        (1, 11, 2, 1),
        (1, 12, 3, 2),
    ]
    assert rows(places.where(f.col(j.LIST_NAME) == "b").drop(j.LIST_NAME).fillna(0)) == [(1, 10, 1, 0)]


def test_a_hit_counts_when_it_is_within_k_in_either_mode(spark: SparkSession) -> None:
    lists = spark.createDataFrame([("a", 1, 10, 1.0), ("a", 1, 11, 2.0), ("a", 1, 12, 3.0)], LISTS)
    exposed = spark.createDataFrame([(1, 10)], ITEMS)
    views = spark.createDataFrame([(1, 11, 5, True), (1, 12, 5, True)], VIEWS)
    relevant = j.relevant_items(views, f.col(c.CONTENT_ID), exposed, spark.createDataFrame([], STREAMERS))
    hits = j.hit_places(j.ranked_places(lists, exposed), relevant, k=1)
    assert rows(hits) == [("a", 1, 2, 1, False, False)]


def test_popularity_counts_users_once_and_gives_ties_to_the_smaller_id(spark: SparkSession) -> None:
    views = [
        (1, 10, 5, True),
        (1, 10, 5, True),
        (1, 12, 5, True),
        (2, 12, 5, True),
        (3, 11, 5, True),
        (3, 13, 5, False),
    ]
    popular = j.popularity(spark.createDataFrame(views, VIEWS), f.col(c.CONTENT_ID), length=2)
    assert rows(popular) == [(10, 2), (12, 1)]


def test_shown_counts_see_only_the_first_places_of_mode_new(spark: SparkSession) -> None:
    lists = [("a", 1, 10, 1.0), ("a", 1, 11, 2.0), ("a", 2, 11, 1.0), ("a", 2, 12, 2.0)]
    exposed = spark.createDataFrame([(1, 10)], ITEMS)
    places = j.ranked_places(spark.createDataFrame(lists, LISTS), exposed)
    assert rows(j.shown_counts(places, k=1)) == [("a", 11, 2)]
