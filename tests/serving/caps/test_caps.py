"""Each cap alone: what stays beside what stands above it."""

import numpy as np
import pytest

from contracts import columns as c
from serving.caps.duplicate import DuplicateCap
from serving.caps.moment_cap import MomentCap
from serving.caps.streamer_cap import StreamerCap
from serving.query import Query
from serving.stages import Filter
from tests.serving.queries import FAR, columns, contents, frame_of, query, state


def kept(cap: Filter, items: list[int], streamers: list[int], about: Query | None = None) -> list[int]:
    about = about or query()
    frame = frame_of(columns(items, streamers), about)
    may = np.ones(len(frame), bool)
    assert cap.drop(frame, may, about) == np.count_nonzero(may)
    return np.flatnonzero(may).tolist()


@pytest.mark.parametrize("cap", [DuplicateCap(), MomentCap(1), StreamerCap(1)])
def test_what_may_not_stay_takes_no_place(cap: Filter) -> None:
    catalogue = contents(cut(5, 7, 0.0))
    about = query(known=state(catalogue))
    frame = frame_of(columns([5, 5, 5], [1, 1, 1]), about)
    may = np.array([False, True, True])
    assert cap.drop(frame, may, about) == 1
    assert may.tolist() == [False, True, False]


@pytest.mark.parametrize("cap", [DuplicateCap(), MomentCap(1), StreamerCap(1)])
def test_a_cap_of_nothing_keeps_nothing(cap: Filter) -> None:
    assert kept(cap, [], []) == []


def test_the_first_of_equal_items_stays() -> None:
    assert kept(DuplicateCap(), [5, 3, 5, -FAR, 3, 5], [1] * 6) == [0, 1, 3]
    assert kept(DuplicateCap(), [5, 3, 4], [1] * 3) == [0, 1, 2]


@pytest.mark.parametrize(
    ("most", "expected"), [(1, [0, 1]), (2, [0, 1, 2, 3]), (3, [0, 1, 2, 3, 4]), (9, [0, 1, 2, 3, 4])]
)
def test_a_streamer_has_its_first_few_places(most: int, expected: list[int]) -> None:
    assert kept(StreamerCap(most), [1, 2, 3, 4, 5], [-FAR, FAR, -FAR, FAR, -FAR]) == expected


def cut(content: int, broadcast: int | None, offset: float | None) -> dict[str, object]:
    return {c.CONTENT_ID: content, c.BROADCAST_ID: broadcast, c.OFFSET_SECONDS: offset}


def test_a_moment_of_a_broadcast_is_shown_so_often_and_no_more() -> None:
    """Cuts that begin in one minute of a broadcast are of one moment; what has no broadcast is of none."""
    catalogue = contents(
        cut(1, 7, 0.0), cut(2, 7, 59.9), cut(3, 7, 60.0), cut(4, 8, 0.0), cut(5, None, 0.0), cut(6, 7, None)
    )
    about = query(known=state(catalogue))
    assert kept(MomentCap(1), [1, 2, 3, 4, 5, 6, 99, 98], [1] * 8, about) == [0, 2, 3, 4, 5, 6, 7]
    assert kept(MomentCap(1), [2, 1], [1] * 2, about) == [0]
    assert kept(MomentCap(2), [1, 2, 3], [1] * 3, about) == [0, 1, 2]
