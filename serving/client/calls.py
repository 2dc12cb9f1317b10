"""Calls of the edge: what is sent, and what an answer means. Nothing here waits, so that both clients share it."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeAlias, TypedDict, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from contracts.errors import (
    KeyRefusedError,
    PageExpiredError,
    RequestRefusedError,
    ServiceError,
    ServiceFailedError,
    ServiceUnavailableError,
    ServiceUnreachableError,
    SlateForgottenError,
    TooManyRequestsError,
)
from serving.client.bodies import Event, Explanation, Recommendations, to_wire
from serving.http.bodies import Accepted, Problem, Readiness

T = TypeVar("T")
Outcome: TypeAlias = httpx.Response | httpx.TransportError
"""Of one attempt."""
NOT_OURS: Final = "not_an_answer"
"""The code of an answer that no edge gives."""


class Wishes(TypedDict, total=False):
    """What a slate shall be like.

    Args:
        context: The content that was watched, on `watch_next`; the streamer, on `channel_vods` and `related_streamers`.
        exclude: Ids not to show.
        languages: ISO 639-1; all where left out.
        viewer_age: In years.
    """

    limit: int
    context: int
    exclude: Sequence[int]
    languages: Sequence[str]
    viewer_age: int


@dataclass(frozen=True)
class Call(Generic[T]):
    """What is sent.

    Args:
        read: The answer, out of its body.
        is_repeatable: Sent twice, it does what it does once.
        good: Statuses whose body `read` can read.
    """

    method: str
    path: str
    read: Callable[[bytes], T]
    is_repeatable: bool
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    good: tuple[int, ...] = (200,)


def recommend(
    user_id: int | None, surface: str, cursor: str | None, request_id: str | None, wishes: Wishes
) -> Call[Recommendations]:
    """A slate. A repetition carries the same request id: it is the same slate, counted once."""
    params = {"surface": str(surface), **{name: _word(value) for name, value in wishes.items()}}
    if cursor is not None:
        params["cursor"] = cursor
    path = "/v1/recommendations" if user_id is None else f"/v1/recommendations/{user_id}"
    headers = {"x-request-id": request_id or secrets.token_hex(12)}
    return Call("GET", path, _recommendations.decode, True, params, headers)


def feedback(events: Sequence[Event]) -> Call[Accepted]:
    """What users did."""
    has_ids = all(event.event_id is not None for event in events)
    kind = {"content-type": "application/json"}
    return Call("POST", "/v1/feedback", _accepted.decode, has_ids, headers=kind, body=to_wire(events), good=(202,))


def explain(request_id: str) -> Call[Explanation]:
    """How a slate came about."""
    return Call("GET", f"/v1/explain/{quote(request_id, safe='')}", _explanation.decode, True)


def ready() -> Call[Readiness]:
    """Whether the worker is ready; that it is not is an answer, too."""
    return Call("GET", "/ready", _readiness.decode, False, good=(200, 503))


def answer(call: Call[T], response: Outcome) -> T:
    """What the last attempt gave.

    Raises:
        ServiceError: it says what is wrong, or is no answer of an edge.
    """
    if isinstance(response, httpx.TransportError):
        said = f"no answer of the edge: {str(response) or type(response).__name__}"
        raise ServiceUnreachableError(None, "unreachable", said) from response
    if response.status_code not in call.good:
        raise problem(response)
    try:
        return call.read(response.content)
    except msgspec.MsgspecError as error:
        said = f"the answer is not one that an edge gives: {error}"
        raise ServiceFailedError(response.status_code, NOT_OURS, said) from error


def problem(response: httpx.Response) -> ServiceError:
    """The error that a response is."""
    status, wait = response.status_code, retry_after_seconds(response)
    try:
        said = _problem.decode(response.content)
    except msgspec.MsgspecError:
        said = Problem(NOT_OURS, f"HTTP status {status} without the body of an edge")
    kind = _ERRORS.get(said.error) or _BY_STATUS.get(status, ServiceFailedError)
    return kind(status, said.error, said.message, wait)


def retry_after_seconds(response: httpx.Response) -> float | None:
    """The `Retry-After` of a response; None where it is a date or missing."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdecimal() else None


def _word(value: Any) -> str:  # noqa: ANN401  of a wish
    return str(value) if isinstance(value, str | int) else ",".join(map(str, value))


_recommendations = msgspec.json.Decoder(Recommendations, strict=False)
_explanation = msgspec.json.Decoder(Explanation, strict=False)
_accepted = msgspec.json.Decoder(Accepted)
_readiness = msgspec.json.Decoder(Readiness)
_problem = msgspec.json.Decoder(Problem)

_ERRORS: Final[dict[str, type[ServiceError]]] = {"unknown_slate": SlateForgottenError}
_BY_STATUS: Final[dict[int, type[ServiceError]]] = {
    **dict.fromkeys((400, 404, 405, 413, 414), RequestRefusedError),
    401: KeyRefusedError,
    410: PageExpiredError,
    429: TooManyRequestsError,
    503: ServiceUnavailableError,
}
