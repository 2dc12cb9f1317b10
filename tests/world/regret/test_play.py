from dataclasses import replace

import numpy as np
import pytest

from bandit.policies import thompson
from contracts.settings import BanditSettings
from world.config import ChoiceConfig
from world.regret.play import play
from world.regret.problem import Problem
from world.regret.report import POLICIES
from world.regret.slates import UNIFORM

STEPS = 60
CHOICE = ChoiceConfig(position_bias=0.0)
TWO = Problem(
    arms=("popular", "two_tower"),
    parents=(),
    features=np.eye(2),
    candidates=3,
    slots=3,
    chances=np.tile([0.1, 0.6], (STEPS, 1)),
    shown=np.ones((STEPS, 2), bool),
    requests=np.full(STEPS, 5.0),
)
SETTINGS = BanditSettings()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_run_is_the_same_again(policy: str) -> None:
    first, again = (play(TWO, policy, SETTINGS, CHOICE, 4) for _ in range(2))
    assert (first.got == again.got).all()
    assert (play(TWO, policy, SETTINGS, CHOICE, 5).got != first.got).any()


@pytest.mark.parametrize("policy", POLICIES)
def test_everybody_is_asked_as_often_and_nobody_beats_the_oracle(policy: str) -> None:
    played = play(TWO, policy, SETTINGS, CHOICE, 4)
    assert played.best.tolist() == play(TWO, UNIFORM, SETTINGS, CHOICE, 4).best.tolist()
    assert (played.got <= played.best + 1e-9).all()


def test_uniform_loses_half_the_difference_of_two_arms() -> None:
    assert play(TWO, UNIFORM, SETTINGS, CHOICE, 4).share == pytest.approx(0.25 / 0.6, abs=0.03)


@pytest.mark.parametrize("policy", [policy for policy in POLICIES if policy != UNIFORM])
def test_who_learns_loses_less_in_the_end(policy: str) -> None:
    played = play(TWO, policy, SETTINGS, CHOICE, 4)
    early, late = slice(0, 4), slice(40, 60)
    assert played.got[late].sum() / played.best[late].sum() > 0.85
    assert played.got[early].sum() / played.best[early].sum() < 0.85


def test_nothing_is_learnt_before_the_attribution_window_closes() -> None:
    patient = SETTINGS.model_copy(update={"attribution_minutes": 30.0 * STEPS})
    played = play(TWO, thompson.POLICY_ID, patient, CHOICE, 4)
    assert played.share == pytest.approx(0.25 / 0.6, abs=0.04)


def test_what_is_never_examined_teaches_nothing() -> None:
    blind = ChoiceConfig(position_bias=60.0)
    first_only = play(replace(TWO, slots=1, candidates=1), thompson.POLICY_ID, SETTINGS, CHOICE, 4)
    deep = play(TWO, thompson.POLICY_ID, SETTINGS, blind, 4)
    assert deep.best.sum() == pytest.approx(first_only.best.sum())


def test_a_list_without_arms_serves_nothing() -> None:
    empty = replace(TWO, shown=np.zeros((STEPS, 2), bool))
    played = play(empty, thompson.POLICY_ID, SETTINGS, CHOICE, 4)
    assert (played.got.sum(), played.best.sum()) == (0.0, 0.0)
