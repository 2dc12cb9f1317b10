import os
import subprocess
from pathlib import Path

import pytest

from contracts.java import java_home

_FAKE = """#!/bin/sh
echo '    java.home = {home}' >&2
echo 'openjdk version "{version}" 2025-04-15' >&2
"""


def _machine_java(home: Path, version: str | None) -> None:
    """A program that answers as a Java of that version does; None leaves the machine without one."""
    (home / "bin").mkdir(parents=True)
    if version is not None:
        (home / "bin" / "java").write_text(_FAKE.format(home=home, version=version))
        (home / "bin" / "java").chmod(0o755)


@pytest.mark.parametrize(
    ("by_home", "by_path", "expected"),
    [
        ("17.0.15", "21.0.1", "by_home"),
        ("21", None, "by_home"),
        ("11.0.2", "17.0.1", "by_path"),
        ("1.8.0_402", "25", "by_path"),
        (None, "17", "by_path"),
        (None, "11.0.2", "shim"),
        ("1.8.0_402", None, "shim"),
        (None, None, "shim"),
    ],
)
def test_the_first_java_that_is_new_enough_is_taken(
    tmp_path: Path, by_home: str | None, by_path: str | None, expected: str
) -> None:
    _machine_java(tmp_path / "by_home", by_home)
    _machine_java(tmp_path / "by_path", by_path)
    path = f"{tmp_path / 'by_path' / 'bin'}{os.pathsep}{os.defpath}" if by_path else str(tmp_path / "by_path" / "bin")
    found = java_home({"JAVA_HOME": str(tmp_path / "by_home"), "PATH": path}, tmp_path / "shim")
    assert found == tmp_path / expected


def test_a_java_that_cannot_run_is_passed_over(tmp_path: Path) -> None:
    _machine_java(tmp_path / "broken", "17")
    (tmp_path / "broken" / "bin" / "java").write_text("#!/nonexistent/interpreter\n")
    assert java_home({"JAVA_HOME": str(tmp_path / "broken"), "PATH": ""}, tmp_path / "shim") == tmp_path / "shim"


def test_the_shim_hands_on_every_argument_but_the_missing_module(tmp_path: Path) -> None:
    home = java_home({"PATH": ""}, tmp_path / "shim")
    java = str(home / "bin" / "java")
    refused = subprocess.run(
        [java, "--add-modules=jdk.incubator.vector", "-Dgreeting=two words", "-XshowSettings:properties", "-version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "greeting = two words" in refused.stderr


def test_an_existing_shim_is_left_as_it_is(tmp_path: Path) -> None:
    first = java_home({"PATH": ""}, tmp_path / "shim") / "bin" / "java"
    written = first.stat().st_ino
    again = java_home({"PATH": ""}, tmp_path / "shim") / "bin" / "java"
    assert again.stat().st_ino == written
