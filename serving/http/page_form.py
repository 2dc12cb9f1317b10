"""What the page's form says, and the addresses of pages beside it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from contracts.names import Surface
from contracts.settings import ServingSettings
from serving.http.questions import checked_request_id, to_question
from serving.query import Request
from serving.requests import NEEDS_CONTEXT

USER: Final = "user"
REQUEST: Final = "request"
_SURFACE, _CONTEXT, _CURSOR = "surface", "context", "cursor"
_PASSING: Final = {REQUEST, _CURSOR}
"""Of one slate, not of what is asked."""


@dataclass(frozen=True)
class Form:
    """The fields that say something, without the spaces that people type.

    Args:
        fields: Name and text; a form sends its empty fields, too, and those are not here.
    """

    fields: Mapping[str, str]

    @classmethod
    def of(cls, query: bytes) -> "Form":
        """Of a query string; whatever is wrong with it is said when it is asked."""
        pairs = parse_qsl(query.decode("ascii", "replace"))
        said = {name: "".join(text.split()) for name, text in pairs}
        surface = said.setdefault(_SURFACE, Surface.HOME_CLIPS)
        # Who changes the surface in the form does not mean the context that goes with another.
        if surface not in NEEDS_CONTEXT:
            said.pop(_CONTEXT, None)
        return cls({name: text for name, text in said.items() if text})

    def __getitem__(self, name: str) -> str:
        """A field's text; empty where it says nothing."""
        return self.fields.get(name, "")

    def request(self, at: datetime, settings: ServingSettings) -> Request:
        """What is asked.

        Raises:
            InvalidRequestError
        """
        request_id = checked_request_id(self[REQUEST]) if self[REQUEST] else secrets.token_hex(12)
        return to_question(request_id, self[USER], urlencode(self._asked()).encode(), at, settings)

    @property
    def json_address(self) -> str:
        """Where the same question is answered as JSON."""
        user = f"/{quote(self[USER], safe='')}" if self[USER] else ""
        return f"/v1/recommendations{user}?{urlencode(self._asked())}"

    def address(self, **changes: object) -> str:
        """The page of the same question with other fields; a new draw, unless a field says which."""
        lasting = {name: text for name, text in self.fields.items() if name not in _PASSING}
        return f"/?{urlencode({**lasting, **changes})}"

    def _asked(self) -> dict[str, str]:
        return {name: text for name, text in self.fields.items() if name not in {USER, REQUEST}}
