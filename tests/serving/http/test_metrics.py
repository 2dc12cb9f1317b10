"""What Prometheus reads."""

from collections.abc import Mapping

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.serving.http.running import CALLER, Running

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(server: Running) -> Samples:
    answer = server.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def grew(before: Samples, after: Samples, name: str, labels: Mapping[str, str]) -> float:
    key = (name, tuple(sorted(labels.items())))
    return after.get(key, 0.0) - before.get(key, 0.0)


def test_everything_documented_is_there_and_can_be_parsed(server: Running) -> None:
    server.ask(1)
    names = {name for name, _ in samples(server)}
    assert {
        "streamrec_requests_total",
        "streamrec_request_seconds_bucket",
        "streamrec_slates_total",
        "streamrec_stage_seconds_total",
        "streamrec_stage_entered_total",
        "streamrec_stage_left_total",
        "streamrec_unread_users_total",
        "streamrec_impressions_total",
        "streamrec_mirror_age_seconds",
        "streamrec_store_up",
    } <= names


def test_answers_are_counted_by_route_caller_and_status_and_never_by_id(server: Running) -> None:
    before = samples(server)
    for user in (1, 2, 3):
        server.ask(user)
    server.get("/v1/recommendations/1?surface=shelf")
    server.client.get("/v1/recommendations/1?surface=home_clips", headers={"authorization": "Bearer x"})
    server.get("/a/path/that/nobody/knows")
    after = samples(server)

    def counted(route: str, caller: str, status: str) -> float:
        return grew(before, after, "streamrec_requests_total", {"route": route, "caller": caller, "status": status})

    route = "/v1/recommendations"
    assert (counted(route, CALLER, "200"), counted(route, CALLER, "400"), counted(route, "-", "401")) == (3, 1, 1)
    assert counted("unknown", CALLER, "404") == 1
    assert not [labels for _, labels in after if any("nobody" in value for _, value in labels)]


def test_slates_stages_and_their_drops_are_counted(server: Running) -> None:
    before = samples(server)
    server.ask(1, limit=5)
    server.ask(77, limit=5)
    server.ask(1, limit=5, exclude=[100])
    after = samples(server)
    slates = {"surface": "home_clips"}
    assert grew(before, after, "streamrec_slates_total", {**slates, "level": "personal"}) == 2
    assert grew(before, after, "streamrec_slates_total", {**slates, "level": "popular"}) == 1
    assert grew(before, after, "streamrec_request_seconds_count", slates) == 3
    stage = {"stage": "filters", "name": "VisibilityFilter"}
    # Seven of user 1's list twice, one of them excluded once, and six of everybody's; 102 was removed.
    assert grew(before, after, "streamrec_stage_entered_total", stage) == 7 + 6 + 6
    assert grew(before, after, "streamrec_stage_left_total", stage) == 6 + 6 + 5
    assert grew(before, after, "streamrec_stage_seconds_total", stage) > 0


def test_the_state_of_the_worker_is_there(server: Running) -> None:
    found = samples(server)
    assert found["streamrec_store_up", ()] == 1.0
    ages = {labels[0][1]: value for (name, labels), value in found.items() if name == "streamrec_mirror_age_seconds"}
    assert {"published", "posteriors", "live", "removed", "newest", "catalogue"} <= ages.keys()
    assert all(0 <= age < 60 for age in ages.values())


@pytest.mark.parametrize("accept", ["*/*", "application/openmetrics-text"])
def test_whatever_is_asked_for_the_text_format_is_given(server: Running, accept: str) -> None:
    answer: httpx.Response = server.get("/metrics", accept=accept)
    assert answer.text.startswith("# HELP")
