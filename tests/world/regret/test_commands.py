import pytest
from typer.testing import CliRunner

from contracts.settings import BanditSettings
from world.__main__ import app
from world.config import ChoiceConfig
from world.regret import commands, tuning
from world.regret.platforms import REPORTED, TUNING, Platform
from world.regret.report import DRIFTING, POLICIES, STATIONARY, cases, measure, report
from world.regret.setting import Cut
from world.regret.tuning import changed, tune

TINY = Platform(
    {"days": 1, "users": {"count": 60}, "streamers": {"count": 20, "categories": 3}},
    Cut(people=20, list_length=6, requests_per_day=150.0),
)


def test_regret_prints_a_line_per_surface_platform_and_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "REPORTED", {"tiny": TINY})
    result = CliRunner().invoke(app, ["regret", "--worlds", "2"])
    assert result.exit_code == 0, result.output
    assert len(result.output.splitlines()) == 3 * 2 * len(POLICIES)
    assert "home_clips         stationary  thompson/2" in result.output


def test_tuning_prints_every_trial_and_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "TUNING", {"tiny": TINY})
    grid = (("thompson/2", "exploration_scale", (0.1, 4.0)), ("thompson/2", "prior_strength", (5.0,)))
    monkeypatch.setattr(tuning, "_GRID", grid)
    result = CliRunner().invoke(app, ["tune_bandit", "--worlds", "1"])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert [line.split()[:3] for line in lines[:3]] == [
        ["thompson/2", "exploration_scale", "0.1"],
        ["thompson/2", "exploration_scale", "4"],
        ["thompson/2", "prior_strength", "5"],
    ]
    assert sum("best" in line for line in lines[:2]) == 1


def test_uniform_loses_most_and_intervals_hold_their_mean() -> None:
    rows = report(measure(cases({"tiny": TINY}, [1, 2, 3]), POLICIES, BanditSettings()))
    for kind in (STATIONARY, DRIFTING):
        lost = {row["policy"]: row["regret_percent"] for row in rows if row["platform"] == kind}
        assert max(lost, key=lambda policy: lost[policy][0]) == "uniform"
        assert all(low <= mean <= high for mean, low, high in lost.values())
    thompson = [row["percent_more_than_thompson"] for row in rows if row["policy"] == "thompson/2"]
    assert thompson == [[0.0, 0.0, 0.0]] * 6


def test_the_best_of_each_step_stays_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        tuning,
        "_GRID",
        (("thompson/2", "exploration_scale", (0.2, 9.0)), ("thompson/2", "half_life_hours", (9.0, 72.0))),
    )
    steps = list(tune(cases({"tiny": TINY}, [1, 2]), BanditSettings()))
    for trials, best in steps:
        winner = min(trials, key=lambda trial: trial.regret_percent)
        assert getattr(best, winner.setting) == winner.value
    assert steps[1][1].exploration_scale == steps[0][1].exploration_scale


def test_a_stronger_prior_has_the_same_mean() -> None:
    found = changed(BanditSettings(prior_successes=1.0, prior_failures=9.0), "prior_strength", 30.0)
    assert (found.prior_successes, found.prior_failures) == (3.0, 27.0)


def test_what_is_reported_is_not_what_was_tuned_on() -> None:
    assert not set(TUNING) & set(REPORTED)
    configs = [platform.config for platform in (*TUNING.values(), *REPORTED.values())]
    assert all(one != other for at, one in enumerate(configs) for other in configs[:at])
    assert min(commands.reported_seeds(20)) > 1_000
    assert ChoiceConfig().click_bias not in {config["choice"]["click_bias"] for config in configs}
