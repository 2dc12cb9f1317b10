"""Arms: what they are called, and which of them a request chose among.

An arm is a source (`two_tower`, a name of `contracts.names.Source`), a content (`item:123`), a streamer (`streamer:45`)
or the whole context (`context`), the last parent of every arm, which no chain need name.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Final

import msgspec
import numpy as np

from bandit.stock import Stock
from contracts.errors import PayloadError
from contracts.payload import SOURCES

CONTEXT: Final = "context"
"""The last parent of every arm of a context; chains of parents do not name it."""

VISITS: Final = "rd"
"""To a streamer whom the user knows, a return; to any other, a discovery."""

SOURCE_ARM, ITEM_ARM, STREAMER_ARM, CONTEXT_ARM = range(4)
"""Codes of arm kinds in packed states."""

ITEM_PREFIX: Final = "item:"
STREAMER_PREFIX: Final = "streamer:"
_PLACES: Final = bytes(max(VISITS.find(chr(letter)), 0) for letter in range(256))
_SOURCE_CODES: Final = {str(source): code for code, source in enumerate(SOURCES)}


def item_arm(content_id: int) -> str:
    """The arm of one content."""
    return f"{ITEM_PREFIX}{content_id}"


def streamer_arm(streamer_id: int) -> str:
    """The arm of one streamer, or of all their contents."""
    return f"{STREAMER_PREFIX}{streamer_id}"


def arm_code(arm: str) -> tuple[int, int]:
    """Kind and id of an arm as packed states hold them; a source's id is its payload code.

    Raises:
        PayloadError: no arm is called so.
    """
    if arm in _SOURCE_CODES:
        return SOURCE_ARM, _SOURCE_CODES[arm]
    if arm == CONTEXT:
        return CONTEXT_ARM, 0
    for kind, prefix in ((ITEM_ARM, ITEM_PREFIX), (STREAMER_ARM, STREAMER_PREFIX)):
        number = arm.removeprefix(prefix)
        if number != arm and number.removeprefix("-").isdecimal() and -(2**63) <= int(number) < 2**63:
            return kind, int(number)
    raise PayloadError(f"no arm is called {arm!r}; arms are sources, item:ID, streamer:ID and {CONTEXT}")


def arm_names(kinds: Sequence[int], ids: Sequence[int]) -> tuple[str, ...]:
    """The names of packed arms.

    Raises:
        PayloadError: a kind or a source that this version does not know.
    """
    return tuple(map(_name, kinds, ids))


def _name(kind: int, number: int) -> str:
    if kind == ITEM_ARM:
        return item_arm(number)
    if kind == STREAMER_ARM:
        return streamer_arm(number)
    if kind == SOURCE_ARM and 0 <= number < len(SOURCES):
        return str(SOURCES[number])
    if kind == CONTEXT_ARM:
        return CONTEXT
    raise PayloadError(f"arm of kind {kind} and id {number} is unknown; the state is corrupt or from a later version")


class ArmSet(msgspec.Struct, frozen=True, dict=True):
    """The arms of a request and how many candidates each has, in slate order.

    Args:
        parents: The chain of each arm's parents below the context, nearest first: `("streamer:45", "two_tower")`;
            empty where no arm has any.
        features: (A, D) of each arm, for policies that go by them; else empty.
        weights: (A,) in (0, 1], of arms with one candidate each: factor on the mean of an arm's prior, by which the
            list that proposes the arms has its say before anybody has seen them; empty is 1 for all.
        tiers: (A,) an arm gives nothing while one of a lower tier has something; empty where all are of one.
        visits: (A,) what each candidate of an arm would be, a letter of `VISITS` each, best first; empty where no slot
            is reserved.
        least: How many of each of `VISITS` the slate must hold, never more than there are; empty with `visits`.
    """

    arms: tuple[str, ...]
    counts: tuple[int, ...]
    parents: tuple[tuple[str, ...], ...] = ()
    features: tuple[tuple[float, ...], ...] = ()
    weights: tuple[float, ...] = ()
    tiers: tuple[int, ...] = ()
    visits: tuple[str, ...] = ()
    least: tuple[int, ...] = ()

    @classmethod
    def stocked(cls, arms: tuple[str, ...], stock: Stock, visits: tuple[str, ...], least: tuple[int, ...]) -> "ArmSet":
        """Arms without tiers whose stock is at hand."""
        arm_set = cls(arms, tuple(stock.counts.tolist()), visits=visits, least=least)
        arm_set.__dict__["stock"] = stock
        return arm_set

    @cached_property
    def stock(self) -> Stock:
        """The candidates, as the loops that fill a slate want them: compiled code looks at no bounds.

        Raises:
            PayloadError: the fields do not fit each other, as in a log that is corrupt.
        """
        sizes, visits = np.array(self.counts, np.int64), "".join(self.visits).encode().translate(_PLACES)
        fits = len(visits) in {0, sum(self.counts)} and len(self.tiers) in {0, len(sizes)}
        if not fits or len(self.least) not in {0, len(VISITS)} or min(self.counts, default=0) < 0:
            raise PayloadError("the visits, tiers or counts of an arm set do not fit each other; it is corrupt")
        return Stock(
            sizes,
            np.array(self.tiers, np.int64) if self.tiers else np.zeros(len(sizes), np.int64),
            np.frombuffer(visits, np.uint8),
            np.array(self.least or (0,) * len(VISITS), np.int64),
        )

    @property
    def is_ranking(self) -> bool:
        """Whether no arm has more than one candidate and none must wait, so that a slate is an order of arms."""
        return not self.tiers and not self.visits and max(self.counts, default=0) <= 1

    def chain(self, arm: int) -> tuple[str, ...]:
        """The parents of one arm, nearest first."""
        return self.parents[arm] if self.parents else ()
