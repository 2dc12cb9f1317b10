"""The set-up script on machines that lack something, and on one where nothing changed.

Each test works on a copy of the files that the script reads, with stand-ins for python and uv that only record.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).parents[2]
_TOOLS = ("sh", "make", "dirname", "cat", "cut", "env")
_UV = """#!/bin/sh
if [ "$1" = --version ]; then echo "uv {version}"; exit 0; fi
echo "$@" >>"{record}"
if [ "$1" = venv ]; then mkdir -p "{root}/.venv/bin"; ln -sf "{python}" "{root}/.venv/bin/python"; fi
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    root = tmp_path / "clone"
    (root / "devstack").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "devstack/bootstrap.sh"):
        shutil.copy(_REPOSITORY / name, root / name)
    return root


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with a shell, make and the few programs that every machine has, but no python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for tool in _TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (folder / tool).symlink_to(found)
    return folder


def _make(clone: Path, tools: Path, target: str = "setup", **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(tools), "HOME": str(clone.parent), **more}
    return subprocess.run(
        ["make", "--no-print-directory", target],
        cwd=clone,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )


def _python(tools: Path, script: str) -> None:
    (tools / "python3").write_text(script)
    (tools / "python3").chmod(0o755)


def _ready(clone: Path, tools: Path) -> Path:
    """This python on PATH and a uv that records; returns the record."""
    _python(tools, f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    script = (clone / "devstack" / "bootstrap.sh").read_text()
    version = next(line.partition("=")[2] for line in script.splitlines() if line.startswith("uv_version="))
    record, uv = clone / "record", clone / ".tools" / "uv" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text(_UV.format(version=version, record=record, root=clone, python=sys.executable))
    uv.chmod(0o755)
    (tools / "mkdir").symlink_to(str(shutil.which("mkdir")))
    (tools / "ln").symlink_to(str(shutil.which("ln")))
    return record


def _installs(record: Path) -> list[str]:
    return [line for line in record.read_text().splitlines() if line.startswith("pip install")]


@pytest.mark.parametrize(
    ("python", "message"),
    [
        (None, "no Python 3.11 on PATH; install python3.11"),
        ("#!/bin/sh\nexit 1\n", "no Python 3.11 on PATH; install python3.11"),
        (
            "#!/bin/sh\ncase $2 in *ensurepip*) exit 1;; *) cat >/dev/null; echo stamp;; esac\n",
            "lacks the venv module; install it (Debian and Ubuntu: python3.11-venv)",
        ),
    ],
    ids=["no python", "an older python", "no venv module"],
)
def test_what_is_missing_is_one_line_that_names_what_to_install(
    clone: Path, tools: Path, python: str | None, message: str
) -> None:
    if python is not None:
        _python(tools, python)
    answer = _make(clone, tools, "demo")
    errors = [line for line in answer.stderr.splitlines() if not line.startswith("make: ***")]
    assert answer.returncode != 0
    assert len(errors) == 1
    assert message in errors[0]
    assert not (clone / ".venv").exists()


def test_set_up_is_skipped_while_nothing_changed(clone: Path, tools: Path) -> None:
    record = _ready(clone, tools)
    assert _make(clone, tools).returncode == 0
    assert _make(clone, tools).returncode == 0
    assert len(_installs(record)) == 1


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_dependency_sets_up_anew(clone: Path, tools: Path, name: str) -> None:
    record = _ready(clone, tools)
    _make(clone, tools)
    (clone / name).write_text((clone / name).read_text() + "\n")
    _make(clone, tools)
    assert len(_installs(record)) == 2


def test_the_torch_backend_is_handed_to_uv_and_a_change_of_it_sets_up_anew(clone: Path, tools: Path) -> None:
    record = _ready(clone, tools)
    _make(clone, tools)
    _make(clone, tools, TORCH_BACKEND="cpu")
    plain, small = _installs(record)
    assert "--torch-backend" not in plain
    assert "--torch-backend cpu" in small


def test_an_interrupted_set_up_is_done_again(clone: Path, tools: Path) -> None:
    record = _ready(clone, tools)
    (clone / ".venv" / "bin").mkdir(parents=True)
    os.symlink(sys.executable, clone / ".venv" / "bin" / "python")
    _make(clone, tools)
    assert len(_installs(record)) == 1


def test_constraints_pin_everything_and_name_no_index() -> None:
    lines = (_REPOSITORY / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if "==" not in line or line.startswith("-") or "/" in line] == []
