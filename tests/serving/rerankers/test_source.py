"""The bandit over sources: what slots are reserved for, and what comes after all broadcasts."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from msgspec import structs

from bandit.policies.registry import POLICIES, policy_named
from contracts.names import Source
from contracts.payload import SOURCES
from contracts.settings import BanditSettings
from serving.epochs import prior_epoch
from serving.frame import Frame
from serving.query import LEVELS, Level, Query
from serving.rerankers.reserved import Reserved
from serving.rerankers.source import SourceReranker
from serving.stages import Ranking
from serving.stores.user_reads import UserRow
from tests.serving.queries import columns, frame_of, knows, query

KNOWN = 1
TWO_TOWER, POPULAR, STAND_IN, PREFERRED = map(
    SOURCES.index, (Source.TWO_TOWER, Source.POPULAR, Source.STAND_IN, Source.PREFERRED)
)


def reranker(shares: tuple[float, float] = (0.2, 0.2), policy: str = "thompson") -> SourceReranker:
    return SourceReranker(policy_named(policy), prior_epoch(BanditSettings()), Reserved(*shares))


def visits(returns: int, discoveries: int) -> list[int]:
    """Streamers of a list that has all returns above all discoveries."""
    return [KNOWN] * returns + list(range(100, 100 + discoveries))


def offered(streamers: Sequence[int], about: Query, sources: Sequence[int] | None = None) -> Frame:
    found = columns(list(range(len(streamers))), streamers)
    if sources is not None:
        found.sources[:] = sources
    return frame_of(found, about)


def about(limit: int, request: str = "r") -> Query:
    found = query(limit=limit, user=UserRow(known=knows(KNOWN)))
    return structs.replace(found, request=structs.replace(found.request, request_id=request))


def returns_of(streamers: Sequence[int], ranking: Ranking) -> int:
    return sum(streamers[row] == KNOWN for row in ranking.order.tolist())


@pytest.mark.parametrize(
    ("returns", "discoveries", "least", "most"),
    [
        pytest.param(20, 20, 2, 8, id="of enough of both, two of ten at least of each"),
        pytest.param(20, 1, 9, 9, id="what discoveries cannot fill is left to returns"),
        pytest.param(1, 20, 1, 1, id="and the other way round"),
        pytest.param(20, 0, 10, 10, id="no discovery at all"),
        pytest.param(0, 20, 0, 0, id="no return at all"),
        pytest.param(3, 3, 3, 3, id="both short: all are shown"),
    ],
)
def test_slots_are_kept_for_returns_and_for_discoveries(returns: int, discoveries: int, least: int, most: int) -> None:
    streamers = visits(returns, discoveries)
    sources = np.random.default_rng(1).choice([TWO_TOWER, POPULAR], len(streamers))
    for request in range(30):
        asked = about(10, str(request))
        ranking = reranker().rank(offered(streamers, asked, sources), asked)
        assert len(set(ranking.order.tolist())) == len(ranking.order) == min(10, len(streamers))
        assert least <= returns_of(streamers, ranking) <= most


@pytest.mark.parametrize("shares", [(0.0, 0.0), (0.2, 0.2), (0.5, 0.5), (0.0, 0.5), (0.33, 0.1)])
@pytest.mark.parametrize("policy", ["thompson", "greedy", "epsilon_greedy"])
def test_every_slate_of_every_policy_keeps_both_shares(policy: str, shares: tuple[float, float]) -> None:
    for returns, discoveries, limit in product(range(0, 14, 3), range(0, 14, 3), (1, 2, 7, 10)):
        streamers, asked = visits(returns, discoveries), about(limit, f"{returns}/{discoveries}")
        sources = [(TWO_TOWER, POPULAR)[place % 2] for place in range(len(streamers))]
        ranking = reranker(shares, policy).rank(offered(streamers, asked, sources), asked)
        shown = returns_of(streamers, ranking)
        assert len(ranking.order) == min(limit, len(streamers))
        least = round(shares[0] * limit)
        assert shown >= min(least, returns)
        assert len(ranking.order) - shown >= min(round(shares[1] * limit), limit - least, discoveries)


def test_of_each_source_and_visit_the_first_come_first() -> None:
    streamers, asked = [100, KNOWN, 101, KNOWN, 102, KNOWN], about(4)
    ranking = reranker((0.5, 0.5)).rank(offered(streamers, asked), asked)
    assert ranking.order.tolist() == [0, 1, 2, 3]
    ranking = reranker((0.5, 0.0)).rank(offered([100, 101, 102, KNOWN, KNOWN], asked), asked)
    assert ranking.order.tolist() == [0, 1, 3, 4]


def test_the_bandit_has_the_whole_list_to_choose_from_whatever_is_reserved() -> None:
    """Two returns of one source want their room; the twenty discoveries of two sources stay a choice."""
    streamers = [*range(100, 120), KNOWN, KNOWN]
    sources = [TWO_TOWER] * 15 + [POPULAR] * 7
    asked = about(10)
    ranking = reranker().rank(offered(streamers, asked, sources), asked)
    assert ranking.arm_set.counts == (15, 7)
    assert ranking.arm_set.visits == ("d" * 15, "dddddrr")
    assert ranking.arm_set.least == (2, 2)


def test_nobody_known_and_a_list_too_short_to_choose_from_reserve_nothing() -> None:
    for asked, streamers in ((query(limit=4), visits(10, 10)), (about(20), visits(10, 10))):
        assert reranker().rank(offered(streamers, asked), asked).arm_set.visits == ()


def test_stand_ins_come_after_the_users_own_broadcasts_and_before_those_of_other_lists() -> None:
    sources = [TWO_TOWER] * 3 + [POPULAR] * 3 + [STAND_IN] * 4 + [PREFERRED] * 5
    levels = [Level.PERSONAL] * 6 + [Level.CHANNEL] * 4 + [Level.SEGMENT] * 5
    for request in range(50):
        asked = about(12, str(request))
        frame = offered(list(range(100, 115)), asked, sources)
        frame = structs.replace(frame, levels=np.array([LEVELS.index(level) for level in levels], np.uint8))
        ranking = reranker().rank(frame, asked)
        shown = [sources[row] for row in ranking.order.tolist()]
        assert set(shown[:6]) == {TWO_TOWER, POPULAR}
        assert shown[6:] == [STAND_IN] * 4 + [PREFERRED] * 2
    assert dict(zip(ranking.arm_set.arms, ranking.arm_set.tiers, strict=True)) == {
        "preferred": 2,
        "two_tower": 0,
        "popular": 0,
        "stand_in": 1,
    }


@pytest.mark.parametrize("name", ["thompson", "greedy", "epsilon_greedy"])
def test_the_policy_is_the_one_of_the_settings_and_draws_the_slate_again(name: str) -> None:
    asked, streamers = about(10), visits(15, 15)
    sources = [(TWO_TOWER, POPULAR)[place % 2] for place in range(30)]
    ranking = reranker(policy=name).rank(offered(streamers, asked, sources), asked)
    policy = POLICIES[ranking.policy_id]
    assert ranking.policy_id.startswith(f"{name}/")
    chosen = [(TWO_TOWER, POPULAR).index(sources[row]) for row in ranking.order.tolist()]
    drawn = policy.select(prior_epoch(BanditSettings()), ranking.arm_set, len(ranking.order), asked.request.seed)
    assert drawn == chosen
