"""What callers say becomes a checked request."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
import numpy as np

from contracts.errors import InvalidRequestError
from contracts.names import Surface
from contracts.payload import Ids
from contracts.settings import ServingSettings
from contracts.unpacking import NO_IDS
from serving.query import Request

NEEDS_CONTEXT: Final = {
    Surface.WATCH_NEXT: "content that was watched",
    Surface.CHANNEL_VODS: "streamer of the channel",
    Surface.RELATED_STREAMERS: "streamer to be like",
}
"""Surfaces that go with something, and with what."""
_OLDEST_YEARS: Final = 150
_LEAST_ID: Final = -(2**63)
_LARGEST_ID: Final = 2**63 - 1
_ALL: Final[frozenset[str]] = frozenset()
_SURFACES: Final = {str(surface): surface for surface in Surface}


class Asked(msgspec.Struct, frozen=True):
    """A request as a caller words it; None where the caller says nothing."""

    request_id: str
    surface: str
    user_id: int | None = None
    limit: int | None = None
    context: int | None = None
    excluded: Sequence[int] = ()
    languages: Sequence[str] = ()
    viewer_age_years: int | None = None


def to_request(asked: Asked, at: datetime, settings: ServingSettings) -> Request:
    """A checked request.

    Raises:
        InvalidRequestError
    """
    surface = _SURFACES.get(asked.surface)
    if surface is None:
        raise InvalidRequestError(f"surface `{asked.surface}` is unknown; known are {', '.join(_SURFACES)}")
    limit = settings.slate_length if asked.limit is None else asked.limit
    if not 1 <= limit <= settings.max_slate_length:
        raise InvalidRequestError(f"limit {limit} is out of range; ask for 1 to {settings.max_slate_length} items")
    _check_context(surface, asked.context)
    _check_id("user", asked.user_id)
    _check_id("context", asked.context)
    if asked.viewer_age_years is not None and not 0 <= asked.viewer_age_years <= _OLDEST_YEARS:
        raise InvalidRequestError(f"a viewer of {asked.viewer_age_years} years; 0 to {_OLDEST_YEARS} are taken")
    return Request(
        asked.request_id,
        asked.user_id,
        surface,
        limit,
        at,
        asked.context,
        _ids(asked.excluded, settings.max_excluded),
        languages=frozenset(asked.languages) if asked.languages else _ALL,
        viewer_age_years=asked.viewer_age_years,
    )


def _check_id(what: str, identity: int | None) -> None:
    if identity is not None and not _LEAST_ID <= identity <= _LARGEST_ID:
        raise InvalidRequestError(f"{what} {identity} is not a 64-bit id")


def _check_context(surface: Surface, context: int | None) -> None:
    what = NEEDS_CONTEXT.get(surface)
    if what is not None and context is None:
        raise InvalidRequestError(f"surface `{surface}` needs a context: the {what}")
    if what is None and context is not None:
        raise InvalidRequestError(f"surface `{surface}` takes no context; those that do are {', '.join(NEEDS_CONTEXT)}")


def _ids(excluded: Sequence[int], most: int) -> Ids:
    if not excluded:
        return NO_IDS
    if len(excluded) > most:
        raise InvalidRequestError(f"{len(excluded)} excluded ids; at most {most} are taken")
    try:
        return np.unique(np.array(excluded, np.int64))
    except OverflowError as error:
        raise InvalidRequestError("an excluded id is not a 64-bit id") from error
