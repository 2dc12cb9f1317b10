"""A user's vector as one packed string: D signed bytes, the direction in steps of 1/127 of the largest component.

Vectors are of length 1, so the direction is all there is, and the reader makes it a unit vector again. D and the model
stand in the generation's info: vectors of two models say nothing together. For D = 64 a score is off by 0.001 or so,
where its range is -1 to 1, and the string is as short as a Redis hash still packs tightly.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.byte_strings import ByteStrings
from contracts.errors import PayloadError

FloatArray = npt.NDArray[np.float32]
_STEPS: Final = 127


def pack_vectors(vectors: FloatArray) -> ByteStrings:
    """The packed strings of vectors [N, D].

    Raises:
        PayloadError: a vector without a direction: all zero, or not finite.
    """
    largest = np.abs(vectors).max(axis=1, initial=0.0, keepdims=True)
    if not (np.isfinite(largest) & (largest > 0)).all():
        raise PayloadError("a vector is all zero or not finite; retrieve with a sound model and publish again")
    packed = np.rint(vectors * (_STEPS / largest)).astype(np.int8)
    count, width = vectors.shape
    return ByteStrings.ending_at(packed.view(np.uint8).ravel(), np.arange(1, count + 1) * width)


def unpack_vector(packed: bytes, dim: int) -> FloatArray:
    """The unit vector, float32 [D].

    Raises:
        PayloadError: another length than D, or no direction.
    """
    if len(packed) != dim:
        raise PayloadError(f"a vector of {len(packed)} bytes where the generation says {dim}")
    values = np.frombuffer(packed, np.int8).astype(np.float32)
    length = float(np.sqrt(values @ values))
    if length == 0:
        raise PayloadError("a vector of nothing but zeros has no direction")
    unit: FloatArray = values / np.float32(length)
    return unit
