"""GF-CF: a linear and an ideal low-pass filter over the graph of users and items; nothing is trained.

Scores of a user's row r are r P^T P + weight * r D^-1/2 V V^T D^1/2, with P the degree-normalised matrix, V its leading
right singular vectors and D the items' degrees. Sparse products and one truncated decomposition: for any catalogue.
Reference: Shen et al., "How powerful is graph convolution for recommendation?", CIKM 2021.

Letters: U users, I items, R rank.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import svds

from models.linear.interactions import Floats


@dataclass(frozen=True)
class SpectralFilter:
    """A filter of one matrix of interactions.

    Args:
        normalized: P, [U, I].
        degree_root: Square roots of the items' degrees, [I]; 0 for items that nobody met.
        basis: V^T, [R, I].
        weight: What the ideal low-pass filter counts.
    """

    normalized: csr_array
    degree_root: Floats
    basis: Floats
    weight: float

    @classmethod
    def of(cls, met: csr_array, rank: int, weight: float, seed: int = 0) -> "SpectralFilter":
        """The filter of what users met, [U, I]."""
        users, items = (np.sqrt(met.sum(axis=axis)).astype(np.float32) for axis in (1, 0))
        normalized = csr_array(diags_array(_inverse(users)) @ met @ diags_array(_inverse(items)))
        *_, basis = svds(normalized, k=rank, rng=np.random.default_rng(seed), return_singular_vectors="vh")
        return cls(normalized, items, np.ascontiguousarray(basis), weight)

    def scores(self, met: csr_array) -> Floats:
        """Of each row's items, [rows, I]."""
        local = ((met @ self.normalized.T) @ self.normalized).toarray()
        spectrum = (met * _inverse(self.degree_root)[None]) @ self.basis.T
        return np.asarray(local + self.weight * (spectrum @ self.basis) * self.degree_root, dtype=np.float32)


def _inverse(values: Floats) -> Floats:
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 0)
