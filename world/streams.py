"""Random streams: one per concern, so that a new draw in one does not shift the others."""

import zlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Streams:
    """Independent generators by name, and by day where a concern recurs daily."""

    seed: int

    def rng(self, concern: str, *index: int) -> np.random.Generator:
        """A fresh generator: the same concern and index always begin the same stream."""
        key = (zlib.crc32(concern.encode()), *index)
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))
