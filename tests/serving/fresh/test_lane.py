"""Who has no vector, or one that cannot be used, gets something else with a note, and never an error."""

import numpy as np
import pytest

from contracts.packed_vector import pack_vectors
from serving.fresh.batch import Batch
from serving.fresh.index import FreshIndex
from serving.fresh.item import Description, FreshItem
from serving.fresh.lane import fresh_candidates

AT = 1_000.0
BATCH = Batch("1", 2)
[CHESS] = pack_vectors(np.array([[1, 0]], np.float32)).tolist()
NOBODY = np.empty(0, np.int64)
INDEX = FreshIndex.of(
    [
        FreshItem(1, 900.0, Description("clip", 10), "1", np.array([0, 1], np.float32)),
        FreshItem(2, 800.0, Description("clip", 11), "1", np.array([1, 0], np.float32)),
    ]
)


def test_a_known_user_gets_what_the_model_likes_for_them() -> None:
    fetched = fresh_candidates(INDEX, CHESS, BATCH, NOBODY, 5, AT)
    assert fetched.candidates is not None
    assert (fetched.candidates.item_ids.tolist(), fetched.problem) == ([2, 1], "")


@pytest.mark.parametrize(
    ("packed", "batch", "note"),
    [
        (None, BATCH, ""),
        (b"", BATCH, "the user's vector cannot be read: a vector of 0 bytes where the generation says 2"),
        (b"\0\0", BATCH, "the user's vector cannot be read: a vector of nothing but zeros has no direction"),
        (b"\1\2\3", BATCH, "the user's vector cannot be read: a vector of 3 bytes where the generation says 2"),
        (CHESS, Batch(), "the user's vector cannot be read: a vector of 2 bytes where the generation says 0"),
        (CHESS, Batch("2", 2), "no new content has been embedded by model version 2 yet"),
    ],
)
def test_without_a_usable_vector_the_newest_of_known_streamers_are_offered(
    packed: bytes | None, batch: Batch, note: str
) -> None:
    fetched = fresh_candidates(INDEX, packed, batch, np.array([11]), 5, AT)
    assert fetched.candidates is not None
    assert (fetched.candidates.item_ids.tolist(), fetched.problem) == ([2], note)
    nothing = fresh_candidates(INDEX, packed, batch, NOBODY, 5, AT)
    assert (nothing.candidates, nothing.problem) == (None, note)


def test_nothing_new_is_no_problem() -> None:
    fetched = fresh_candidates(FreshIndex.of([]), b"corrupt", BATCH, np.array([10]), 5, AT)
    assert (fetched.candidates, fetched.problem) == (None, "")


def test_a_generation_of_an_earlier_release_says_nothing_of_vectors() -> None:
    assert Batch.of({"day": "2026-01-30"}, "UTC") == Batch()


@pytest.mark.parametrize(
    ("info", "until"),
    [
        ({"contents_day": "2026-01-30", "contents_until": ""}, 1_769_817_600.0),
        ({"contents_day": "2026-01-30", "contents_until": "2026-01-30T12:00:00+00:00"}, 1_769_774_400.0),
        ({"contents_day": "2026-01-29", "contents_until": "2026-01-30T12:00:00+00:00"}, 1_769_731_200.0),
        ({"contents_day": "", "contents_until": ""}, float("-inf")),
    ],
)
def test_a_batch_knows_contents_until_its_catalogue_ends(info: dict[str, str], until: float) -> None:
    batch = Batch.of({**info, "vector_model_version": "7", "vector_dim": "64"}, "UTC")
    assert batch == Batch("7", 64, until)
