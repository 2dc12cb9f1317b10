"""Page cursors: which generation the pages come from, and what they have shown.

Opaque to callers: URL-safe base64 of a version, a checksum of the question, the generation, and the ids in the
narrowest width. Without a state on the server, no memory grows, and any worker can go on.
"""

import base64
import binascii
import struct
import zlib
from typing import Final

import msgspec
import numpy as np

from contracts.errors import InvalidRequestError
from contracts.payload import WIDTHS, Ids
from serving.query import Request

VERSION: Final = 1
MAX_SERVED: Final = 1_000
"""Ids a cursor carries; a feed that shows more begins anew. About 5 kB of URL where ids need 32 bits."""
_HEADER: Final = struct.Struct("<BIBBHq")
_LETTERS: Final = {1: "B", 2: "H", 4: "I", 8: "Q"}
_WIDTH_OF_BITS: Final = tuple(next(width for width in WIDTHS if bits <= 8 * width) for bits in range(65))


def next_cursor(request: Request, generation: str, shown: Ids) -> str | None:
    """The cursor of the page after this one; None where it would carry too much.

    Args:
        shown: (N,) what this page shows.
    """
    # Python's integers: the widest range of int64 has a difference, and a page of ids is no work for arrays.
    served = sorted(request.served.tolist() + shown.tolist())
    if len(served) > MAX_SERVED:
        return None
    base, last = (served[0], served[-1]) if served else (0, 0)
    width = _WIDTH_OF_BITS[(last - base).bit_length()]
    offsets = struct.pack(f"<{len(served)}{_LETTERS[width]}", *[one - base for one in served])
    name = generation.encode()
    head = _HEADER.pack(VERSION, _question(request), len(name), width, len(served), base)
    return base64.urlsafe_b64encode(head + name + offsets).rstrip(b"=").decode()


def with_cursor(request: Request, cursor: str) -> Request:
    """The request of the page that a cursor asks for.

    Raises:
        InvalidRequestError: not a cursor, or one of another user, surface or context.
    """
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        version, question, length, width, count, base = _HEADER.unpack_from(packed)
        name = packed[_HEADER.size : _HEADER.size + length].decode("ascii")
    except (binascii.Error, struct.error, ValueError) as error:
        raise InvalidRequestError("the cursor is not one that this service gave") from error
    body = packed[_HEADER.size + length :]
    if version != VERSION or width not in WIDTHS or len(body) != width * count or count > MAX_SERVED:
        raise InvalidRequestError("the cursor is not one that this service gave")
    if question != _question(request):
        raise InvalidRequestError("the cursor belongs to another user, surface or context")
    offsets = np.frombuffer(body, WIDTHS[width]).astype(np.uint64)
    served = np.sort((offsets + np.uint64(base % 2**64)).view(np.int64))
    return msgspec.structs.replace(request, generation=name, served=served)


def _question(request: Request) -> int:
    """A checksum of what must stay the same from page to page."""
    return zlib.crc32(f"{request.user_id}/{request.surface}/{request.context}".encode())
