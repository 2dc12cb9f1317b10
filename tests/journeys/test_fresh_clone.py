"""What a newcomer does: clone, `make demo`, `make demo` again, with nothing in the home folder."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]
_CACHES = {"uv", "pip"}
_PASSED_ON = ("PATH", "LANG", "UV_CACHE_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT", "REQUESTS_CA_BUNDLE")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", str(_REPOSITORY), str(tmp_path / "clone")], check=True)
    return tmp_path / "clone"


@pytest.fixture
def newcomer(tmp_path: Path) -> dict[str, str]:
    """An empty home; the package cache is this machine's, so that the test downloads nothing twice."""
    home = tmp_path / "home"
    home.mkdir()
    indexes = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_"))}
    passed_on = {name: os.environ[name] for name in (*_PASSED_ON, *_PROXIES) if name in os.environ}
    cache = os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))
    return {**indexes, **passed_on, "HOME": str(home), "UV_CACHE_DIR": cache}


def _make_demo(clone: Path, environment: dict[str, str]) -> str:
    answer = subprocess.run(
        ["make", "demo"],
        cwd=clone,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert answer.returncode == 0, answer.stdout[-4_000:] + answer.stderr[-4_000:]
    return answer.stdout


def _verdict(clone: Path) -> dict[str, Any]:
    """The metrics without the names of the snapshots, which hold the time of the run."""
    metrics: dict[str, Any] = json.loads((clone / "demo" / "metrics.json").read_text())
    return {name: value for name, value in metrics.items() if name != "snapshots"}


def _slates(shown: str) -> str:
    """From the first slate to the verdict, without the names of the generations, which are new for every publish."""
    slates = shown[shown.index("home_clips for user") : shown.index("tables  ")]
    return re.sub(r"generation [\w-]+", "generation", slates)


@pytest.mark.slow
@pytest.mark.timeout(1_500)
def test_a_newcomer_sees_slates_and_the_same_ones_again(clone: Path, newcomer: dict[str, str]) -> None:
    first = _make_demo(clone, newcomer)
    verdict = _verdict(clone)
    second = _make_demo(clone, newcomer)

    assert len(set(re.findall(r"home_\w+ for user (\d+)", first))) == 3
    assert {"home_clips", "home_live"} == set(re.findall(r"(home_\w+) for user", first))
    judged = verdict["surfaces"]["home_clips"]["new"]["all"]["lists"]
    assert judged["published"]["ndcg_at_20"]["mean"] > judged["popular_last_day"]["ndcg_at_20"]["mean"]
    assert _verdict(clone) == verdict
    assert _slates(second) == _slates(first)
    assert {path.name for path in (Path(newcomer["HOME"])).rglob("*") if path.parent.name == ".cache"} <= _CACHES
    assert {path.name for path in Path(newcomer["HOME"]).iterdir()} <= {".cache"}
    subprocess.run(["git", "diff", "--exit-code"], cwd=clone, check=True)
    unknown = subprocess.run(["git", "status", "--porcelain"], cwd=clone, check=True, capture_output=True, text=True)
    assert unknown.stdout == ""
