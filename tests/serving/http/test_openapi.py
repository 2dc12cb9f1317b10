"""The OpenAPI document says what the edge does."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from contracts.names import Surface
from serving.http.app import Edge
from serving.http.openapi import document
from serving.http.questions import PARAMETERS
from tests.serving.http.running import Running

TOLD = json.loads(document())
OPERATIONS = [(path, method, told) for path, methods in TOLD["paths"].items() for method, told in methods.items()]


def references(part: Any) -> Iterator[str]:  # noqa: ANN401  whatever JSON holds
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "$ref":
                yield value
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_the_document_is_served_as_it_is_made(server: Running) -> None:
    answer = server.get("/openapi.json")
    assert (answer.status_code, answer.json()) == (200, TOLD)


def test_every_reference_leads_somewhere() -> None:
    found = set(references(TOLD))
    assert found
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in TOLD["components"]["schemas"], reference


def test_every_path_that_is_answered_is_there(server: Running) -> None:
    paths = {re.sub(r"\{\w+\}", "1", path) for path in TOLD["paths"]}
    assert paths >= {*Edge(server.worker)._open, "/", "/v1/recommendations", "/v1/recommendations/1", "/v1/explain/1"}
    for path, method, _ in OPERATIONS:
        answer = server.client.request(method, re.sub(r"\{\w+\}", "1", path))
        assert answer.json()["error"] != "not_found" if answer.status_code == 404 else answer.status_code != 405


@pytest.mark.parametrize(("path", "method", "told"), OPERATIONS)
def test_an_operation_has_a_name_a_summary_and_an_answer(path: str, method: str, told: dict[str, Any]) -> None:
    assert method in {"get", "post"}
    assert told["operationId"]
    assert told["summary"]
    assert any(status.startswith("2") for status in told["responses"])
    for status, answer in told["responses"].items():
        assert re.fullmatch(r"[1-5]\d\d", status)
        assert answer["description"]
        assert all(content["schema"] for content in answer["content"].values())
    named = {each["name"] for each in told.get("parameters", []) if each["in"] == "path"}
    assert named == set(re.findall(r"\{(\w+)\}", path))
    assert all(each["required"] for each in told.get("parameters", []) if each["in"] == "path")


def test_names_of_operations_stand_once() -> None:
    names = [told["operationId"] for _, _, told in OPERATIONS]
    assert len(names) == len(set(names))


def test_every_parameter_and_surface_that_is_taken_is_there() -> None:
    told = TOLD["paths"]["/v1/recommendations"]["get"]["parameters"]
    assert [each["name"] for each in told] == list(PARAMETERS)
    assert told[0]["schema"]["enum"] == [str(surface) for surface in Surface]


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/openapi.json"])
def test_what_needs_no_key_says_so(path: str) -> None:
    assert TOLD["paths"][path]["get"]["security"] == []


def test_a_slate_has_every_field_that_the_document_requires(server: Running) -> None:
    schemas = TOLD["components"]["schemas"]
    body = server.ask(1)
    assert set(schemas["Recommendations"]["required"]) <= body.keys() <= schemas["Recommendations"]["properties"].keys()
    assert set(schemas["Item"]["required"]) <= body["items"][0].keys() <= schemas["Item"]["properties"].keys()
