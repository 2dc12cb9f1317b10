"""Each filter alone: one mask per frame, in the frame's order."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from serving.filters.duplicate import DuplicateFilter
from serving.filters.streamer_cap import StreamerCapFilter
from serving.filters.target import TargetFilter

from contracts.names import Surface
from contracts.payload import CandidateColumns, Ids
from serving.filters.hidden import HiddenFilter
from serving.filters.not_live import NotLiveFilter
from serving.filters.seen import SeenFilter
from serving.filters.visibility import VisibilityFilter
from serving.frame import Frame
from serving.query import Level, Query, Request
from serving.stages import Filter
from serving.stores.protocol import UserRow

ITEMS = [5, 3, 5, -(2**63), 8]
STREAMERS = [1, 2, 1, 2, 1]


def ids(*values: int) -> Ids:
    return np.array(values, np.int64)


def frame(items: list[int] = ITEMS, streamers: list[int] = STREAMERS) -> Frame:
    count = len(items)
    codes = np.zeros(count, np.uint8)
    columns = CandidateColumns(ids(*items), codes, ids(*streamers), codes, np.zeros(count, np.float32))
    whole = Frame.of(columns, Level.PERSONAL)
    return replace(whole, is_live=np.arange(count) == 1, is_visible=np.arange(count) != 1)


QUERY = Query(
    Request("r", 1, Surface.HOME_CLIPS, 5, datetime(2026, 1, 30, tzinfo=UTC), after=8),
    "g",
    UserRow({}, None, None, ids(3, 5, 77), ids(2), ids(8)),
    "light",
    Surface.HOME_CLIPS,
)


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        (DuplicateFilter(), [1, 1, 0, 1, 1]),
        (NotLiveFilter(), [0, 1, 0, 0, 0]),
        (SeenFilter(), [0, 1, 0, 1, 1]),
        (HiddenFilter(), [1, 0, 1, 0, 0]),
        (VisibilityFilter(), [1, 0, 1, 1, 1]),
        (TargetFilter(), [1, 1, 1, 1, 0]),
        (StreamerCapFilter(1), [1, 1, 0, 0, 0]),
        (StreamerCapFilter(2), [1, 1, 1, 1, 0]),
    ],
)
def test_a_filter_keeps(rule: Filter, kept: list[int]) -> None:
    assert rule.keep(frame(), QUERY).astype(int).tolist() == kept


@pytest.mark.parametrize(
    "rule",
    [DuplicateFilter(), NotLiveFilter(), SeenFilter(), HiddenFilter(), VisibilityFilter(), StreamerCapFilter(1)],
)
def test_a_filter_of_nothing_keeps_nothing(rule: Filter) -> None:
    assert rule.keep(frame([], []), QUERY).tolist() == []


def test_the_cap_tells_the_farthest_ids_apart() -> None:
    far = frame([1, 2, 3], [-(2**63), 2**63 - 1, -(2**63)])
    assert StreamerCapFilter(1).keep(far, QUERY).tolist() == [True, True, False]
