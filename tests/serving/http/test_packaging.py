"""An installed edge has its templates."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

import serving

ROOT = Path(serving.__file__).parents[1]


@pytest.mark.slow
def test_a_wheel_holds_the_templates_and_the_style_of_the_page(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "serving", tmp_path / "serving", ignore=shutil.ignore_patterns("__pycache__"))
    code = "from setuptools.build_meta import build_wheel; build_wheel('wheels')"
    (tmp_path / "wheels").mkdir()
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True)
    (wheel,) = (tmp_path / "wheels").glob("*.whl")
    templates = {path.relative_to(ROOT).as_posix() for path in (ROOT / "serving/http/templates").iterdir()}
    assert len(templates) > 5
    assert templates <= set(ZipFile(wheel).namelist())
