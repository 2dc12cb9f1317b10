"""The client against an edge that runs by itself."""

import asyncio
import subprocess
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import datetime

import msgspec
import pytest

from contracts.errors import (
    KeyRefusedError,
    PageExpiredError,
    RequestRefusedError,
    ServiceUnreachableError,
    SlateForgottenError,
)
from contracts.names import Surface
from serving.client import AsyncClient, Client, Event, bodies
from serving.http import bodies as wire
from tests.redis_server import free_port
from tests.serving.http.edges import RunningEdge


@pytest.fixture
def client(running: RunningEdge) -> Iterator[Client]:
    with Client(running.url, running.key, timeout_seconds=5.0) as client:
        yield client


def test_a_slate_comes_with_ids_as_numbers_and_times_as_times(client: Client) -> None:
    slate = client.recommend(1, Surface.HOME_CLIPS, limit=4)
    assert slate.user_id == 1
    assert len(slate.items) == 4
    assert {type(item.id) for item in slate.items} == {int}
    assert slate.items[0].kind == "clip"
    assert isinstance(slate.served_at, datetime)
    assert slate.served_at.tzinfo is not None
    assert slate.degraded is None


def test_nobody_known_gets_everybody_s_list_and_the_reason(client: Client) -> None:
    slate = client.recommend(None, "home_clips", limit=3)
    assert slate.user_id is None
    assert slate.degraded is not None
    assert slate.degraded.level == "popular"


def test_ids_of_all_64_bits_go_there_and_back(client: Client) -> None:
    for user in (2**63 - 1, -(2**63)):
        assert client.recommend(user, "home_clips").user_id == user


def test_wishes_are_heard(client: Client) -> None:
    whole = [item.id for item in client.recommend(1, "home_clips", limit=20).items]
    left = client.recommend(1, "home_clips", limit=20, exclude=whole[:2], languages=["en", "de"], viewer_age=30)
    assert not {item.id for item in left.items} & set(whole[:2])
    related = client.recommend(1, "related_streamers", context=10)
    assert sorted(item.id for item in related.items) == [11, 12]


def test_the_same_request_id_is_the_same_slate(client: Client) -> None:
    first, again = (client.recommend(1, "home_clips", request_id="twice") for _ in range(2))
    assert first.request_id == again.request_id == "twice"
    assert [item.id for item in first.items] == [item.id for item in again.items]


def test_pages_repeat_nothing_and_end(client: Client) -> None:
    pages = list(client.pages(1, "home_clips", limit=3))
    shown = [item.id for page in pages for item in page.items]
    assert len(pages) > 1
    assert len(shown) == len(set(shown))
    assert {page.generation for page in pages} == {pages[0].generation}
    assert pages[-1].cursor is None


def test_a_slate_is_explained(client: Client) -> None:
    slate = client.recommend(1, "home_clips", limit=4)
    found = _explained(client, slate.request_id)
    assert [item.id for item in found.items] == [item.id for item in slate.items]
    assert found.is_recomputed
    assert all(0 < (item.propensity or 0) <= 1 for item in found.items)
    assert {stage.stage for stage in found.stages} >= {"sources", "filters", "rerankers"}


def _explained(client: Client, request_id: str) -> bodies.Explanation:
    """Impressions go to the store a few milliseconds after the answer."""
    for _ in range(200):
        try:
            return client.explain(request_id)
        except SlateForgottenError:
            continue
    return client.explain(request_id)


def test_what_a_user_hides_is_gone_from_the_next_slate(client: Client) -> None:
    first = client.recommend(2, "home_clips", limit=3)
    hidden = first.items[0]
    taken = client.feedback(
        [
            Event(item_id=hidden.id, item_kind=hidden.kind, action="hide", user_id=2, event_id="h1"),
            Event(
                item_id=first.items[1].id,
                item_kind=first.items[1].kind,
                action="play",
                user_id=2,
                request_id=first.request_id,
                watched_seconds=2.5,
                event_time=first.served_at,
            ),
        ]
    )
    assert taken == 2
    assert hidden.id not in {item.id for item in client.recommend(2, "home_clips").items}


def test_the_worker_says_whether_it_is_ready(client: Client) -> None:
    state = client.ready()
    assert state.ready
    assert {mirror.name for mirror in state.mirrors} >= {"published", "live", "posteriors"}


def test_what_the_edge_refuses_is_an_error_with_its_words(client: Client) -> None:
    with pytest.raises(RequestRefusedError, match="surface `nowhere` is unknown") as refused:
        client.recommend(1, "nowhere")
    assert (refused.value.status, refused.value.code, refused.value.retry_after_seconds) == (
        400,
        "invalid_request",
        None,
    )
    with pytest.raises(RequestRefusedError, match="not one that this service gave"):
        client.recommend(1, "home_clips", cursor="no cursor")
    with pytest.raises(RequestRefusedError, match="not a feedback body"):
        client.feedback([])
    with pytest.raises(SlateForgottenError) as unknown:
        client.explain("never-served")
    assert (unknown.value.status, unknown.value.code) == (404, "unknown_slate")
    with pytest.raises(RequestRefusedError):
        client.explain("../health")


def test_a_cursor_of_a_generation_that_is_gone_is_an_error_of_its_own(running: RunningEdge, client: Client) -> None:
    cursor = client.recommend(1, "home_clips", limit=2).cursor or ""
    packed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    generation = client.ready().generation or ""
    other = packed.replace(generation.encode(), b"x" * len(generation))
    assert other != packed
    with pytest.raises(PageExpiredError) as expired:
        client.recommend(1, "home_clips", limit=2, cursor=urlsafe_b64encode(other).rstrip(b"=").decode())
    assert expired.value.code == "cursor_expired"


@pytest.mark.parametrize("key", [None, "a wrong key"])
def test_without_a_known_key_nothing_is_answered(running: RunningEdge, key: str | None) -> None:
    with Client(running.url, key) as stranger, pytest.raises(KeyRefusedError) as refused:
        stranger.recommend(1, "home_clips")
    assert refused.value.status == 401
    assert "wrong" not in str(refused.value)


def test_no_edge_at_all_is_named() -> None:
    waits: list[float] = []
    with (
        Client(f"http://127.0.0.1:{free_port()}", sleep=waits.append) as client,
        pytest.raises(ServiceUnreachableError) as away,
    ):
        client.recommend(1, "home_clips")
    assert (away.value.status, away.value.code) == (None, "unreachable")
    assert waits == [0.1, 0.2]


def test_the_awaited_client_does_the_same(running: RunningEdge) -> None:
    async def talk() -> None:
        async with AsyncClient(running.url, running.key, timeout_seconds=5.0) as client:
            slates = await asyncio.gather(*(client.recommend(1, "home_clips", request_id="same") for _ in range(8)))
            assert len({tuple(item.id for item in slate.items) for slate in slates}) == 1
            shown = [item.id async for page in client.pages(1, "home_clips", limit=3) for item in page.items]
            assert len(shown) == len(set(shown)) > 3
            event = Event(item_id=500, item_kind="clip", action="viewport", user_id=3)
            assert await client.feedback([event]) == 1
            assert (await client.ready()).ready
            with pytest.raises(SlateForgottenError):
                await client.explain("never-served")

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (bodies.Item, wire.Item),
        (bodies.Recommendations, wire.Recommendations),
        (bodies.ExplainedItem, wire.ExplainedItem),
        (bodies.Explanation, wire.Explanation),
    ],
)
def test_the_client_knows_every_field_that_the_edge_says(
    ours: type[msgspec.Struct], theirs: type[msgspec.Struct]
) -> None:
    assert set(theirs.__struct_fields__) == set(ours.__struct_fields__)


def test_an_event_can_say_whatever_the_edge_hears() -> None:
    assert set(wire.FeedbackEvent.__struct_fields__) == set(Event.__struct_fields__)


def test_the_client_drags_in_neither_numpy_nor_the_server() -> None:
    heavy = "{'numpy', 'pyarrow', 'torch', 'airflow', 'pydantic', 'redis', 'uvicorn', 'jinja2'}"
    code = f"import sys, serving.client; print({heavy} & {{name.split('.')[0] for name in sys.modules}})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
