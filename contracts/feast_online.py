"""Where Feast keeps a user's features in Redis: the one key of ours that Feast spells."""

import struct
from typing import Final

from contracts import columns as c
from contracts.names import FEAST_PROJECT

_STRING: Final = 2
_INT64: Final = 4
"""Of Feast's `ValueType`."""


def online_key(user_id: int) -> bytes:
    """The hash that holds a user's row of every online feature view.

    Feast's entity key of serialization version 3, the one there is, then the project. Feast could make it, but takes
    seconds to import; a test compares this with what Feast writes.
    """
    name = c.USER_ID.encode()
    head = struct.pack(f"<III{len(name)}s", 1, _STRING, len(name), name)
    return head + struct.pack("<IIq", _INT64, 8, user_id) + FEAST_PROJECT.encode()
