"""The things that go with one, ordered by what became of them there."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
import redis
from msgspec import structs

from bandit.arms import item_arm, streamer_arm
from bandit.outcomes import Outcomes
from bandit.policies.registry import policy_named
from contracts import columns as c
from contracts import redis_keys
from contracts.names import ItemKind, Surface, target_context
from contracts.settings import BanditSettings
from contracts.tables import POSTERIOR_EPOCH
from serving.drain import drain_impressions, recompute
from serving.epochs import prior_epoch, update_context
from serving.frame import Frame
from serving.query import Level, Query
from serving.rerankers.target import TargetReranker
from serving.stages import Ranking
from serving.stores.redis_store import RedisStore
from serving.stores.user_reads import UserRow
from tests.serving.builders import DAY, NOW
from tests.serving.platform import Platform, ids
from tests.serving.queries import columns, query

PRIOR = prior_epoch(BanditSettings())
ITEMS = list(range(100, 130))


def frame(kind: ItemKind = ItemKind.CLIP) -> Frame:
    return Frame.of(columns(ITEMS, [item + 1_000 for item in ITEMS], kind), Level.TARGET)


def asked(packed: bytes | None = None, limit: int = 5, number: int = 0) -> Query:
    about = query(limit=limit, surface=Surface.WATCH_NEXT, user=UserRow(posterior=packed), context=7)
    return structs.replace(about, request=structs.replace(about.request, request_id=f"r{number}"))


def ranked(packed: bytes | None = None, limit: int = 5, number: int = 0) -> Ranking:
    return TargetReranker(policy_named("thompson"), PRIOR, 20, 0.5).rank(frame(), asked(packed, limit, number))


def learnt(**evidence: tuple[float, float]) -> bytes:
    """What became of items, by the digits of their ids."""
    arms = tuple(item_arm(int(name[1:])) for name in evidence)
    won, lost = zip(*evidence.values(), strict=True)
    return replace(PRIOR, epoch=1, arms=arms, successes=won, failures=lost).to_bytes()


def test_without_outcomes_the_head_of_the_list_comes_first() -> None:
    """Not as published to the letter, or nothing below would ever be tried."""
    firsts = [int(ranked(number=number).order[0]) for number in range(200)]
    assert sum(first < 5 for first in firsts) > 100
    assert len(set(firsts)) > 3


def test_an_item_that_people_value_comes_first_wherever_the_list_has_it() -> None:
    firsts = [int(ranked(learnt(i115=(60.0, 40.0)), number=number).order[0]) for number in range(50)]
    assert firsts.count(15) >= 48


def test_an_item_that_nobody_takes_goes_down() -> None:
    packed = learnt(**{f"i{item}": (0.0, 200.0) for item in range(100, 105)})
    shown = {int(row) for number in range(50) for row in ranked(packed, number=number).order}
    assert not shown & set(range(5))


def test_only_the_first_arms_can_win_but_a_slate_is_always_full() -> None:
    shown = {int(row) for number in range(200) for row in ranked(number=number).order}
    assert max(shown) < 20
    assert sorted(ranked(limit=30).order.tolist()) == list(range(30))


def test_the_same_request_is_the_same_slate_and_a_shorter_one_its_beginning() -> None:
    whole = ranked(limit=10, number=3).order.tolist()
    assert ranked(limit=10, number=3).order.tolist() == whole
    assert ranked(limit=4, number=3).order.tolist() == whole[:4]


def test_the_ranking_names_the_targets_own_context() -> None:
    assert (ranked().context, ranked(learnt(i100=(1.0, 1.0))).posterior_epoch) == (target_context(7), 1)


def test_streamers_are_arms_of_their_own() -> None:
    ranking = TargetReranker(policy_named("thompson"), PRIOR, 20, 0.5).rank(frame(ItemKind.STREAMER), asked())
    assert ranking.arm_set.arms[:2] == (streamer_arm(1_100), streamer_arm(1_101))
    assert ranking.arm_set.chain(0) == ("two_tower",)


def test_a_state_that_cannot_be_read_is_named_and_the_prior_serves() -> None:
    ranking = ranked(b"\x07junk")
    assert ranking.problem.startswith("what the bandit knows of this target cannot be read")
    assert len(ranking.order) == 5


@pytest.mark.parametrize("surface", [Surface.WATCH_NEXT, Surface.RELATED_STREAMERS])
def test_a_slate_is_drawn_again_from_its_log(platform: Platform, surface: Surface) -> None:
    target = 101 if surface is Surface.WATCH_NEXT else 10
    slate = platform.ask(1, surface, 3, context=target, at=NOW - timedelta(hours=12))
    packed = replace(PRIOR, epoch=5, arms=(item_arm(200),), successes=(3.0,), failures=(1.0,)).to_bytes()
    context = (str(surface), target_context(target))
    assert platform.store.put_epoch(context, packed, None, 60, 60)
    later = platform.ask(1, surface, 3, context=target, request_id="r-2", at=NOW - timedelta(hours=12))
    assert (slate.outcome.ranking.posterior_epoch, later.outcome.ranking.posterior_epoch) == (0, 5)
    drain_impressions(platform.warehouse, platform.store, platform.settings, DAY, NOW)
    for served in (slate, later):
        request_id = served.query.request.request_id
        arms = recompute(platform.warehouse, platform.store, platform.settings, DAY, request_id)
        assert [int(arm.partition(":")[2]) for arm in arms] == ids(served)
    archived = platform.warehouse.read(POSTERIOR_EPOCH, DAY)
    assert set(archived.column(c.SEGMENT).to_pylist()) == {target_context(target)}


def test_a_targets_state_goes_with_its_outcomes_and_a_segments_stays(redis_url: str) -> None:
    store, settings = RedisStore.open(redis_url, 10_000), BanditSettings(target_ttl_days=1.0)
    outcomes = Outcomes([item_arm(1)], np.array([True]), np.array([10.0]))
    for context in (("watch_next", target_context(1)), ("watch_next", "light")):
        assert update_context(store, settings, context, outcomes, 20_000).is_new
    with redis.Redis.from_url(redis_url) as client:
        ends = [client.ttl(redis_keys.posteriors("watch_next", name)) for name in (target_context(1), "light")]
    assert ends[0] in (86_399, 86_400)
    assert ends[1] == -1
