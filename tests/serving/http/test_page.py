"""The page as a browser gets it, from an edge over a real Redis."""

import base64
import hashlib
import re
import time
from contextlib import ExitStack
from html import unescape
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import redis

from contracts.names import STREAM_IMPRESSIONS
from contracts.settings import HttpSettings, Settings
from serving.live import go_live
from serving.publish import publish
from serving.stores.leases import LeaseDetails, LeaseTerms, Renewal
from serving.stores.redis_store import RedisStore
from tests.redis_server import running_redis
from tests.serving.builders import DAY, NOW, small_platform
from tests.serving.http.edges import edge_settings, get, talk

KEY = "the key of a test"
_COUNTED = "streamrec_requests_total{"
NEEDS_KEY = HttpSettings(api_keys={"tests": hashlib.sha256(KEY.encode()).hexdigest()})


def words(page: httpx.Response) -> str:
    """What a person reads, on one line."""
    body = re.sub(r"<style>.*?</style>", "", page.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def ids(page: httpx.Response) -> list[str]:
    """The items of the cards, in order."""
    return re.findall(r'<h3 title="\w+ (-?\d+)">', page.text)


def basic(password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()}


def test_a_slate_is_shown_as_cards_with_all_that_is_known_of_each_item(edge: Settings) -> None:
    page = get(edge, "/?user=1&surface=home_clips&limit=4&request=r1")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    said = words(page)
    assert "4 items for user 1" in said
    assert "title 101" in said
    assert "streamer-1" in said
    assert "Close to what you watched lately." in said
    assert "two_tower" in said
    assert "personal" in said
    assert re.search(r"Score \d\.\d{4} Propensity 50\.0 % Posterior mean 0\.1000 List age \d", said)


def test_the_arms_posteriors_are_drawn(edge: Settings) -> None:
    page = get(edge, "/?user=1&limit=4")
    label = "Posterior of two_tower: mean 10.0 %, 90 % from 0.6 % to 28.3 %"
    assert f'aria-label="{label}"' in page.text
    assert page.text.count('class="outline"') == 2
    assert "thompson/2" in words(page)
    assert "Drawn again the same slate" in words(page)


def test_each_stage_says_what_it_dropped_and_how_long_it_took(edge: Settings) -> None:
    said = words(get(edge, "/?user=1&limit=4"))
    assert re.search(r"sources personal list 7 \d+ hydrators catalogue 7 7 \d+", said)
    assert re.search(r"filters visibility 7 6 1 \d+", said)


def test_who_is_live_is_shown_with_the_time_to_the_end_of_the_lease(edge: Settings) -> None:
    renewal = Renewal(12, 77, time.time(), time.time(), LeaseDetails("chess at night", "chess", "en"))
    go_live(RedisStore.open(edge.redis.url, 10_000), renewal, LeaseTerms.of(edge.serving, edge.live))
    said = words(get(edge, "/?user=1"))
    assert re.search(r"Live now 1 streamer-2 chess · en chess at night on for \d\.\d s 1 min \d+ s left", said)


def test_a_page_view_leaves_no_impression_and_counts_as_no_slate(edge: Settings) -> None:
    async def look(client: httpx.AsyncClient) -> str:
        assert (await client.get("/?user=1&request=looked")).status_code == 200
        assert (await client.get("/v1/explain/looked")).status_code == 404
        return (await client.get("/metrics")).text

    counted = talk(edge, look)
    said = [line for line in counted.splitlines() if line.startswith(("streamrec_slates_total{", _COUNTED))]
    asked = {'caller="-",route="/",status="200"', 'caller="-",route="/v1/explain",status="404"'}
    assert set(said) == {f"{_COUNTED}{one}}} 1.0" for one in asked}
    with redis.Redis.from_url(edge.redis.url) as client:
        assert client.xlen(STREAM_IMPRESSIONS) == 0


def test_the_link_to_a_draw_shows_the_same_slate_and_its_json_the_same_items(edge: Settings) -> None:
    async def look(client: httpx.AsyncClient) -> list[list[str]]:
        first = await client.get("/?user=1&limit=6")
        link = unescape(re.search(r'<a href="(/\?[^"]*request=[^"]*)"', first.text).group(1))  # type: ignore[union-attr]
        request = link.partition("request=")[2]
        json = unescape(re.search(r'<a href="(/v1/[^"]*)"', first.text).group(1))  # type: ignore[union-attr]
        answer = await client.get(json, headers={"x-request-id": request})
        return [ids(first), ids(await client.get(link)), [item["id"] for item in answer.json()["items"]]]

    first, again, as_json = talk(edge, look)
    assert len(first) == 6
    assert first == again == as_json


def test_the_next_page_repeats_nothing(edge: Settings) -> None:
    async def look(client: httpx.AsyncClient) -> list[list[str]]:
        first = await client.get("/?user=1&limit=3")
        link = unescape(re.search(r'<a href="(/\?[^"]*cursor=[^"]*)"', first.text).group(1))  # type: ignore[union-attr]
        return [ids(first), ids(await client.get(link))]

    first, second = talk(edge, look)
    assert len(first) == len(second) == 3
    assert not set(first) & set(second)


def test_cards_lead_to_what_goes_with_them(edge: Settings) -> None:
    page = get(edge, "/?user=1&limit=4")
    link = unescape(re.search(r'<a href="([^"]*surface=related_streamers[^"]*context=10)"', page.text).group(1))  # type: ignore[union-attr]
    related = get(edge, link)
    assert "surface=related_streamers" in link
    assert sorted(ids(related)) == ["11", "12"]


def test_a_surface_in_the_order_of_its_list_says_that_no_bandit_chose(edge: Settings) -> None:
    said = words(get(edge, "/?user=1&surface=channel_vods&context=10"))
    assert "as_listed/1" in said
    assert "No bandit here" in said


def test_what_is_less_than_it_should_be_is_said_with_the_reasons(edge: Settings) -> None:
    said = words(get(edge, "/?user=99"))
    assert "Less than it should be · nearest list: popular" in said
    assert "the user has no list in this generation" in said


def test_an_empty_slate_says_so(edge: Settings) -> None:
    said = words(get(edge, "/?user=99&surface=home_live"))
    assert "0 items for user 99" in said
    assert "Nothing passed the filters" in said
    assert "There was nothing to choose from." in said


def test_with_redis_away_the_page_shows_what_is_left_and_why(tmp_path: Path) -> None:
    with ExitStack() as server:
        url = f"{server.enter_context(running_redis(tmp_path))}/0"
        settings = edge_settings(tmp_path, url)
        publish(small_platform(tmp_path), RedisStore.open(url, 10_000), settings.serving, DAY, NOW)

        async def look(client: httpx.AsyncClient) -> httpx.Response:
            assert (await client.get("/?user=1")).status_code == 200
            server.close()
            return await client.get("/?user=1")

        page = talk(settings, look)
    said = words(page)
    assert page.status_code == 200
    assert "Redis away" in said
    assert "Redis did not answer" in said
    assert "not filtered: seen, hidden" in said
    assert "clip 500" in said


def test_before_the_first_publish_the_page_says_what_to_run(redis_url: str, tmp_path: Path) -> None:
    page = get(edge_settings(tmp_path, redis_url), "/")
    assert page.status_code == 503
    assert page.headers["retry-after"] == "5"
    assert "nothing has been published; run first: python -m serving publish" in words(page)
    assert "nothing published" in words(page)


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("limit=abc", 400, "limit is not a whole number of 64 bits"),
        ("limit=10000", 400, "limit 10000 is out of range"),
        ("surface=nowhere", 400, "surface nowhere is unknown"),
        ("surface=watch_next", 400, "surface watch_next needs a context"),
        ("user=me", 400, "user is not a whole number of 64 bits"),
        ("user=99999999999999999999", 400, "user is not a whole number of 64 bits"),
        ("cursor=abc", 400, "the cursor is not one that this service gave"),
        ("key=secret", 400, "unknown parameter key"),
        ("request=a/b", 400, "a request id has 1 to 64 letters"),
        ("user=%ff%00&limit=%F0%9F%92%A9", 400, "is not a whole number of 64 bits"),
        ("exclude=" + ",".join(map(str, range(1, 1_500))), 400, "1499 excluded ids"),
    ],
)
def test_what_cannot_be_answered_is_said_on_the_page(edge: Settings, query: str, status: int, said: str) -> None:
    page = get(edge, f"/?{query}")
    assert page.status_code == status
    assert "This cannot be answered" in words(page)
    assert said in words(page)
    assert "<form" in page.text


def test_a_query_that_is_too_long_is_refused(edge: Settings) -> None:
    assert get(edge, "/?exclude=" + "1," * 20_000).status_code == 414


def test_fields_left_empty_and_spaces_between_words_say_nothing(edge: Settings) -> None:
    page = get(edge, "/?user=+1+&surface=home_clips&context=&limit=&languages=en,+de&viewer_age=&exclude=&cursor=")
    assert page.status_code == 200
    assert "for user 1" in words(page)
    assert 'value="en,de"' in page.text


def test_a_context_left_over_from_another_surface_is_forgotten(edge: Settings) -> None:
    assert get(edge, "/?user=1&surface=home_clips&context=101").status_code == 200


def test_whatever_anybody_says_stays_text(edge: Settings) -> None:
    evil = "\"><script>alert('x')</script>"
    renewal = Renewal(10, 78, time.time(), time.time(), LeaseDetails(evil, evil, evil))
    go_live(RedisStore.open(edge.redis.url, 10_000), renewal, LeaseTerms.of(edge.serving, edge.live))

    async def look(client: httpx.AsyncClient) -> list[httpx.Response]:
        names = ("user", "surface", "context", "limit", "languages", "viewer_age", "exclude", "cursor", "request", "x")
        asked = [f"/?{name}={quote(evil)}" for name in names] + [f"/?surface=watch_next&context={quote(evil)}"]
        return [await client.get(path) for path in [*asked, "/?user=1&surface=home_live"]]

    pages = talk(edge, look)
    assert len(pages) == 12
    for page in pages:
        assert "<script" not in page.text.lower()
        assert not re.search(r"\son\w+=", page.text)
        assert page.text.count("&lt;script&gt;") >= 1


def test_the_policy_allows_the_page_s_own_style_and_nothing_else(edge: Settings) -> None:
    page = get(edge, "/")
    style = re.search(r"<style>(.*?)</style>", page.text, flags=re.DOTALL).group(1)  # type: ignore[union-attr]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == f"'sha256-{digest}'"
    assert "script-src" not in policy
    assert policy["frame-ancestors"] == "'none'"
    assert " style=" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (basic("a wrong key"), 401),
        (basic(""), 401),
        ({"authorization": "Basic not-base64!"}, 401),
        ({"authorization": "Basic"}, 401),
        (basic(KEY), 200),
        ({"authorization": f"Bearer {KEY}"}, 200),
    ],
)
def test_a_page_asks_for_the_key_as_a_password(edge: Settings, headers: dict[str, str], status: int) -> None:
    settings = edge.model_copy(update={"http": NEEDS_KEY})
    page = get(settings, "/?user=1", headers=headers)
    assert page.status_code == status
    assert page.headers.get("www-authenticate", "").startswith("Basic realm=") == (status == 401)
    assert KEY not in page.text


def test_a_key_in_the_address_opens_nothing(edge: Settings) -> None:
    settings = edge.model_copy(update={"http": NEEDS_KEY})
    for name in ("key", "api_key", "token", "access_token"):
        assert get(settings, f"/?{name}={quote(KEY)}").status_code == 401


def test_a_browser_s_password_reads_and_changes_nothing(edge: Settings) -> None:
    settings = edge.model_copy(update={"http": NEEDS_KEY})

    async def look(client: httpx.AsyncClient) -> list[int]:
        read = await client.get("/v1/recommendations/1?surface=home_clips", headers=basic(KEY))
        event = {"item_id": "101", "item_kind": "clip", "action": "hide", "user_id": "1"}
        written = await client.post("/v1/feedback", json={"events": [event]}, headers=basic(KEY))
        return [read.status_code, written.status_code]

    assert talk(settings, look) == [200, 401]


def test_other_methods_are_refused_and_a_page_can_be_turned_off(edge: Settings) -> None:
    assert talk(edge, lambda client: client.post("/")).status_code == 405
    off = edge.model_copy(update={"http": HttpSettings(needs_key=False, page=False)})
    assert get(off, "/").status_code == 404
