import pytest

from tests.programs import program


def test_a_program_that_is_there_is_found() -> None:
    assert program(("no-such-program", "sh"), "dash").endswith("sh")


def test_a_missing_program_skips_a_test_on_a_laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt install some-tools"):
        program(("no-such-program",), "some-tools")


def test_a_missing_program_fails_a_test_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt install some-tools"):
        program(("no-such-program",), "some-tools")
