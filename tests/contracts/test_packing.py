"""Distinct offsets per list are the same by either way of finding them."""

from itertools import accumulate

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.packing import Lists, Offsets, distinct

INT64 = st.integers(-(2**63), 2**63 - 1)
ID = st.one_of(st.integers(0, 9), st.integers(0, 70_000), INT64)


def found(lists: list[list[int]]) -> list[tuple[list[int], list[int]]]:
    """Each list's distinct ids and each row's id again, by way of offsets."""
    edges = np.array([0, *accumulate(map(len, lists))])
    rows = Lists.between(edges)
    offsets = Offsets.of(np.array([identity for ids in lists for identity in ids], np.int64), rows)
    values, index, bounds = distinct(offsets.values, rows)
    result = []
    for number, base in enumerate(offsets.bases.tolist()):
        own = values[bounds[number] : bounds[number + 1]].tolist()
        places = index[edges[number] : edges[number + 1]].tolist()
        result.append(([_signed(base + value) for value in own], [_signed(base + own[place]) for place in places]))
    return result


def _signed(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(ID, min_size=1, max_size=12), min_size=1, max_size=8))
def test_every_row_finds_its_id_among_the_lists_distinct_ones(lists: list[list[int]]) -> None:
    assert found(lists) == [(sorted(set(ids)), ids) for ids in lists]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=1, max_size=8))
def test_equally_long_lists_need_no_padding(lists: list[list[int]]) -> None:
    assert found(lists) == [(sorted(set(ids)), ids) for ids in lists]


def test_one_long_list_among_short_ones_takes_no_matrix_of_its_length() -> None:
    lists = [[place * 3 for place in range(60_000)], *([[5, 5, 1]] * 1_000)]
    assert found(lists) == [(sorted(set(ids)), ids) for ids in lists]
