"""Slates of shared contexts, for services that only read Redis."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from bandit.arms import item_arm
from bandit.policies.thompson import select
from contracts.errors import StoreUnavailableError
from contracts.names import Segment, target_context
from contracts.settings import ServingSettings
from serving.__main__ import app
from serving.epochs import prior_epoch
from serving.publish import publish
from serving.recommend import Recommender
from serving.requests import Asked, to_request
from serving.resample import Resampler, ResampleReport, SampledList
from serving.stores.redis_store import RedisStore
from tests.serving.builders import DAY, NOW, small_platform
from tests.serving.platform import Platform

VALUED, LOST = 103, 200
"""Of what goes with content 101: the one that people value there, and the one that they do not."""


def learn(platform: Platform, target: int) -> None:
    prior = prior_epoch(platform.settings.bandit)
    arms = (item_arm(VALUED), item_arm(LOST))
    state = replace(prior, epoch=7, arms=arms, successes=(50.0, 0.0), failures=(50.0, 100.0))
    assert platform.store.put_epoch(("watch_next", target_context(target)), state.to_bytes(), None, 60, 60)


def sample(platform: Platform, minutes: int = 0) -> ResampleReport:
    at = NOW + timedelta(minutes=minutes)
    return Resampler(platform.store, platform.state(), platform.settings, at).round()


def drawn(platform: Platform, surface: str, context: str) -> SampledList:
    body = platform.store.sampled(surface, context)
    assert body is not None
    return msgspec.json.decode(body, type=SampledList)


def test_a_target_with_outcomes_gets_a_slate_by_them(platform: Platform) -> None:
    learn(platform, 101)
    report = sample(platform)
    assert (report.targets, report.targets_without_outcomes) == (1, 1)  # streamer 10's related streamers have none
    found = drawn(platform, "watch_next", target_context(101))
    assert (found.items[0].id, found.posterior_epoch, found.policy_id) == (str(VALUED), 7, "thompson/2")
    assert found.items[0].propensity == pytest.approx(1.0, abs=0.01)
    assert platform.store.sampled("related_streamers", target_context(10)) is None


def test_segments_get_theirs_and_it_can_be_drawn_again(platform: Platform) -> None:
    assert sample(platform).segments == 2
    for segment in (Segment.LIGHT, Segment.ALL):
        found = drawn(platform, "home_clips", segment)
        assert {item.source for item in found.items} == {"popular"}
        assert [item.propensity for item in found.items] == [1.0] * len(found.items)
        assert found.generation == platform.store.current_generation()


def test_a_drawn_list_follows_from_its_epoch_and_seed(platform: Platform) -> None:
    learn(platform, 101)
    sample(platform)
    found = drawn(platform, "watch_next", target_context(101))
    request_id = f"resample.watch_next.{target_context(101)}.{NOW:%Y%m%dT%H%M%S}"
    request = to_request(Asked(request_id, "watch_next", context=101), NOW, platform.settings.serving)
    assert found.seed == str(request.seed)
    recommender = Recommender(platform.settings)
    asking = recommender.ask(request, platform.state())
    user = platform.store.read(asking.plan)
    ranking = recommender.answer(asking, user).outcome.ranking
    state = replace(prior_epoch(platform.settings.bandit), epoch=7)
    again = type(state).from_bytes(user.posterior or b"")
    arms = [ranking.arm_set.arms[arm] for arm in select(again, ranking.arm_set, 20, request.seed)]
    assert arms == [item_arm(int(item.id)) for item in found.items]


def test_the_next_round_draws_anew(platform: Platform) -> None:
    learn(platform, 101)
    seeds = set()
    for minutes in range(3):
        sample(platform, minutes)
        seeds.add(drawn(platform, "watch_next", target_context(101)).seed)
    assert len(seeds) == 3


def test_removed_contents_are_in_no_drawn_list(platform: Platform) -> None:
    learn(platform, 101)
    sample(platform)
    assert "102" not in {item.id for item in drawn(platform, "watch_next", target_context(101)).items}


def test_a_store_that_goes_away_is_named(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailableError("Redis did not answer")

    monkeypatch.setattr(platform.store, "put_sampled", away)
    with pytest.raises(StoreUnavailableError):
        sample(platform)


def test_the_command_does_one_round(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(small_platform(tmp_path), RedisStore.open(redis_url, 10_000), ServingSettings(), DAY, NOW)
    monkeypatch.setenv("STREAMREC_HOME", str(tmp_path))
    monkeypatch.setenv("STREAMREC_REDIS__URL", redis_url)
    result = CliRunner().invoke(app, ["resample"])
    assert result.exit_code == 0, result.output
    assert msgspec.json.decode(result.output)["segments"] == 2
