"""The client that waits."""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from types import TracebackType
from typing import Self, TypeVar, Unpack

import httpx

from serving.client import calls
from serving.client.bodies import Event, Explanation, Recommendations
from serving.client.calls import Call, Outcome, Wishes
from serving.client.patience import Patience
from serving.http.bodies import Readiness

T = TypeVar("T")


class Client:
    """Asks an edge. Keeps its connections, and may be shared by threads.

    Every method raises `contracts.errors.ServiceError`, whose kinds say what went wrong.

    Args:
        base_url: `http://HOST:PORT`.
        key: The API key; None where the edge needs none.
        timeout_seconds: Of one attempt.
        sleep: How to wait.
    """

    def __init__(
        self,
        base_url: str,
        key: str | None = None,
        timeout_seconds: float = 2.0,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"authorization": f"Bearer {key}"} if key is not None else {}
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=timeout_seconds)
        self._patience, self._sleep = patience or Patience(), sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def recommend(
        self,
        user_id: int | None,
        surface: str,
        *,
        cursor: str | None = None,
        request_id: str | None = None,
        **wishes: Unpack[Wishes],
    ) -> Recommendations:
        """A slate.

        Args:
            user_id: None for somebody unknown.
            surface: A `contracts.names.Surface`.
            cursor: Of the page before.
            request_id: The same again is the same slate; a new one where left out.
        """
        return self._send(calls.recommend(user_id, surface, cursor, request_id, wishes))

    def pages(self, user_id: int | None, surface: str, **wishes: Unpack[Wishes]) -> Iterator[Recommendations]:
        """Slate after slate of one generation, without a repetition, until there is no more."""
        page = self.recommend(user_id, surface, **wishes)
        yield page
        while page.cursor is not None:
            page = self.recommend(user_id, surface, cursor=page.cursor, **wishes)
            yield page

    def feedback(self, events: Sequence[Event]) -> int:
        """Tell what users did, 1 to 100 events; returns how many were taken."""
        return self._send(calls.feedback(events)).accepted

    def explain(self, request_id: str) -> Explanation:
        """How a slate came about that was served lately."""
        return self._send(calls.explain(request_id))

    def ready(self) -> Readiness:
        """Whether the worker that answers has lists and store."""
        return self._send(calls.ready())

    def _send(self, call: Call[T]) -> T:
        for attempt in count(1):
            outcome = self._try(call)
            pause = self._patience.pause_seconds(call, attempt, outcome)
            if pause is None:
                break
            self._sleep(pause)
        return calls.answer(call, outcome)

    def _try(self, call: Call[T]) -> Outcome:
        try:
            return self._http.request(
                call.method, call.path, params=call.params, headers=call.headers, content=call.body
            )
        except httpx.TransportError as error:
            return error
