import numpy as np
import pyarrow as pa
import torch

from models.two_tower.data import padded, platform_days
from models.two_tower.features import (
    NO_TIME,
    NUMERIC_FEATURES,
    age_buckets,
    age_buckets_of,
    duration_buckets,
    numeric_features,
)
from models.two_tower.vocabulary import Vocabularies, Vocabulary

HOUR = 3_600_000_000


def test_age_grows_with_time_and_is_unknown_without_a_publication() -> None:
    published = np.array([0, 0, NO_TIME, 10 * HOUR])
    buckets = age_buckets(published, np.array([HOUR // 2, 200 * HOUR, HOUR, 5 * HOUR]))
    assert buckets[0] == 1
    assert buckets[1] > buckets[0]
    assert buckets[2:].tolist() == [0, 0]


def test_seconds_as_tensors_have_the_same_ages_as_microseconds() -> None:
    hours = np.array([-1, 0, 1, 2, 12, 13, 95, 96, 97, 5_000])
    published = 10_000 * 3_600
    at = published + hours * 3_600
    expected = age_buckets(np.full(len(at), published * 1_000_000), at * 1_000_000)
    assert age_buckets_of(torch.full((len(at),), published), torch.from_numpy(at)).tolist() == expected.tolist()
    assert age_buckets_of(torch.tensor([0]), torch.tensor([5])).tolist() == [0]


def test_length_has_a_bucket_and_none_is_unknown() -> None:
    assert duration_buckets(np.array([3.0, 20.0, np.nan])).tolist() == [1, 3, 0]


def test_unknown_numbers_are_zero() -> None:
    values = np.full((1, len(NUMERIC_FEATURES)), np.nan)
    assert numeric_features(values).tolist() == [[0.0] * len(NUMERIC_FEATURES)]


def test_a_vocabulary_knows_any_int64_and_gives_row_0_to_the_rest() -> None:
    vocabulary = Vocabulary.of(np.array([2**62, -5]), np.array([7, 7]))
    assert vocabulary.rows(np.array([-5, 7, 2**62, 8])).tolist() == [1, 2, 3, 0]
    assert vocabulary.size == 4


def test_an_empty_vocabulary_knows_nothing() -> None:
    assert Vocabulary(np.empty(0, dtype=np.int64)).rows(np.array([1, 2])).tolist() == [0, 0]


def test_streamers_follow_the_contents_in_the_table_of_items() -> None:
    ids = Vocabulary(np.array([10, 20]))
    vocabularies = Vocabularies(ids, contents=ids, streamers=Vocabulary(np.array([1])), categories=ids)
    assert vocabularies.streamer_item_rows(np.array([1, 9])).tolist() == [3, 0]
    assert vocabularies.sizes.items == 4


def test_lists_of_any_length_become_rows_of_one_length() -> None:
    lists = pa.chunked_array([[[10, 20, 30], None], [[], [99, 20]]], type=pa.list_(pa.int64()))
    rows = padded(lists, Vocabulary(np.array([10, 20, 30])), 2)
    assert rows.tolist() == [[1, 2], [0, 0], [0, 0], [0, 2]]


def test_a_day_is_the_platforms() -> None:
    late_evening_utc = np.array([20 * HOUR])
    assert platform_days(late_evening_utc, "UTC").tolist() == [0]
    assert platform_days(late_evening_utc, "Asia/Shanghai").tolist() == [1]
