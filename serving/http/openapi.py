"""The OpenAPI document, made of the types that the edge encodes and decodes."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import msgspec

from contracts.names import Surface
from serving.http.bodies import Accepted, Explanation, Feedback, Problem, Readiness, Recommendations
from serving.requests import NEEDS_CONTEXT

API_VERSION: Final = "1.0.0"
"""Of the interface, whose paths begin with its first number; not of the program."""
_BODIES: Final = (Recommendations, Feedback, Accepted, Explanation, Readiness, Problem)
_TEMPLATE: Final = "#/components/schemas/{name}"
_PROBLEMS: Final = {
    400: "The request is not one that can be answered; the message says why.",
    401: "No key, or none that is known.",
    404: "No such path or slate.",
    410: "The cursor's generation is gone: ask again without it.",
    413: "The body is too large.",
    414: "The query string is too long.",
    429: "The key asks too often; see Retry-After.",
    503: "Nothing has been published yet, or what was said could not be stored; see Retry-After.",
}
_SURFACES: Final = ", ".join(f"`{surface}` (the {what})" for surface, what in NEEDS_CONTEXT.items())


@cache
def document() -> bytes:
    """The document as JSON."""
    _, schemas = msgspec.json.schema_components(_BODIES, ref_template=_TEMPLATE)
    paths = {
        "/v1/recommendations/{user_id}": {"get": _recommendations([_path("user_id", "A 64-bit id.")])},
        "/v1/recommendations": {"get": _recommendations([])},
        "/v1/feedback": {"post": _feedback()},
        "/v1/explain/{request_id}": {"get": _explain()},
        "/": {"get": _text("page", "A slate and what the worker knows, for people.", "text/html")},
        "/health": {"get": _open("health", "The process lives.", _content("It does.", {"type": "object"}))},
        "/ready": {"get": _ready()},
        "/metrics": {"get": {**_text("metrics", "Numbers for Prometheus.", "text/plain"), "security": []}},
        "/openapi.json": {"get": _open("openapi", "This.", _content("As asked.", {"type": "object"}))},
    }
    security = {"key": {"type": "http", "scheme": "bearer"}}
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "streamrec", "version": API_VERSION},
            "paths": paths,
            "components": {"schemas": schemas, "securitySchemes": security},
            "security": [{"key": []}],
        }
    )


def _recommendations(path: list[dict[str, Any]]) -> dict[str, Any]:
    parameters = [
        *path,
        _query("surface", "Where the slate is shown.", {"enum": [str(surface) for surface in Surface]}, required=True),
        _query("limit", "Items; a setting when left out.", {"type": "integer", "minimum": 1}),
        _query("context", f"What the slate goes with: {_SURFACES}.", {"type": "string"}),
        _query("exclude", "Ids not to show, with commas.", {"type": "string"}),
        _query("cursor", "Of the page before.", {"type": "string"}),
        _query("languages", "ISO 639-1, with commas; what has no language is always shown.", {"type": "string"}),
        _query("viewer_age", "In years.", {"type": "integer", "minimum": 0}),
    ]
    name = "recommend" if path else "recommend_anonymous"
    return {
        "operationId": name,
        "summary": "A slate; `degraded` says how it falls short.",
        "parameters": parameters,
        **_answers(200, _ref(Recommendations), (400, 401, 410, 414, 429, 503)),
    }


def _feedback() -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": _ref(Feedback)}}}
    said = "What users did. It is stored when this answers: the very next request obeys it."
    return {
        "operationId": "feedback",
        "summary": said,
        "requestBody": body,
        **_answers(202, _ref(Accepted), (400, 401, 413, 429, 503)),
    }


def _explain() -> dict[str, Any]:
    return {
        "operationId": "explain",
        "summary": "How a slate came about.",
        "parameters": [_path("request_id", "Of the slate.")],
        **_answers(200, _ref(Explanation), (400, 401, 404, 429, 503)),
    }


def _ready() -> dict[str, Any]:
    yes, no = _content("They are.", _ref(Readiness)), _content("Not both, or not yet.", _ref(Readiness))
    found = _open("ready", "Whether lists and store are there.", yes)
    return {**found, "responses": {**found["responses"], "503": no}}


def _open(name: str, summary: str, found: dict[str, Any]) -> dict[str, Any]:
    """What needs no key."""
    return {"operationId": name, "summary": summary, "security": [], "responses": {"200": found}}


def _text(name: str, summary: str, kind: str) -> dict[str, Any]:
    content = {kind: {"schema": {"type": "string"}}}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": {"description": "As asked.", "content": content}},
    }


def _answers(status: int, schema: Mapping[str, Any], problems: Sequence[int]) -> dict[str, Any]:
    good = {str(status): _content("As asked.", schema)}
    return {"responses": {**good, **{str(code): _content(_PROBLEMS[code], _ref(Problem)) for code in problems}}}


def _content(said: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": said, "content": {"application/json": {"schema": schema}}}


def _ref(body: type) -> dict[str, str]:
    return {"$ref": _TEMPLATE.format(name=body.__name__)}


def _path(name: str, said: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": said, "schema": {"type": "string"}}


def _query(name: str, said: str, schema: Mapping[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "description": said, "schema": schema}
