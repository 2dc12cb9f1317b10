from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.errors import InvalidRequestError
from contracts.live_events import live_event
from tests.world.configs import SMALL
from world.__main__ import app, main


def test_generate_writes_the_log_and_prints_rows_per_table_and_day(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["generate", "--config", str(SMALL), "--out", str(tmp_path / "log")])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert "watch_event" in lines[0]
    assert [line.split()[0] for line in lines[1:]] == ["2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"]
    assert (tmp_path / "log" / "world.json").is_file()


def test_an_unknown_key_is_one_line_on_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.toml"
    file.write_text("[users]\ncuont = 3\n")
    monkeypatch.setattr("sys.argv", ["world", "generate", "--config", str(file), "--out", str(tmp_path / "log")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: world config")
    assert printed.count("\n") == 1
    assert not (tmp_path / "log").exists()


def test_live_events_are_printed_as_lines_of_json() -> None:
    asked = ["live_events", "--config", str(SMALL), "--date", "2026-03-02", "--hours", "6", "--speed", "0"]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0
    kinds = {live_event(line.encode()).type for line in result.output.splitlines()}
    assert kinds == {"go_live", "heartbeat", "end_live"}


@pytest.mark.parametrize("day", ["2026-02-30", "2025-01-01"])
def test_a_day_that_the_world_does_not_have_is_named(day: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"--date {day} is not a day"):
        CliRunner().invoke(
            app, ["live_events", "--config", str(SMALL), "--date", day, "--speed", "0"], catch_exceptions=False
        )
