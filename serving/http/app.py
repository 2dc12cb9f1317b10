"""The edge as an ASGI application: routes, who may ask, and every answer's status."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

import msgspec

from contracts.errors import InvalidRequestError, StreamrecError
from serving.http.answers import TEXT, RefusedError, Reply, encode, named, problem
from serving.http.bodies import Accepted, Feedback, MirrorAge, Readiness
from serving.http.feedback import to_commands, users_of
from serving.http.keys import Caller
from serving.http.openapi import document
from serving.http.page import Page
from serving.http.questions import checked_request_id, to_question
from serving.http.replies import to_body
from serving.http.worker import Worker
from serving.stores.pipelined import raised

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_log = logging.getLogger(__name__)
_PAGE: Final = "/"
_RECOMMENDATIONS: Final = "/v1/recommendations"
_feedback = msgspec.json.Decoder(Feedback)


class Edge:
    """The application of one worker.

    Args:
        started: Called once when the worker can answer.
    """

    def __init__(self, worker: Worker, started: Callable[[], None] = lambda: None) -> None:
        self._worker, self._started = worker, started
        self._open: dict[str, Callable[[], Awaitable[Reply]]] = {
            "/health": self._health,
            "/ready": self._ready,
            "/metrics": self._metrics,
            "/openapi.json": self._openapi,
        }
        self._page = Page(worker) if worker.settings.http.page else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            route, caller, reply = await self._answer(scope, receive)
            self._worker.metrics.answered(route, caller, reply.status)
            length = (b"content-length", str(len(reply.body)).encode())
            headers = [(b"content-type", reply.kind), length, *reply.headers]
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
            await send({"type": "http.response.body", "body": reply.body})

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start and stop with the server."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._worker.start()
                self._started()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._worker.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[str, str, Reply]:
        """Route, caller and reply; whatever goes wrong is a body that says so."""
        path: str = scope["path"]
        route, name = _route(path), "-"
        try:
            if path in self._open:
                return route, name, _only("GET", scope) or await self._open[path]()
            caller = self._caller(scope)
            name = caller.name if caller is not None else name
            return route, name, await self._routed(route, path, scope, receive)
        except RefusedError as refused:
            return route, name, refused.reply
        except StreamrecError as error:
            return route, name, named(error)
        except Exception:  # noqa: BLE001  a defect must not take the worker down
            # The traceback is for the operator, and holds neither a key nor what a request said.
            _log.exception("a request of %s failed", route)
            return route, name, problem(500, "internal", "the request failed; the operator's log says why")

    def _caller(self, scope: Scope) -> Caller | None:
        """Who asks, within their rate; None where no key is needed."""
        callers = self._worker.callers
        if callers is None:
            return None
        said = b""
        for key, value in scope["headers"]:
            if key == b"authorization":
                said = value
                break
        caller = callers.of(said, is_read=scope["method"] == "GET")
        if caller is None:
            raise RefusedError(_unauthorized(scope["path"]))
        if not caller.take(asyncio.get_running_loop().time()):
            raise RefusedError(problem(429, "too_many_requests", f"{caller.name} asks too often", retry_after=1))
        return caller

    async def _routed(self, route: str, path: str, scope: Scope, receive: Receive) -> Reply:
        if route == _PAGE and self._page is not None:
            return _only("GET", scope) or await self._page.show(self._query(scope))
        if route == _RECOMMENDATIONS:
            return _only("GET", scope) or await self._recommend(path, scope)
        if route == "/v1/feedback":
            return _only("POST", scope) or await self._take_feedback(receive)
        if route == "/v1/explain":
            return _only("GET", scope) or await self._explain(path)
        return problem(404, "not_found", "no such path; /openapi.json lists them")

    async def _recommend(self, path: str, scope: Scope) -> Reply:
        user = path[len(_RECOMMENDATIONS) + 1 :]
        serving = self._worker.settings.serving
        request = to_question(_request_id(scope), user, self._query(scope), self._worker.now(), serving)
        return Reply(200, encode(to_body(await self._worker.recommend(request))))

    def _query(self, scope: Scope) -> bytes:
        query: bytes = scope["query_string"]
        most = self._worker.settings.http.max_query_bytes
        if len(query) > most:
            raise RefusedError(problem(414, "query_too_long", f"a query has at most {most} bytes"))
        return query

    async def _take_feedback(self, receive: Receive) -> Reply:
        body = await self._body(receive)
        try:
            feedback = _feedback.decode(body)
        except msgspec.MsgspecError as error:
            raise InvalidRequestError(f"not a feedback body: {error}") from error
        erased = await self._worker.erased_among(users_of(feedback))
        commands = to_commands(feedback, erased, self._worker.settings, self._worker.now())
        if commands:
            raised(await self._worker.redis.ask(commands))
        return Reply(202, encode(Accepted(len(feedback.events))))

    async def _explain(self, path: str) -> Reply:
        _, _, request_id = path.removeprefix("/v1/explain").partition("/")
        return Reply(200, encode(await self._worker.explain(checked_request_id(request_id))))

    async def _body(self, receive: Receive) -> bytes:
        """The whole body, as long as it is not too large."""
        most, parts, size = self._worker.settings.http.max_body_bytes, [], 0
        while True:
            message = await receive()
            part = message.get("body", b"")
            size += len(part)
            if size > most:
                raise RefusedError(problem(413, "body_too_large", f"a body has at most {most} bytes"))
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)

    async def _health(self) -> Reply:
        return Reply(200, b'{"alive":true}')

    async def _ready(self) -> Reply:
        worker = self._worker
        published = worker.mirrored.state().published
        known = published.current is not None
        mirrors = [
            MirrorAge(state.name, state.age_seconds if state.refreshes else None, state.last_error)
            for state in worker.mirrored.states()
        ]
        is_ready = known and worker.redis.is_up and not published.problem
        store = worker.redis.problem or published.problem or "up"
        return Reply(200 if is_ready else 503, encode(Readiness(is_ready, store, published.current, mirrors)))

    async def _metrics(self) -> Reply:
        self._worker.hand_over()
        return Reply(200, self._worker.metrics.text(), TEXT)

    async def _openapi(self) -> Reply:
        return Reply(200, document())


def _route(path: str) -> str:
    """The path without what it is about: routes are few, ids are not."""
    for route in (_RECOMMENDATIONS, "/v1/explain"):
        if path == route or path.startswith(f"{route}/"):
            return route
    return path if path in _KNOWN else "unknown"


_KNOWN: Final = frozenset({_PAGE, "/health", "/ready", "/metrics", "/openapi.json", "/v1/feedback"})


def _only(method: str, scope: Scope) -> Reply | None:
    """The refusal of another method."""
    if scope["method"] == method:
        return None
    return problem(405, "method_not_allowed", f"only {method} is answered here", headers=((b"allow", method.encode()),))


def _request_id(scope: Scope) -> str:
    """The caller's `X-Request-Id`, where it is one, or a new one."""
    for key, value in scope["headers"]:
        if key == b"x-request-id":
            return checked_request_id(value.decode("latin-1"))
    return secrets.token_hex(12)


def _unauthorized(path: str) -> Reply:
    """What asks for a key: a program sends it as a bearer, a browser asks for a password."""
    of_browsers = b'Basic realm="streamrec: any name, the key as password", charset="UTF-8"'
    wants = of_browsers if path == _PAGE else b"Bearer"
    said = "send Authorization: Bearer KEY with a known key; a browser sends it as the password of any name"
    return problem(401, "unauthorized", said, headers=((b"www-authenticate", wants),))
