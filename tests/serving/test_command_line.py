"""The commands as an operator runs them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts import columns as c
from contracts.erasure import erased_users
from contracts.errors import StoreUnavailableError, StreamrecError
from contracts.snapshots import Warehouse
from contracts.tables import CANDIDATE_LIST, IMPRESSION
from serving.__main__ import app
from serving.channels.sql import SqlChannelStore
from tests.serving.builders import DAY, candidate_rows, small_platform, write

Run = CliRunner().invoke


@pytest.fixture
def platform(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    small_platform(tmp_path)
    monkeypatch.setenv("STREAMREC_HOME", str(tmp_path))
    monkeypatch.setenv("STREAMREC_REDIS__URL", redis_url)
    monkeypatch.setenv("STREAMREC_REDIS__TIMEOUT_MS", "10000")
    monkeypatch.setenv("STREAMREC_BANDIT__PROPENSITY_DRAWS", "1000")
    return DAY.isoformat()


def ok(*arguments: str) -> str:
    result = Run(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_from_publish_to_a_proven_slate(platform: str) -> None:
    published = json.loads(ok("publish", "--date", platform))
    assert published["lists"] == 4
    at = f"{platform}T12:00"
    arguments = ("recommend", "--user", "1", "--surface", "home_clips", "--request-id", "r1", "--at", at)
    slate = json.loads(ok(*arguments, "--limit", "3", "--json"))
    assert (slate["level"], slate["generation"], len(slate["items"])) == ("personal", published["generation"], 3)
    assert json.loads(ok("drain_impressions", "--date", platform))["rows"] == 3
    assert ok("recompute", "--date", platform, "--request-id", "r1").startswith("equal: ")


def test_a_slate_is_a_table_for_people(platform: str) -> None:
    ok("publish", "--date", platform)
    shown = ok("recommend", "--user", "1", "--surface", "home_clips", "--limit", "4")
    for word in ("rank", "kind", "title", "streamer", "source", "why", "two_tower"):
        assert word in shown


def test_the_kind_of_exploration_goes_from_the_list_into_the_impression(platform: str, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse")
    feed = (1, "clips_feed", "clip", 100, 10, "exploration/newcomer")
    write(warehouse, CANDIDATE_LIST, DAY, candidate_rows([feed]))
    ok("publish", "--date", platform)
    asked = (
        "recommend",
        "--user",
        "1",
        "--surface",
        "clips_feed",
        "--limit",
        "1",
        "--at",
        f"{platform}T12:00",
        "--json",
    )

    [item] = json.loads(ok(*asked))["items"]
    ok("drain_impressions", "--date", platform)

    kinds = warehouse.read(IMPRESSION, DAY, [c.EXPLORATION_KIND]).column(0).to_pylist()
    assert (item["source"], item["exploration_kind"], kinds) == ("exploration/newcomer", "newcomer", ["newcomer"])


def test_a_streamer_goes_live_and_ends(platform: str) -> None:
    ok("publish", "--date", platform)
    ok("go_live", "--streamer", "11", "--broadcast", "77", "--title", "finals")
    live = ("recommend", "--user", "1", "--surface", "home_live", "--json")
    assert on_air(ok(*live)) == [77]
    assert "offline" in ok("end_live", "--streamer", "11")
    assert on_air(ok(*live)) == []
    assert "was not live" in ok("end_live", "--streamer", "11")


def on_air(slate: str) -> list[int]:
    return [item["item_id"] for item in json.loads(slate)["items"] if item["kind"] == "live"]


def test_the_channel_pages_get_their_vods(platform: str, tmp_path: Path) -> None:
    assert json.loads(ok("publish_channels", "--date", platform)) == {"dt": platform, "vods": 3}
    store = SqlChannelStore(f"sqlite:///{tmp_path / 'channels.db'}")
    assert [vod.content_id for vod in store.vods(10, 5)] == [101, 103]


def test_what_comes_after_a_content_is_served_and_proven(platform: str) -> None:
    ok("publish", "--date", platform)
    asked = ("recommend", "--user", "1", "--surface", "watch_next", "--context", "101", "--limit", "2", "--json")
    slate = json.loads(ok(*asked, "--request-id", "r2", "--at", f"{platform}T12:00"))
    assert {item["item_id"] for item in slate["items"]} == {103, 200}
    ok("drain_impressions", "--date", platform)
    assert ok("recompute", "--date", platform, "--request-id", "r2").startswith("equal: ")


def test_rollback_serves_the_earlier_generation(platform: str) -> None:
    first = json.loads(ok("publish", "--date", platform))
    ok("publish", "--date", platform)
    assert first["generation"] in ok("rollback")


def test_an_erased_user_gets_a_receipt_and_nothing_else_ever_again(platform: str) -> None:
    older = json.loads(ok("publish", "--date", platform))["generation"]
    ok("publish", "--date", platform)
    receipt, again = (json.loads(ok("erase", "--user", "1")) for _ in range(2))
    assert (receipt["user_id"], receipt["again"], receipt["deleted"]["redis_lists"]) == (1, False, 6)
    assert (again["receipt_id"], again["again"], again["deleted"]["redis_lists"]) == (receipt["receipt_id"], True, 0)
    assert older in ok("rollback")
    slate = json.loads(ok("recommend", "--user", "1", "--surface", "home_clips", "--limit", "4", "--json"))
    assert slate["level"] != "personal"
    assert json.loads(ok("erase", "--user", "-5"))["user_id"] == -5


def test_with_redis_away_the_user_is_marked_and_the_command_says_what_to_look_at(
    platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMREC_REDIS__URL", "redis://127.0.0.1:1/0")
    with pytest.raises(StoreUnavailableError, match="Redis did not answer"):
        Run(app, ("erase", "--user", "1"), catch_exceptions=False)
    assert set(erased_users(Warehouse(tmp_path / "warehouse"))) == {1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("erase", "--user", "somebody"), "--user somebody is no user id: expected a whole number of 64 bits"),
        (("publish", "--date", "2026-02-30"), "--date 2026-02-30 is not a day like 2026-01-31"),
        (("publish", "--date", "2026-01-01"), "run first: python -m jobs candidate_lists"),
        (("publish_channels", "--date", "2026-01-01"), "run first: python -m jobs representative_vods"),
        (("rollback",), "no earlier generation"),
        (("recommend", "--user", "1", "--surface", "home_clips"), "nothing has been published"),
        (("recommend", "--user", "1", "--surface", "shelf"), "surface `shelf` is unknown"),
        (("recommend", "--surface", "home_clips", "--limit", "0"), "limit 0 is out of range"),
        (
            ("recommend", "--surface", "watch_next"),
            "surface `watch_next` needs a context: the content",
        ),
        (("recommend", "--surface", "home_clips", "--at", "noon"), "--at noon is not an ISO time"),
        (("drain_impressions", "--date", "x"), "is not a day"),
        (("update_posteriors", "--date", "2026-01-30"), "python -m jobs view_valuation"),
        (("sync_live", "--date", "2026-01-30"), "table broadcast_v1 has no partition"),
    ],
)
def test_what_cannot_be_done_is_named(platform: str, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(StreamrecError, match=message):
        Run(app, arguments, catch_exceptions=False)
