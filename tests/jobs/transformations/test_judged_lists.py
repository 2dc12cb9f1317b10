import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

from contracts import columns as c
from jobs.transformations import judged_lists as j

VIEWS = f"{c.USER_ID} long, {c.CONTENT_ID} long, {c.STREAMER_ID} long, {c.IS_VALUED} boolean"
RANKED = pa.schema({c.USER_ID: pa.int64(), c.ITEM_ID: pa.int64(), c.RANK: pa.float64()})
WATCHED = pa.schema({c.USER_ID: pa.int64(), c.ITEM_ID: pa.int64(), c.STREAMER_ID: pa.int64()})


def table(schema: pa.Schema, *rows: tuple[float, ...]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)


def pairs(*rows: tuple[int, int]) -> j.Pairs:
    users, others = ([row[side] for row in rows] for side in (0, 1))
    return j.Pairs.of(pa.chunked_array([pa.array(users, pa.int64())]), pa.chunked_array([pa.array(others, pa.int64())]))


def rows(found: pa.Table) -> list[tuple[object, ...]]:
    return sorted(tuple(row.values()) for row in found.to_pylist())


def test_a_pair_is_found_where_it_was_first_given_and_its_halves_are_not() -> None:
    known = pairs((1, 10), (2, 11), (1, 10))
    users = pa.chunked_array([pa.array([2, 1, 1, 3, 1])])
    others = pa.chunked_array([pa.array([11, 10, 11, 10, 99])])
    assert known.places(users, others).to_pylist() == [1, 0, None, None, None]
    assert pairs().contains(users, others).to_pylist() == [False] * 5


def test_a_relevant_item_is_marked_as_exposed_and_as_a_return_and_counts_once() -> None:
    watched = table(WATCHED, (1, 10, 5), (1, 11, 6), (1, 10, 5), (2, 10, 5))
    relevant = j.relevant_items(watched, pairs((1, 10), (1, 10)), pairs((1, 5), (1, 5)))
    assert rows(relevant) == [(1, 10, True, True), (1, 11, False, False), (2, 10, False, False)]


def test_an_exposed_place_leaves_mode_new_and_those_below_move_up() -> None:
    ranked = table(RANKED, (2, 10, 1.0), (1, 12, -1.0), (1, 10, -9.0), (1, 11, -8.0))
    places = j.ranked_places(ranked, pairs((1, 10), (2, 11)))
    assert rows(places) == [(1, 10, 1, None), (1, 11, 2, 1), (1, 12, 3, 2), (2, 10, 1, 1)]


def test_an_empty_list_has_no_places() -> None:
    places = j.ranked_places(table(RANKED), pairs((1, 10)))
    assert (places.num_rows, len(j.shown_items(places, k=1))) == (0, 0)


def test_a_hit_counts_when_it_is_within_k_in_either_mode() -> None:
    places = j.ranked_places(table(RANKED, (1, 10, 1.0), (1, 11, 2.0), (1, 12, 3.0)), pairs((1, 10)))
    watched = table(WATCHED, (1, 11, 5), (1, 12, 5))
    relevant = j.relevant_items(watched, pairs((1, 10)), pairs())
    assert rows(j.hit_places(places, relevant, k=1)) == [(1, 2, 1, False, False)]


def test_popularity_counts_users_once_in_all_and_on_the_last_day(spark: SparkSession) -> None:
    views = [(1, 10, 5, True), (1, 10, 5, True), (1, 12, 6, True), (2, 12, 5, True), (3, 13, 5, False)]
    frame = spark.createDataFrame(views, VIEWS)
    is_last_day, group = f.col(c.STREAMER_ID) == 5, f.when(f.col(c.CONTENT_ID) < 20, "clips")
    counted = j.popularity(
        frame.union(spark.createDataFrame([(1, 20, 5, True)], VIEWS)), group, f.col(c.CONTENT_ID), is_last_day
    )
    assert rows(counted.toArrow()) == [("clips", 10, 1, 1), ("clips", 12, 2, 1)]


def test_the_best_items_have_the_most_users_and_ties_go_to_the_smaller_id() -> None:
    items = pa.table({c.ITEM_ID: [13, 11, 12, 10], j.USERS: [1, 2, 0, 1]})
    assert j.best_items(items, j.USERS, length=2).tolist() == [11, 10]
    assert j.best_items(items, j.USERS, length=9).tolist() == [11, 10, 13]


def test_a_list_for_everyone_keeps_its_order() -> None:
    assert rows(j.for_everyone(np.array([12, 11]), np.array([1, 2]))) == [
        (1, 11, 2),
        (1, 12, 1),
        (2, 11, 2),
        (2, 12, 1),
    ]


def test_shown_items_are_only_the_first_places_of_mode_new() -> None:
    ranked = table(RANKED, (1, 10, 1.0), (1, 11, 2.0), (2, 11, 1.0), (2, 12, 2.0))
    assert j.shown_items(j.ranked_places(ranked, pairs((1, 10))), k=1).tolist() == [11, 11]
