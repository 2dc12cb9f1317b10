"""What a batch says of one user, as one packed string: the segment, and the streamers the user knows.

Little endian::

    u8 version (1)   u8 segment   u8 bytes of an offset (1, 2, 4 or 8)   u16 count S   i64 base
    S x streamer id - base
"""

import struct
from typing import Final

import msgspec

from contracts.names import Segment
from contracts.payload import Ids

VERSION: Final = 1
SEGMENTS: Final = tuple(Segment)
MAX_STREAMERS: Final = 256
"""More than a user comes back to; the latest are kept."""
HEADER: Final = struct.Struct("<BBBHq")


class PackedUser(msgspec.Struct, frozen=True):
    """A user of a batch.

    Args:
        streamers: (S,) ids, ascending: whom the user prefers or watched with value in the window. A visit to one of
            them is a return, to any other a discovery.
    """

    segment: Segment
    streamers: Ids
