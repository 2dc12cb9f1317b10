"""Commands written from columns are those that hiredis writes from objects."""

from itertools import chain

import hiredis
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.stores.hashes import Fields, Hashes
from serving.stores.resp import decimals, hset_and_expire

INT64 = st.integers(-(2**63), 2**63 - 1)
ID = st.one_of(st.integers(-300, 300), INT64)
FIELDS = st.dictionaries(ID.map(lambda number: b"%d" % number), st.binary(max_size=40), min_size=1, max_size=12)


def expected(hashes: dict[str, Fields], ttl: int) -> bytes:
    return b"".join(
        hiredis.pack_command(("HSET", key, *chain.from_iterable(fields.items())))
        + hiredis.pack_command(("EXPIRE", key, str(ttl)))
        for key, fields in hashes.items()
    )


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(max_size=12), FIELDS, max_size=5), st.integers(1, 2**62))
def test_any_hashes_are_the_commands_that_hiredis_packs(hashes: dict[str, Fields], ttl: int) -> None:
    assert hset_and_expire(Hashes.of(hashes), ttl) == expected(hashes, ttl)


def test_large_values_and_many_fields_are_written_whole() -> None:
    rng = np.random.default_rng(1)
    hashes = {
        "many": {b"%d" % number: rng.bytes(number % 1_100) for number in range(12_345)},
        "large": {b"1": rng.bytes(1_000_000), b"": b"", b"2": rng.bytes(99_999), b"3": rng.bytes(100_000)},
    }
    assert hset_and_expire(Hashes.of(hashes), 172_800) == expected(hashes, 172_800)


def test_a_part_of_hashes_whose_values_lie_in_another_order_is_written_alone() -> None:
    whole = Hashes.of({"a": {b"1": b"one"}, "b": {b"2": b"two", b"3": b"three"}, "c": {b"4": b"four"}})
    turned = Hashes(whole.keys, whole.edges, whole.names, whole.values.take(np.array([3, 2, 1, 0])))
    _, middle, _ = turned.cut(1, 1_000)
    assert hset_and_expire(middle, 60) == expected({"b": {b"2": b"three", b"3": b"two"}}, 60)


@given(st.lists(ID))
def test_any_int64_has_its_digits(numbers: list[int]) -> None:
    assert decimals(np.array(numbers, np.int64)).tolist() == [b"%d" % number for number in numbers]


def test_every_count_of_digits_is_written() -> None:
    edges = [sign * (10**power + step) for power in range(19) for step in (-1, 0, 1) for sign in (1, -1)]
    numbers = [*edges, 2**63 - 1, -(2**63)]
    assert decimals(np.array(numbers, np.int64)).tolist() == [b"%d" % number for number in numbers]
