from pathlib import Path

from typer.testing import CliRunner

from tests.world.configs import SMALL
from world.__main__ import app


def test_generate_writes_the_log_and_prints_rows_per_table_and_day(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["generate", "--config", str(SMALL), "--out", str(tmp_path / "log")])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert "watch_event" in lines[0]
    assert [line.split()[0] for line in lines[1:]] == ["2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"]
    assert (tmp_path / "log" / "world.json").is_file()


def test_an_unknown_key_is_one_line_on_stderr(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text("[users]\ncuont = 3\n")
    result = CliRunner().invoke(app, ["generate", "--config", str(file), "--out", str(tmp_path / "log")])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: world config")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "log").exists()
