from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from contracts.names import Surface
from contracts.payload import CandidateColumns, pack
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from serving.frame import Frame
from serving.pipeline import run
from serving.query import Query
from serving.recommend import to_request
from serving.stores.catalogue import InProcessCatalogue
from serving.stores.memory import MemoryStore
from serving.stores.protocol import UserRow
from serving.wiring import Clients, surfaces
from tests.serving.builders import NOW

NOTHING = np.empty(0, np.int64)


@dataclass(frozen=True)
class BrokenScorer:
    """Says NaN and infinity of two candidates."""

    def score(self, frame: Frame, query: Query) -> npt.NDArray[np.float32]:
        assert len(frame) == 4, query
        return np.array([np.nan, 1.0, np.inf, 2.0], np.float32)


@pytest.fixture
def clients(tmp_path: Path) -> Clients:
    catalogue = InProcessCatalogue.latest(Warehouse(tmp_path))
    return Clients(MemoryStore(lambda: 0.0), catalogue, Settings(home=tmp_path))


def query(limit: int) -> Query:
    items = np.array([10, 11, 12, 13], np.int64)
    codes = np.ones(4, np.uint8)
    packed = pack(CandidateColumns(items, codes, items + 100, codes, np.zeros(4, np.float32)))
    user = UserRow({"model_version": ""}, packed, None, NOTHING, NOTHING, NOTHING)
    return Query(to_request("r", 1, "home_clips", limit, NOW, 100), "g", user, "light", Surface.HOME_CLIPS)


def test_a_score_that_is_no_number_ranks_last(clients: Clients) -> None:
    wiring = replace(surfaces(clients)[Surface.HOME_CLIPS], scorer=BrokenScorer())
    assert run(wiring, query(4)).frame.candidates.item_ids.tolist() == [13, 11, 10, 12]


def test_equal_scores_keep_the_order_of_the_list(clients: Clients) -> None:
    assert run(surfaces(clients)[Surface.HOME_CLIPS], query(3)).frame.candidates.item_ids.tolist() == [10, 11, 12]


def test_the_runner_times_and_counts_every_stage_in_order(clients: Clients) -> None:
    records = run(surfaces(clients)[Surface.HOME_CLIPS], query(3)).trace.records
    assert [record.stage for record in records] == [
        "sources",
        "hydrators",
        *["filters"] * 5,
        "scorers",
        "rerankers",
        "selectors",
    ]
    assert [record.left for record in records] == [4, 4, 4, 4, 4, 4, 4, 4, 3, 3]
    assert all(record.milliseconds >= 0 for record in records)


def test_a_catalogue_of_an_empty_warehouse_hides_nothing(clients: Clients) -> None:
    assert clients.catalogue.visible(np.array([1, 2], np.int64)).tolist() == [True, True]
    assert clients.catalogue.names(np.array([1], np.int64)) == [None]
