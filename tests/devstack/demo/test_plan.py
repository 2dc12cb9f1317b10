import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from contracts.errors import LogFormatError, SettingsError
from contracts.names import LogFormat
from contracts.settings import PlatformSettings, Settings
from devstack.demo.plan import (
    DemoDays,
    DemoLog,
    choose_days,
    demo_environment,
    empty_home,
    named_log,
    write_environment_file,
)


def _april(*days: int) -> list[date]:
    return [date(2022, 4, day) for day in days]


@pytest.mark.parametrize(
    ("found", "first", "pipeline"),
    [
        (_april(25, 26, 27, 28, 29, 30), 25, 29),
        (_april(30, 28, 29, 29), 28, 29),
        (_april(20, 21, 22, 30), 20, 21),
        (_april(1, 29, 30), 1, 29),
    ],
)
def test_the_last_two_days_in_a_row_are_pipeline_and_judge(found: list[date], first: int, pipeline: int) -> None:
    expected = DemoDays(date(2022, 4, first), date(2022, 4, pipeline), date(2022, 4, pipeline + 1))
    assert choose_days(found) == expected


@pytest.mark.parametrize("found", [[], _april(30), _april(29, 30), _april(26, 28, 30)])
def test_a_log_without_history_day_and_next_day_is_an_error(found: list[date]) -> None:
    with pytest.raises(LogFormatError, match="the demo needs history, a day for the pipeline and the day after"):
        choose_days(found)


def test_slates_are_asked_for_in_the_evening_of_the_platform() -> None:
    settings = Settings(platform=PlatformSettings(time_zone="Asia/Shanghai"))
    days = DemoDays(date(2022, 4, 25), date(2022, 4, 29), date(2022, 4, 30))
    assert days.evening(settings) == datetime(2022, 4, 30, 12, tzinfo=UTC)


def test_without_log_or_options_the_demo_makes_its_own() -> None:
    assert named_log(None, LogFormat.WATCH_EVENT, None) is None


@pytest.mark.parametrize(
    ("log", "log_format", "mapping", "message"),
    [
        (None, LogFormat.KUAIRAND, None, "FORMAT=kuairand needs the log, too"),
        ("nowhere", LogFormat.KUAIRAND, None, "nowhere does not exist"),
        (".", LogFormat.MAPPED, None, "needs MAPPING=FILE"),
        (".", LogFormat.MAPPED, "no.toml", "needs MAPPING=FILE.*no.toml"),
    ],
)
def test_options_that_do_not_fit_together_are_one_error(
    tmp_path: Path, log: str | None, log_format: LogFormat, mapping: str | None, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        named_log(tmp_path / log if log else None, log_format, tmp_path / mapping if mapping else None)


def test_a_home_of_an_earlier_demo_is_emptied(tmp_path: Path) -> None:
    empty_home(tmp_path / "demo")
    (tmp_path / "demo" / "metrics.json").write_text("{}")
    empty_home(tmp_path / "demo")
    assert not (tmp_path / "demo" / "metrics.json").exists()


def test_a_home_with_somebody_else_s_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(SettingsError, match="holds files that no demo wrote"):
        empty_home(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_kuairand_steps_live_in_its_time_zone_and_a_person_s_own_settings_hold(tmp_path: Path) -> None:
    log = DemoLog(tmp_path / "log", LogFormat.KUAIRAND)
    person = {"STREAMREC_TWO_TOWER__DEVICE": "cpu", "STREAMREC_HOME": "elsewhere", "SPARK_HOME": "/opt/spark"}
    environment = demo_environment(Settings(home=tmp_path / "demo"), log, person)
    assert environment["STREAMREC_PLATFORM__TIME_ZONE"] == "Asia/Shanghai"
    assert environment["STREAMREC_TWO_TOWER__DEVICE"] == "cpu"
    assert environment["STREAMREC_HOME"] == str(tmp_path / "demo")
    assert "SPARK_HOME" not in environment


def test_a_shell_can_go_on_from_the_environment_file(tmp_path: Path) -> None:
    home = tmp_path / "a demo"
    home.mkdir()
    write_environment_file(home, {"STREAMREC_HOME": str(home), "OTHER": "secret"})
    script = f". '{home}/settings.env'; echo \"$STREAMREC_HOME $OTHER\""
    answer = subprocess.run(["sh", "-c", script], env={}, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == str(home)
