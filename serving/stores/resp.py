"""What Redis reads (RESP, https://redis.io/docs/latest/develop/reference/protocol-spec), written from columns.

A list reaches the socket by one copy of its bytes. As Python objects, its field's name and value cost more than
packing them (`benchmarks/publish.py`).
"""

from typing import Final

import numpy as np
from numba import types

from contracts.byte_strings import Bytes, ByteStrings, Columns
from contracts.compiled import BYTES, INTS, compiled, inlined, made
from contracts.payload import Ids
from serving.stores.hashes import Hashes

_COLUMNS: Final = types.Tuple((BYTES, INTS, INTS))
_MOST_DIGITS: Final = 20
"""Of 64 bits, with their sign."""
_MOST_FRAME: Final = 1 + _MOST_DIGITS + 2 + 2
"""Around a string: its length, and the ends of two lines."""
_MINUS, _ZERO, _DOLLAR, _STAR, _CR, _LF = (np.uint8(ord(sign)) for sign in "-0$*\r\n")
_HSET: Final = np.frombuffer(b"$4\r\nHSET\r\n", np.uint8)
_EXPIRE: Final = np.frombuffer(b"*3\r\n$6\r\nEXPIRE\r\n", np.uint8)


def decimals(numbers: Ids) -> ByteStrings:
    """Numbers as decimal digits."""
    return ByteStrings.ending_at(*_decimals(np.ascontiguousarray(numbers)))


def hset_and_expire(hashes: Hashes, ttl_seconds: int) -> memoryview:
    """The text of two commands per hash, in their order: add all its fields, then set its time to live."""
    keys, ttl = (ByteStrings.of([word.encode() for word in words]) for words in (hashes.keys, [str(ttl_seconds)]))
    return _hset_and_expire(keys.columns, hashes.edges, hashes.names.columns, hashes.values.columns, ttl.columns).data


@inlined
def _put_digits(text, at, number):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  numba infers them
    """Write an unsigned number; the place after it."""
    ten, rest, length = np.uint64(10), number, 1
    while rest >= ten:
        rest, length = rest // ten, length + 1
    for place in range(at + length - 1, at - 1, -1):
        text[place] = _ZERO + np.uint8(number % ten)
        number = number // ten
    return at + length


@inlined
def _put_piece(text, at, piece, start, end):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Write bytes as they are."""
    # Over views from their first byte on, the loop becomes a memcpy, which one that adds the starts does not.
    into, of = text[at : at + end - start], piece[start:end]
    for place in range(len(into)):
        into[place] = of[place]
    return at + len(into)


@inlined
def _put_head(text, at, sign, number):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Write the line that says how much follows."""
    text[at] = sign
    at = _put_digits(text, at + 1, np.uint64(number))
    text[at], text[at + 1] = _CR, _LF
    return at + 2


@inlined
def _put_string(text, at, strings, place):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Write one of the strings with its length."""
    buffer, starts, ends = strings
    at = _put_head(text, at, _DOLLAR, ends[place] - starts[place])
    at = _put_piece(text, at, buffer, starts[place], ends[place])
    text[at], text[at + 1] = _CR, _LF
    return at + 2


@inlined
def _room(strings, first, last):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Bytes that some of the strings take at most."""
    _, starts, ends = strings
    room = 0
    for place in range(first, last):
        room += ends[place] - starts[place] + _MOST_FRAME
    return room


@compiled(types.Tuple((made(types.uint8), made(types.int64)))(INTS), alone=False)
def _decimals(numbers: Ids) -> tuple[Bytes, Ids]:
    """The digits of all, and where those of each end."""
    text, ends, at = np.empty(len(numbers) * _MOST_DIGITS, np.uint8), np.empty(len(numbers), np.int64), 0
    for place in range(len(numbers)):
        number = np.uint64(numbers[place])
        if numbers[place] < 0:
            text[at] = _MINUS
            # uint64 arithmetic wraps, so that the smallest int64 has its digits, too.
            at, number = at + 1, np.uint64(0) - number
        at = _put_digits(text, at, number)
        ends[place] = at
    return text[:at].copy(), ends


@compiled(made(types.uint8)(_COLUMNS, INTS, _COLUMNS, _COLUMNS, _COLUMNS), alone=False)
def _hset_and_expire(keys: Columns, edges: Ids, names: Columns, values: Columns, ttl: Columns) -> Bytes:
    count, first, last, at = len(edges) - 1, edges[0], edges[-1], 0
    fields = _room(names, first, last) + _room(values, first, last)
    frames = count * (_HSET.size + _EXPIRE.size + _MOST_FRAME + _room(ttl, 0, 1)) + 2 * _room(keys, 0, count)
    text = np.empty(frames + fields, np.uint8)
    for number in range(count):
        at = _put_head(text, at, _STAR, 2 + 2 * (edges[number + 1] - edges[number]))
        at = _put_piece(text, at, _HSET, 0, _HSET.size)
        at = _put_string(text, at, keys, number)
        for field in range(edges[number], edges[number + 1]):
            at = _put_string(text, at, names, field)
            at = _put_string(text, at, values, field)
        at = _put_piece(text, at, _EXPIRE, 0, _EXPIRE.size)
        at = _put_string(text, at, keys, number)
        at = _put_string(text, at, ttl, 0)
    return text[:at]
