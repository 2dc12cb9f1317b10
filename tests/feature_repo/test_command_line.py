"""The commands as an operator runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from contracts import columns as c
from contracts.settings import Settings
from feature_repo.__main__ import main
from tests.feature_repo.tables import write_one_of_each

REPOSITORY = Path(__file__).parents[2]


def feature_repo(settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {"STREAMREC_HOME": str(settings.home), "STREAMREC_REDIS__URL": settings.redis.url}
    command = [sys.executable, "-m", "feature_repo", *arguments]
    return subprocess.run(
        command, env={**os.environ, **environment}, cwd=REPOSITORY, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_a_day_goes_from_the_tables_to_an_online_row(online_settings: Settings) -> None:
    write_one_of_each(online_settings)
    applied = feature_repo(online_settings, "apply")
    loaded = feature_repo(online_settings, "materialize", "--date", "2026-01-01")
    shown = feature_repo(online_settings, "online", "--user", "1")
    assert [applied.returncode, loaded.returncode, shown.returncode] == [0, 0, 0]
    assert str(online_settings.feast_config_path) in applied.stdout
    assert loaded.stdout == "loaded 1 users' features of 2026-01-01 into the online store\n"
    assert json.loads(shown.stdout)[c.VIEWS] == 1
    assert applied.stderr + loaded.stderr + shown.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["apply"], "error: table user_feature_v1 has no partition"),
        (["materialize", "--date", "2026-01-01"], "python -m jobs user_features --date 2026-01-01"),
        (["online", "--user", "1"], "run first: python -m feature_repo apply"),
    ],
)
def test_a_named_error_is_one_line_and_an_exit_code(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.setenv("STREAMREC_HOME", str(settings.home))
    monkeypatch.setattr(sys, "argv", ["feature_repo", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    answer = capsys.readouterr()
    assert left.value.code == 2
    assert message in answer.err
    assert answer.err.count("\n") == 1
    assert answer.out == ""
