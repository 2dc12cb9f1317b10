"""Programs that tests use and `make` does not install: their absence is a reason to skip on a laptop, never in CI."""

import os
import shutil

import pytest


def program(names: tuple[str, ...], package: str) -> str:
    """The first of these programs on PATH.

    Where there is none, the test is skipped with the package to install; where the variable CI is set it fails, for
    `.ci/run` installs them.
    """
    found = next(filter(None, map(shutil.which, names)), None)
    if found is not None:
        return found
    missing = f"none of {', '.join(names)} is on PATH; Debian and Ubuntu: apt install {package}"
    if os.environ.get("CI"):
        pytest.fail(f"{missing}; .ci/run does so")
    pytest.skip(missing)
