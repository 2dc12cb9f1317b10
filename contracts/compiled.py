"""Loops over candidates as machine code: where a request would otherwise pay for a dozen array operations of a hundred
elements each, nearly all of it their fixed cost.

Every compiled function states its types, so that it is compiled when its module is imported and never in a request;
numba keeps the machine code beside the module (`NUMBA_CACHE_DIR` where that cannot be written). What compiled functions
call, and every constant they read, stands in their own module: numba's cache does not see changes elsewhere.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import numba
from numba import types

F = TypeVar("F", bound=Callable[..., Any])


def _read(kind: Any) -> Any:  # noqa: ANN401  numba has no types of its own to show
    """A contiguous array that may be read-only, as those over bytes are."""
    return types.Array(kind, 1, "C", readonly=True)


INTS: Final = _read(types.int64)
SHORTS: Final = _read(types.int16)
INTS_32: Final = _read(types.int32)
WORDS: Final = _read(types.uint32)
BYTES: Final = _read(types.uint8)
FLAGS: Final = _read(types.boolean)
FLOATS: Final = _read(types.float32)
DOUBLES: Final = _read(types.float64)


def written(kind: Any) -> Any:  # noqa: ANN401
    """An array that a function changes in place; one that is read-only is refused."""
    return types.Array(kind, 1, "C")


def made(kind: Any) -> Any:  # noqa: ANN401
    """An array that a function returns."""
    return types.Array(kind, 1, "C")


def compiled(signature: Any, *, alone: bool = True) -> Callable[[F], F]:  # noqa: ANN401
    """Compile a function for one signature when its module is imported.

    Args:
        alone: Hold the interpreter's lock, which is dearer to give back than a microsecond's work; false for work of
            milliseconds that threads do side by side.
    """
    decorate: Callable[[F], F] = numba.njit(signature, cache=True, nogil=not alone)
    return decorate


def inlined(function: F) -> F:
    """Compile a function that only compiled ones of the same module call."""
    decorated: F = numba.njit(function, inline="always")
    return decorated
