"""The fresh contents in a worker's memory. Letters: N contents, D dimensions, K candidates."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contracts.names import Source
from contracts.packed_vector import FloatArray
from contracts.payload import KINDS, SOURCES, CandidateColumns, Ids
from serving.fresh.item import FreshItem

Rows = npt.NDArray[np.intp]
Words = npt.NDArray[np.object_]
_NO_MODEL: Final = ""


@dataclass(frozen=True)
class UserVector:
    """A user as one version of the model sees them: unit vector, float32 [D]."""

    values: FloatArray
    model_version: str


@dataclass(frozen=True)
class FreshIndex:
    """Contents that may be shown, as columns (N,) by content id; never changed, only replaced.

    Args:
        published_at: Unix seconds; of the event where the content has none.
        kinds: uint8, positions in `contracts.payload.KINDS`.
        titles: None where unknown; so are categories and languages.
        min_ages: Years; 0 for everybody.
        model_versions: Of the model that made each vector; empty where there is none. Normally all are alike; they
            are of two versions while contents are embedded again after a publish.
        vectors: Unit vectors, float32 [N, D]; zero where there is none.
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
    model_versions: Words
    vectors: FloatArray
    problem: str = ""

    def __len__(self) -> int:
        return len(self.content_ids)

    @classmethod
    def of(cls, items: Iterable[FreshItem]) -> "FreshIndex":
        """The index of what may be shown among some items."""
        shown = sorted((item for item in items if item.description is not None), key=lambda item: item.content_id)
        described = [item.description for item in shown if item.description is not None]
        times = [d.published_at or item.changed_at for item, d in zip(shown, described, strict=True)]
        versions, vectors = _vectors(shown)
        return cls(
            content_ids=np.array([item.content_id for item in shown], np.int64),
            kinds=np.array([KINDS.index(d.kind) for d in described], np.uint8),
            streamer_ids=np.array([d.streamer_id for d in described], np.int64),
            published_at=np.array(times, np.float64),
            titles=_words([d.title for d in described]),
            categories=_words([d.category for d in described]),
            languages=_words([d.language for d in described]),
            min_ages=np.array([d.min_age or 0 for d in described], np.int16),
            model_versions=versions,
            vectors=vectors,
        )

    @property
    def has_vectors(self) -> bool:
        return self.vectors.shape[1] > 0

    @cached_property
    def by_model(self) -> dict[str, npt.NDArray[np.bool_]]:
        """Which rows each version of the model has embedded; words are compared once, not for every request."""
        return {version: self.model_versions == version for version in set(self.model_versions) - {_NO_MODEL}}

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
        embedded = self.by_model.get(user.model_version)
        if embedded is None or self.vectors.shape[1] != len(user.values):
            return self._candidates(np.empty(0, np.intp), np.empty(0))
        may = embedded & (self.published_at <= at)
        scores = np.where(may, self.vectors @ user.values, -np.inf)
        top = _largest(scores, min(count, int(may.sum())))
        return self._candidates(top, scores[top])

    def newest_of(self, streamer_ids: Ids, count: int, at: float) -> CandidateColumns:
        """The `count` newest contents of some streamers, of those published by `at`; the score is 1 / rank."""
        own = np.flatnonzero(np.isin(self.streamer_ids, streamer_ids) & (self.published_at <= at))
        newest = own[np.argsort(-self.published_at[own], kind="stable")][:count]
        return self._candidates(newest, 1 / np.arange(1, len(newest) + 1))

    def changed(self, items: Sequence[FreshItem], gone: Collection[int]) -> "FreshIndex":
        """The index with some items put and some contents gone: what did not change is copied, not made again."""
        touched = [*gone, *(item.content_id for item in items)]
        places = self.rows(np.array(touched, np.int64))
        keep = np.ones(len(self), bool)
        keep[places[places >= 0]] = False
        new = FreshIndex.of(items)
        kept = self._take(keep)._in_space_of(new)
        both = [np.concatenate(pair) for pair in zip(kept._columns(), new._in_space_of(kept)._columns(), strict=True)]
        order = np.argsort(both[0], kind="stable")
        return self._of_columns([column[order] for column in both])

    def _in_space_of(self, other: "FreshIndex") -> "FreshIndex":
        """Self, or without vectors where the other has some of another length: a model of another shape made them."""
        dim = other.vectors.shape[1]
        if self.vectors.shape[1] == dim or not other.has_vectors:
            return self
        nothing = np.zeros((len(self), dim), np.float32)
        return replace(self, model_versions=_words([_NO_MODEL] * len(self)), vectors=nothing)

    def _candidates(self, rows: Rows, scores: npt.NDArray[np.floating]) -> CandidateColumns:
        sources = np.full(len(rows), SOURCES.index(Source.FRESH), np.uint8)
        return CandidateColumns(
            self.content_ids[rows], self.kinds[rows], self.streamer_ids[rows], sources, scores.astype(np.float32)
        )

    def _take(self, rows: npt.NDArray[np.bool_]) -> "FreshIndex":
        return self._of_columns([column[rows] for column in self._columns()])

    def _columns(self) -> list[npt.NDArray[Any]]:
        return [getattr(self, name) for name in _COLUMNS]

    def _of_columns(self, columns: Sequence[npt.NDArray[Any]]) -> "FreshIndex":
        made: dict[str, Any] = dict(zip(_COLUMNS, columns, strict=True))
        return FreshIndex(**made, problem=self.problem)


_COLUMNS: Final = tuple(column.name for column in fields(FreshIndex) if column.name != "problem")


def _largest(scores: FloatArray, count: int) -> Rows:
    """Places of the `count` largest, best first."""
    if count <= 0:
        return np.empty(0, np.intp)
    top = np.argpartition(scores, -count)[-count:]
    return top[np.argsort(-scores[top], kind="stable")]


def _vectors(shown: Sequence[FreshItem]) -> tuple[Words, FloatArray]:
    """Versions and vectors of the latest item's length; what has none, or one of another length, has no version."""
    latest = max((item for item in shown if item.vector is not None), key=lambda item: item.changed_at, default=None)
    dim = 0 if latest is None or latest.vector is None else len(latest.vector)
    versions = [_NO_MODEL] * len(shown)
    vectors = np.zeros((len(shown), dim), np.float32)
    for row, item in enumerate(shown):
        if item.vector is not None and len(item.vector) == dim:
            versions[row], vectors[row] = item.model_version, item.vector
    return _words(versions), vectors


def _words(values: Sequence[str | None]) -> Words:
    words = np.empty(len(values), object)
    words[:] = values
    return words
