import pytest

from contracts.command_line import run
from contracts.errors import SettingsError


def test_a_named_error_is_one_line_on_stderr_and_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        raise SettingsError("STREAMREC_X is no setting")

    with pytest.raises(SystemExit) as ended:
        run(fails)
    assert ended.value.code == SettingsError.exit_code
    assert capsys.readouterr() == ("", "error: STREAMREC_X is no setting\n")


def test_a_defect_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 / 0)
