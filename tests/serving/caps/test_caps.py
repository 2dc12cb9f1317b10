"""Each cap alone: what stays beside what stands above it."""

from itertools import product

import numpy as np
import pytest

from contracts import columns as c
from contracts.names import Source
from contracts.payload import SOURCES
from serving.caps.duplicate import DuplicateCap
from serving.caps.moment_cap import MomentCap
from serving.caps.quota import VisitQuotaCap
from serving.caps.streamer_cap import StreamerCap
from serving.query import Query
from serving.stages import Cap
from serving.stores.user_reads import UserRow
from tests.serving.queries import FAR, columns, contents, frame_of, knows, query, state


def kept(cap: Cap, items: list[int], streamers: list[int], about: Query | None = None) -> list[int]:
    about = about or query()
    frame = frame_of(columns(items, streamers), about)
    mask = cap.keep(frame, about)
    return [place for place in range(len(frame)) if mask is None or mask[place]]


@pytest.mark.parametrize("cap", [DuplicateCap(), MomentCap(1), StreamerCap(1), VisitQuotaCap(0.2, 0.2)])
def test_a_cap_of_nothing_keeps_nothing(cap: Cap) -> None:
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


KNOWN = 1


def visits(returns: int, discoveries: int, limit: int, shares: tuple[float, float] = (0.2, 0.2)) -> tuple[int, int]:
    """How many of each kind stay of a list that has all returns above all discoveries."""
    streamers = [KNOWN] * returns + list(range(100, 100 + discoveries))
    about = query(limit=limit, user=UserRow(known=knows(KNOWN)))
    places = kept(VisitQuotaCap(*shares), list(range(len(streamers))), streamers, about)
    return sum(place < returns for place in places), sum(place >= returns for place in places)


@pytest.mark.parametrize(
    ("returns", "discoveries", "expected"),
    [
        pytest.param(20, 20, (8, 8), id="of enough of both at most 8 of each are left for 10 places"),
        pytest.param(20, 1, (9, 1), id="what discoveries cannot fill is left to returns"),
        pytest.param(1, 20, (1, 9), id="and the other way round"),
        pytest.param(20, 0, (10, 0), id="no discovery at all"),
        pytest.param(0, 20, (0, 10), id="no return at all"),
        pytest.param(3, 3, (3, 3), id="both short: nothing is dropped"),
        pytest.param(10, 0, (10, 0), id="just enough"),
        pytest.param(9, 2, (8, 2), id="one too many"),
    ],
)
def test_room_is_kept_for_returns_and_for_discoveries(
    returns: int, discoveries: int, expected: tuple[int, int]
) -> None:
    assert visits(returns, discoveries, 10) == expected


@pytest.mark.parametrize("shares", [(0.0, 0.0), (0.2, 0.2), (0.5, 0.5), (0.0, 0.5), (0.33, 0.1)])
def test_whatever_is_drawn_of_the_rest_keeps_both_quotas_and_fills_the_slate(shares: tuple[float, float]) -> None:
    for returns, discoveries, limit in product(range(0, 14, 3), range(0, 14, 3), (1, 2, 7, 10)):
        left = visits(returns, discoveries, limit, shares)
        assert sum(left) >= min(limit, returns + discoveries)
        if sum(left) > limit:
            # A slate that takes as many of one kind as it can still holds this many of the other.
            least = round(shares[0] * limit)
            assert limit - left[1] >= min(least, returns)
            assert limit - left[0] >= min(round(shares[1] * limit), limit - least, discoveries)


def test_of_each_kind_the_first_stay() -> None:
    streamers = [100, KNOWN, 101, KNOWN, 102, KNOWN]
    about = query(limit=2, user=UserRow(known=knows(KNOWN)))
    assert kept(VisitQuotaCap(0.5, 0.5), [1, 2, 3, 4, 5, 6], streamers, about) == [0, 1]


def test_nobody_known_has_no_quota() -> None:
    assert kept(VisitQuotaCap(0.5, 0.5), list(range(20)), list(range(20)), query(limit=4)) == list(np.arange(20))


def test_where_quotas_leave_little_every_source_keeps_its_best() -> None:
    """Twenty discoveries of the first source stand before five of the second; two returns want their room."""
    streamers = [*range(20), *range(100, 105), 900, 901]
    about = query(limit=10, user=UserRow(known=knows(900, 901)))
    offered = columns(list(range(27)), streamers)
    offered.sources[20:25] = SOURCES.index(Source.POPULAR)
    mask = VisitQuotaCap(0.2, 0.2).keep(frame_of(offered, about), about)
    assert mask is not None
    assert np.flatnonzero(mask).tolist() == [0, 1, 2, 3, 20, 21, 22, 23, 25, 26]
