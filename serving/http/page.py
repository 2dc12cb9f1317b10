"""A page for people who look rather than read: a slate, how it came about, and what this worker knows.

Made on the server, of templates that escape whatever they are given. It holds no script, and its policy allows none.
A page view is not a request of a user: nothing of it is logged, and the bandit learns nothing of it.
"""

import asyncio
import base64
import hashlib
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from contracts.errors import StreamrecError
from contracts.names import Surface
from serving.http.answers import HTML, Headers, Reply, named
from serving.http.page_form import Form
from serving.http.page_view import COLOURS, known, made
from serving.http.worker import Worker
from serving.requests import NEEDS_CONTEXT
from serving.slate import Slate

_TEMPLATES: Final = Path(__file__).parent / "templates"
_STYLE: Final = "page.css"


class Page:
    """The page of one worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        style = (_TEMPLATES / _STYLE).read_text(encoding="utf-8")
        self._headers = _headers(style)
        environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters.update(duration=duration, share=share, coded=coded)
        # The style is ours, and a stylesheet is not read as HTML: escaped, it would be another one.
        fixed = {"style": Markup(style), "surfaces": tuple(Surface), "needs": NEEDS_CONTEXT, "colours": COLOURS}  # noqa: S704
        self._template = environment.get_template("page.html", globals=fixed)

    async def show(self, query: bytes) -> Reply:
        """The page of a query string; what cannot be answered is said on the page."""
        form, worker = Form.of(query), self._worker
        slate, problem, status, headers = None, "", 200, self._headers
        try:
            slate = await worker.preview(form.request(worker.now(), worker.settings.serving))
        except StreamrecError as error:
            answer, problem = named(error), str(error)
            status, headers = answer.status, (*headers, *answer.headers)
        # A few milliseconds, in which requests go on.
        body = await asyncio.to_thread(self._render, form, slate, problem)
        return Reply(status, body, HTML, headers)

    def _render(self, form: Form, slate: Slate | None, problem: str) -> bytes:
        worker = self._worker
        state = slate.query.state if slate is not None else worker.mirrored.state()
        settings = worker.settings
        told = known(
            state, worker.mirrored.states(), worker.redis.problem, settings.serving.lease_seconds, worker.now()
        )
        shown = made(slate, settings.bandit) if slate is not None else None
        return self._template.render(form=form, made=shown, known=told, problem=problem).encode()


def _headers(style: str) -> Headers:
    """Nothing may run or be fetched, nobody may frame the page, and no address of it is told to others."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "img-src data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return (
        (b"content-security-policy", "; ".join(policy).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-store"),
    )


def coded(text: str) -> Markup:
    """A message, with what stands between backticks as code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


def duration(seconds: float) -> str:
    """A time span in its two largest units."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    size, unit, smaller, small = next(units for units in _UNITS if whole >= units[0])
    rest = whole % size // smaller
    return f"{whole // size} {unit} {rest} {small}" if rest else f"{whole // size} {unit}"


_UNITS: Final = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"), (1, "s", 1, "s"))


def share(value: float) -> str:
    """A chance as people read it."""
    return f"{100 * value:.1f} %"
