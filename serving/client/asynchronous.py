"""The client for asyncio."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
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


class AsyncClient:
    """As `Client`, whose methods say what these do, and awaited."""

    def __init__(
        self,
        base_url: str,
        key: str | None = None,
        timeout_seconds: float = 2.0,
        patience: Patience | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        headers = {"authorization": f"Bearer {key}"} if key is not None else {}
        self._http = httpx.AsyncClient(base_url=base_url, headers=headers, timeout=timeout_seconds)
        self._patience, self._sleep = patience or Patience(), sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def recommend(
        self,
        user_id: int | None,
        surface: str,
        *,
        cursor: str | None = None,
        request_id: str | None = None,
        **wishes: Unpack[Wishes],
    ) -> Recommendations:
        return await self._send(calls.recommend(user_id, surface, cursor, request_id, wishes))

    async def pages(
        self, user_id: int | None, surface: str, **wishes: Unpack[Wishes]
    ) -> AsyncIterator[Recommendations]:
        page = await self.recommend(user_id, surface, **wishes)
        yield page
        while page.cursor is not None:
            page = await self.recommend(user_id, surface, cursor=page.cursor, **wishes)
            yield page

    async def feedback(self, events: Sequence[Event]) -> int:
        return (await self._send(calls.feedback(events))).accepted

    async def explain(self, request_id: str) -> Explanation:
        return await self._send(calls.explain(request_id))

    async def ready(self) -> Readiness:
        return await self._send(calls.ready())

    async def _send(self, call: Call[T]) -> T:
        for attempt in count(1):
            outcome = await self._try(call)
            pause = self._patience.pause_seconds(call, attempt, outcome)
            if pause is None:
                break
            await self._sleep(pause)
        return calls.answer(call, outcome)

    async def _try(self, call: Call[T]) -> Outcome:
        try:
            return await self._http.request(
                call.method, call.path, params=call.params, headers=call.headers, content=call.body
            )
        except httpx.TransportError as error:
            return error
