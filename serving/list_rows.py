"""Rows of list tables, in Arrow, as the packed lists of Redis' hashes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import types

from contracts import columns as c
from contracts import redis_keys
from contracts.byte_strings import Bytes, ByteStrings
from contracts.compiled import BYTES, INTS_32, compiled, made
from contracts.names import ItemKind, Source, Surface
from contracts.packed_lists import pack_lists
from contracts.payload import KINDS, SOURCES, CandidateColumns, Ids, encode
from serving.runs import Codes, list_edges, run_edges
from serving.stores.hashes import Hashes


@dataclass(frozen=True)
class ListRows:
    """Rows of many lists, of length K in all.

    Args:
        surfaces: The words of `codes`.
        codes: (K,) on which surface.
        owners: (K,) whose: a user, a target, or the place of a segment.
        ranks: (K,)
        candidates: (K,)
    """

    surfaces: Sequence[str]
    codes: Codes
    owners: Ids
    ranks: Codes
    candidates: CandidateColumns

    def by_list(self) -> "ListRows":
        """Sorted by surface, owner and rank."""
        order = np.lexsort((self.ranks, self.owners, self.codes))
        codes, owners, ranks = self.codes[order], self.owners[order], self.ranks[order]
        return ListRows(self.surfaces, codes, owners, ranks, self.candidates.take(order))


@dataclass(frozen=True)
class _Lists:
    """Runs of rows of one list.

    Args:
        edges: (L + 1,) where they begin, and the end of the last.
        rises: Whether the ranks rise within each.
        order: (L,) the runs by surface and owner.
        codes: (L,) in that order.
        owners: (L,) in that order.
    """

    edges: Ids
    rises: bool
    order: npt.NDArray[np.intp]
    codes: Codes
    owners: Ids

    @classmethod
    def of(cls, rows: ListRows) -> "_Lists":
        edges, rises = list_edges(_ints_32(rows.codes), rows.owners, _ints_32(rows.ranks))
        codes, owners = rows.codes[edges[:-1]], rows.owners[edges[:-1]]
        order = np.lexsort((owners, codes))
        return cls(edges, rises, order, codes[order], owners[order])

    @property
    def are_whole(self) -> bool:
        """Whether each list is one run, its rows in the order of their ranks."""
        is_again = (self.codes[1:] == self.codes[:-1]) & (self.owners[1:] == self.owners[:-1])
        return self.rises and not is_again.any()


def list_hashes(
    rows: ListRows,
    key: Callable[[str, int], str],
    names: Callable[[Ids], ByteStrings],
    buckets: Callable[[Ids], Ids] = redis_keys.bucket_of,
) -> Hashes:
    """One hash per surface and bucket of owners.

    A table that a job wrote holds each list in one place: its rows are packed as they stand, and only the lists are
    put in order. Any other order of rows costs a sort of all of them.

    Args:
        key: The hash of a surface and a bucket.
        names: The fields of owners.
    """
    if not len(rows.codes):
        return Hashes.of({})
    lists = _Lists.of(rows)
    if not lists.are_whole:
        rows = rows.by_list()
        lists = _Lists.of(rows)
    places = buckets(lists.owners)
    edges = run_edges(lists.codes, places)
    firsts = zip(lists.codes[edges[:-1]].tolist(), places[edges[:-1]].tolist(), strict=True)
    keys = [key(rows.surfaces[code], place) for code, place in firsts]
    return Hashes(keys, edges, names(lists.owners), pack_lists(rows.candidates, lists.edges).take(lists.order))


def _ints_32(values: Codes) -> Codes:
    return np.ascontiguousarray(values, np.int32)


def whole_owners(batches: Iterable[pa.Table], owner: str) -> Iterator[pa.Table]:
    """Batches cut anew, so that rows of one owner that follow each other are in one."""
    held: pa.Table | None = None
    for batch in batches:
        if held is None:
            held = batch
            continue
        value = held.column(owner)[-1].as_py()
        first, _ = _bounds(batch, owner, value)
        if first:
            _, last = _bounds(held, owner, value)
            if last:
                yield held.slice(0, last)
            held = pa.concat_tables([held.slice(last), batch.slice(0, first)])
        if first < batch.num_rows:
            yield held
            held = batch.slice(first)
    if held is not None:
        yield held


def _bounds(rows: pa.Table, column: str, value: int) -> tuple[int, int]:
    """How many rows come before the first that does not hold the value, and how many up to the last such one."""
    is_other = rows.column(column).to_numpy() != value
    if not is_other.any():
        return rows.num_rows, 0
    return int(is_other.argmax()), len(is_other) - int(is_other[::-1].argmax())


def user_rows(rows: pa.Table) -> ListRows:
    """Of the users' own lists."""
    surfaces, codes = dictionary(rows.column(c.SURFACE))
    users = rows.column(c.USER_ID).to_numpy()
    return ListRows(surfaces, codes, users, _ranks(rows), candidate_columns(rows))


def segment_rows(rows: pa.Table, segments: Ids) -> ListRows:
    """Of the lists of segments, which are places among their words."""
    surfaces, codes = dictionary(rows.column(c.SURFACE))
    return ListRows(surfaces, codes, segments, _ranks(rows), candidate_columns(rows))


def channel_rows(rows: pa.Table) -> ListRows:
    """Of the streamers' representative VODs and clips."""
    streamers, contents = rows.column(c.STREAMER_ID).to_numpy(), rows.column(c.CONTENT_ID).to_numpy()
    kinds = _codes(rows.column(c.CONTENT_KIND), KINDS)
    candidates = _of_one_source(contents, kinds, streamers, Source.REPRESENTATIVE, rows)
    return _of_targets(Surface.CHANNEL_VODS, streamers, candidates, rows)


def related_rows(rows: pa.Table) -> ListRows:
    """Of related streamers."""
    related = rows.column(c.RELATED_STREAMER_ID).to_numpy()
    kinds = np.full(len(related), KINDS.index(ItemKind.STREAMER), np.uint8)
    candidates = _of_one_source(related, kinds, related, Source.RELATED_STREAMERS, rows)
    return _of_targets(Surface.RELATED_STREAMERS, rows.column(c.STREAMER_ID).to_numpy(), candidates, rows)


def next_rows(rows: pa.Table) -> ListRows:
    """Of what is offered after a content."""
    candidates = _candidates(rows, rows.column(c.CONTENT_ID), rows.column(c.CONTENT_KIND))
    return _of_targets(Surface.WATCH_NEXT, rows.column(c.TARGET_ID).to_numpy(), candidates, rows)


def candidate_columns(rows: pa.Table) -> CandidateColumns:
    """The candidates of a list table as columns, in the table's order."""
    return _candidates(rows, rows.column(c.ITEM_ID), rows.column(c.ITEM_KIND))


def dictionary(column: pa.ChunkedArray) -> tuple[list[str], Codes]:
    """The words of a column without nulls, and each row's place among them."""
    encoded = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy(zero_copy_only=False)


def _of_targets(surface: Surface, targets: Ids, candidates: CandidateColumns, rows: pa.Table) -> ListRows:
    return ListRows([surface], np.zeros(len(targets), np.int32), targets, _ranks(rows), candidates)


def _ranks(rows: pa.Table) -> Codes:
    ranks: Codes = rows.column(c.RANK).to_numpy()
    return ranks


def _of_one_source(
    items: Ids, kinds: npt.NDArray[np.uint8], streamers: Ids, source: Source, rows: pa.Table
) -> CandidateColumns:
    sources = np.full(len(items), SOURCES.index(source), np.uint8)
    return CandidateColumns(items, kinds, streamers, sources, _scores(rows))


def _candidates(rows: pa.Table, items: pa.ChunkedArray, kinds: pa.ChunkedArray) -> CandidateColumns:
    streamers, sources = rows.column(c.STREAMER_ID).to_numpy(), _codes(rows.column(c.SOURCE), SOURCES)
    return CandidateColumns(items.to_numpy(), _codes(kinds, KINDS), streamers, sources, _scores(rows))


def _scores(rows: pa.Table) -> npt.NDArray[np.float32]:
    scores: npt.NDArray[np.float32] = rows.column(c.SCORE).to_numpy().astype(np.float32)
    return scores


def _codes(column: pa.ChunkedArray, words: Sequence[str]) -> npt.NDArray[np.uint8]:
    found, codes = dictionary(column)
    table = np.zeros(256, np.uint8)
    table[: len(found)] = encode(found, words)
    return _translated(_ints_32(codes), table)


@compiled(made(types.uint8)(INTS_32, BYTES), alone=False)
def _translated(codes: Codes, table: Bytes) -> Bytes:
    """The entries of codes in a table of 256; no code reads beside the table."""
    found = np.empty(len(codes), np.uint8)
    for row in range(len(codes)):
        found[row] = table[np.uint8(codes[row])]
    return found
