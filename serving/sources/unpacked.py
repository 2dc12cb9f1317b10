"""A packed list as candidates, or the reason why there are none."""

from contracts.errors import PayloadError
from contracts.unpacking import unpack
from serving.stages import Fetched


def unpacked(packed: bytes | None, whose: str) -> Fetched:
    """What a stored list holds.

    Args:
        whose: What the list goes with, as words of a note.
    """
    if packed is None:
        return Fetched(None, f"{whose} has no list in this generation")
    try:
        return Fetched(unpack(packed))
    except PayloadError as error:
        return Fetched(None, f"the list of {whose} cannot be read: {error}")
