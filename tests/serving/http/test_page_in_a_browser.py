"""The page of a running edge, opened in headless Chromium."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from matplotlib.image import imread

from contracts.settings import LiveSettings, ServingSettings
from serving.live import go_live
from serving.publish import publish
from serving.stores.leases import LeaseDetails, LeaseTerms, Renewal
from serving.stores.redis_store import RedisStore
from tests.redis_server import running_redis
from tests.serving.builders import DAY, NOW, small_platform
from tests.serving.http.chromium import Seen, look
from tests.serving.http.edges import RunningEdge, running_edge

BUTTON = (0x5B, 0x5B, 0xD6)
LIVE_BADGE = (0xD7, 0x26, 0x3D)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An edge that needs no key, with a streamer who is live under a title that is none of HTML's business."""
    home = tmp_path_factory.mktemp("page_edge")
    with running_redis(home) as server:
        url = f"{server}/0"
        store = RedisStore.open(url, 10_000)
        publish(small_platform(home), store, ServingSettings(), DAY, NOW)
        terms = LeaseTerms.of(ServingSettings(lease_seconds=3_600), LiveSettings())
        renewal = Renewal(10, 77, time.time(), time.time(), LeaseDetails("<b>speed</b>run & more", "games", "en"))
        go_live(store, renewal, terms)
        environment = {
            "STREAMREC_HOME": str(home),
            "STREAMREC_REDIS__URL": url,
            "STREAMREC_HTTP__NEEDS_KEY": "false",
        }
        with running_edge(environment, home / "edge.log") as edge:
            yield edge


def has_colour(seen: Seen, colour: tuple[int, int, int], pixels: int) -> bool:
    """Whether so many pixels of the picture are of a colour."""
    picture = np.round(imread(seen.picture)[:, :, :3] * 255).astype(int)
    return int((picture == colour).all(axis=2).sum()) >= pixels


@pytest.mark.slow
def test_a_person_picks_a_user_and_a_surface_and_sees_the_slate(address: str, tmp_path: Path) -> None:
    seen = look(f"{address}/?user=1&surface=home_clips&limit=7", tmp_path)  # all there are: the bandit leaves none out
    assert "7 items for user 1" in seen.words
    assert "title 101" in seen.words
    assert "Close to what you watched lately." in seen.words
    assert re.search(r"Propensity 50\.0 % Posterior mean 0\.\d{4}", seen.words)
    assert "Drawn again the same slate" in seen.words
    assert "filters visibility" in seen.words
    assert seen.document.count('class="card ') == 7
    assert seen.document.count('class="outline"') == 2
    assert '<option value="home_clips" selected="">' in seen.document


@pytest.mark.slow
def test_the_style_is_applied_and_the_policy_refuses_nothing_of_ours(address: str, tmp_path: Path) -> None:
    seen = look(f"{address}/?user=1&surface=home_live", tmp_path)
    assert "Refused to" not in seen.said
    assert "violates" not in seen.said
    assert has_colour(seen, BUTTON, 1_000)
    assert has_colour(seen, LIVE_BADGE, 300)


@pytest.mark.slow
def test_what_streamers_write_is_read_as_they_wrote_it(address: str, tmp_path: Path) -> None:
    seen = look(f"{address}/?user=1&surface=home_live", tmp_path)
    assert seen.words.count("<b>speed</b>run & more") >= 2  # the card, and who is live now
    assert "<b>speed" not in seen.document


@pytest.mark.slow
def test_what_cannot_be_answered_is_seen_on_a_small_screen_too(address: str, tmp_path: Path) -> None:
    seen = look(f"{address}/?user=me&surface=home_clips", tmp_path, 400, 1_200)
    assert "This cannot be answered" in seen.words
    assert "is not a whole number of 64 bits" in seen.words
    assert 'value="me"' in seen.document


@pytest.mark.slow
def test_a_browser_gives_the_key_as_a_password(running: RunningEdge, tmp_path: Path) -> None:
    place = running.url.removeprefix("http://")
    assert "items for user" not in look(f"{running.url}/?user=1", tmp_path / "without").words
    seen = look(f"http://anybody:{quote(running.key)}@{place}/?user=1&limit=4", tmp_path / "with")
    assert "4 items for user 1" in seen.words
    assert quote(running.key) not in seen.document
