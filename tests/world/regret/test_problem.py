from dataclasses import replace

import numpy as np
import pytest

from tests.world.configs import small
from world.choice import CLIP, Encounter, click_chance, satisfaction
from world.config import ChoiceConfig
from world.population import unit
from world.regret.items import contents_problem, streamers_problem
from world.regret.problem import STEP_SECONDS, Problem, success_chances, traffic
from world.regret.setting import Cut, Setting
from world.regret.sources import sources_problem
from world.world import World


@pytest.fixture(scope="module")
def setting() -> Setting:
    config = small(days=2, streamers={"count": 40, "born_share": 0.4})
    return Setting.of(World.from_config(config), Cut(people=50, list_length=8, requests_per_day=240.0))


def test_chances_are_those_of_the_choice_model() -> None:
    """30,000 draws of click and satisfaction per pair: 5 standard errors are 0.015."""
    rng, choice = np.random.default_rng(2), ChoiceConfig()
    people, items = unit(rng.normal(size=(2, 8))), unit(rng.normal(size=(3, 8)))
    quality, ties = np.array([-1.0, 0.0, 1.0]), np.array([[True, False, False], [False, False, True]])
    chances = success_chances(choice, people, items, quality, ties)
    for user in range(2):
        for item in range(3):
            many = np.full(30_000, 1.0)
            affinity = np.sqrt(8) * people[user] @ items[item] * many
            met = Encounter(
                np.full(30_000, CLIP), affinity, quality[item] * many, np.full(30_000, ties[user, item]), many
            )
            won = (rng.random(30_000) < click_chance(choice, met)) & (satisfaction(choice, met, rng) > 0)
            assert chances[user, item] == pytest.approx(won.mean(), abs=0.015)


def test_traffic_follows_the_hours() -> None:
    found = traffic((0.0,) * 12 + (1.0,) * 12, 2, 100.0)
    assert found.shape == (96,)
    assert (found[:24].sum(), found[24:48].sum(), found.sum()) == (0.0, pytest.approx(100.0), pytest.approx(200.0))


def test_a_streamer_is_on_the_list_only_while_live(setting: Setting) -> None:
    problem = streamers_problem(setting)
    world = setting.world
    for step in (0, 33, 95):
        live = {f"streamer:{streamer}" for streamer in world.first.scene.population.streamers.ids}
        on = world.first.scene.schedule.on_at(float(setting.times[step]))
        live &= {f"streamer:{row + 1}" for row in world.first.scene.schedule.streamer[on]}
        shown = {problem.arms[arm] for arm in np.flatnonzero(problem.shown[step])}
        assert shown <= live
        assert len(shown) >= min(8, len(live) - 1)


def test_contents_come_and_go(setting: Setting) -> None:
    problem = contents_problem(setting)
    assert problem.shown.sum(axis=1).max() == 8
    assert (problem.shown[0] != problem.shown[-1]).any()
    assert all(chain[0].startswith("streamer:") and len(chain) == 2 for chain in problem.parents)
    assert problem.features.shape == (len(problem.arms), 9)


def test_new_streamers_become_a_source_once_they_have_contents(setting: Setting) -> None:
    problem = sources_problem(setting, is_heavy=True)
    newcomer = problem.arms.index("exploration/newcomer")
    assert not problem.shown[0, newcomer]
    assert problem.shown[-1, newcomer]
    assert ((problem.chances > 0) == problem.shown).all()


def test_the_model_source_knows_better_than_popularity(setting: Setting) -> None:
    problem = sources_problem(setting, is_heavy=False)
    means = dict(zip(problem.arms, problem.chances.mean(axis=0), strict=True))
    assert means["two_tower"] > means["popular"]


def test_fashion_moves_chances_and_without_it_they_stay(setting: Setting) -> None:
    moving = contents_problem(setting).chances
    calm = contents_problem(Setting.of(setting.world, replace(setting.cut, fashion_drift=0.0))).chances
    assert calm[0] == pytest.approx(calm[-1])
    assert np.abs(moving[0] - moving[-1]).max() > 0.01


def test_nothing_changes_on_a_platform_that_stands_still(setting: Setting) -> None:
    problem = contents_problem(setting)
    still = problem.still()
    assert isinstance(still, Problem)
    assert (still.chances == still.chances[0]).all()
    assert (still.shown == still.shown[0]).all()
    assert still.requests.sum() == pytest.approx(problem.requests.sum())
    assert np.diff(setting.times).min() == STEP_SECONDS
