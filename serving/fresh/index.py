"""The fresh contents in a worker's memory. Letters: N contents, M of one model, D dimensions, K candidates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from contracts.names import Source
from contracts.packed_vector import FloatArray
from contracts.payload import KINDS, SOURCES, CandidateColumns, Ids
from serving.fresh.item import FreshItem

Rows = npt.NDArray[np.intp]
Words = npt.NDArray[np.object_]


@dataclass(frozen=True)
class UserVector:
    """A user as one version of the model sees them: unit vector, float32 [D]."""

    values: FloatArray
    model_version: str


@dataclass(frozen=True)
class Block:
    """The contents that one version of the model has embedded.

    Args:
        rows: (M,) their rows in the index.
        vectors: Unit vectors, float32 [M, D].
    """

    rows: Rows
    vectors: FloatArray


@dataclass(frozen=True)
class FreshIndex:
    """Contents that may be shown, as columns (N,) by content id; never changed, only replaced.

    Args:
        published_at: Unix seconds; that of the event where the content has none.
        kinds: uint8, positions in `contracts.payload.KINDS`.
        titles: None where unknown; so are categories and languages.
        min_ages: Years; 0 for everybody.
        blocks: By version of the model. Normally one; two while contents are embedded again after a publish.
        problem: Why the index may be old or less than it could be; empty while all is well.
    """

    content_ids: Ids
    kinds: npt.NDArray[np.uint8]
    streamer_ids: Ids
    published_at: npt.NDArray[np.float64]
    titles: Words
    categories: Words
    languages: Words
    min_ages: npt.NDArray[np.int16]
    blocks: Mapping[str, Block]
    problem: str = ""

    def __len__(self) -> int:
        return len(self.content_ids)

    @classmethod
    def of(cls, items: Iterable[FreshItem], problem: str = "") -> "FreshIndex":
        """The index of what may be shown among some items."""
        shown = sorted((i for i in items if i.description is not None), key=lambda item: item.content_id)
        described = [item.description for item in shown if item.description is not None]
        times = [d.published_at or item.changed_at for item, d in zip(shown, described, strict=True)]
        return cls(
            content_ids=np.array([item.content_id for item in shown], np.int64),
            kinds=np.array([KINDS.index(d.kind) for d in described], np.uint8),
            streamer_ids=np.array([d.streamer_id for d in described], np.int64),
            published_at=np.array(times, np.float64),
            titles=_words([d.title for d in described]),
            categories=_words([d.category for d in described]),
            languages=_words([d.language for d in described]),
            min_ages=np.array([d.min_age or 0 for d in described], np.int16),
            blocks=_blocks(shown),
            problem=problem,
        )

    @cached_property
    def model_version(self) -> str:
        """Of the model that most contents are embedded by; empty where none is."""
        return max(self.blocks, key=lambda version: len(self.blocks[version].rows), default="")

    def rows(self, content_ids: Ids) -> Rows:
        """(K,) row of each content, -1 where it is not fresh."""
        if len(self) == 0:
            return np.full(len(content_ids), -1, np.intp)
        places = np.minimum(np.searchsorted(self.content_ids, content_ids), len(self) - 1)
        return np.where(self.content_ids[places] == content_ids, places, -1)

    def best(self, user: UserVector, count: int, at: float) -> CandidateColumns:
        """The `count` contents that the model scores highest for the user, of those published by `at` (unix seconds).

        The score is the dot product of unit vectors, -1 to 1, as in `retrieved_candidate_v1`. Contents that another
        version of the model has embedded are never scored.
        """
        block = self.blocks.get(user.model_version)
        if block is None or block.vectors.shape[1] != len(user.values):
            return self._candidates(np.empty(0, np.intp), np.empty(0, np.float32))
        is_out = self.published_at[block.rows] <= at
        scores = np.where(is_out, block.vectors @ user.values, -np.inf)
        top = _largest(scores, min(count, int(is_out.sum())))
        return self._candidates(block.rows[top], scores[top])

    def newest_of(self, streamer_ids: Ids, count: int, at: float) -> CandidateColumns:
        """The `count` newest contents of some streamers, of those published by `at`; the score is 1 / rank."""
        own = np.flatnonzero(np.isin(self.streamer_ids, streamer_ids) & (self.published_at <= at))
        newest = own[np.argsort(-self.published_at[own], kind="stable")][:count]
        return self._candidates(newest, 1 / np.arange(1, len(newest) + 1))

    def _candidates(self, rows: Rows, scores: npt.NDArray[np.floating]) -> CandidateColumns:
        sources = np.full(len(rows), SOURCES.index(Source.FRESH), np.uint8)
        return CandidateColumns(
            self.content_ids[rows], self.kinds[rows], self.streamer_ids[rows], sources, scores.astype(np.float32)
        )


def _largest(scores: FloatArray, count: int) -> Rows:
    """Places of the `count` largest, best first."""
    if count <= 0:
        return np.empty(0, np.intp)
    top = np.argpartition(scores, -count)[-count:]
    return top[np.argsort(-scores[top], kind="stable")]


def _blocks(shown: list[FreshItem]) -> dict[str, Block]:
    """One per version and length; of two lengths under one version, which only a torn write could leave, the first."""
    members: dict[str, tuple[list[int], list[FloatArray]]] = {}
    for row, item in enumerate(shown):
        if item.vector is None:
            continue
        rows, vectors = members.setdefault(item.model_version, ([], []))
        if not vectors or len(vectors[0]) == len(item.vector):
            rows.append(row)
            vectors.append(item.vector)
    return {version: Block(np.array(rows, np.intp), np.stack(vectors)) for version, (rows, vectors) in members.items()}


def _words(values: list[str | None]) -> Words:
    words = np.empty(len(values), object)
    words[:] = values
    return words
