"""What one request reads: one round trip of plain commands, the same for every client and for the memory twin."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

from contracts import redis_keys
from contracts.errors import PayloadError
from contracts.marks import MARK
from contracts.names import Surface
from contracts.packed_user import PackedUser
from contracts.payload import Ids
from contracts.unpacking import NO_IDS, marked_ids, unpack_user

Command: TypeAlias = tuple[str | int | bytes, ...]
Reply: TypeAlias = Any
"""Bytes, a list of them, or None, as the command has it."""


class ReadPlan(msgspec.Struct, frozen=True):
    """What a request wants to know.

    Args:
        generation: Whose lists are read.
        surface: The user's list of this surface.
        user_id: None for somebody unknown, of whom nothing is read.
        targets: Lists that go with a content or a streamer: surface and id.
        wants_vector: Read the user's vector, too.
        context: Of the bandit, where it is the request's own: surface and what the request names.
    """

    generation: str
    surface: str
    user_id: int | None = None
    targets: tuple[tuple[Surface, int], ...] = ()
    wants_vector: bool = False
    context: tuple[str, str] | None = None


class UserRow(msgspec.Struct):
    """What the store holds of a request's user and targets.

    Args:
        packed: The user's list on the surface, or None.
        known: The user's segment and streamers in that generation, or None.
        seen: (N,) content ids, in any order; `begun`, `hidden_contents` and `hidden_streamers` alike.
        begun: Packed marks (`contracts.marks`) of what the user began and has not seen.
        targets: A packed list, or None, for each target of the plan.
        posterior: Packed epoch of the plan's context of the bandit, where it has one.
        vector: The user's packed vector, where the plan wants it and there is one.
        is_erased: The user was erased: nothing else of the row is set.
        problems: What could not be read, in words.
    """

    packed: bytes | None = None
    known: PackedUser | None = None
    seen: Ids = NO_IDS
    begun: bytes | None = None
    hidden_contents: Ids = NO_IDS
    hidden_streamers: Ids = NO_IDS
    targets: tuple[bytes | None, ...] = ()
    posterior: bytes | None = None
    vector: bytes | None = None
    is_erased: bool = False
    problems: list[str] = msgspec.field(default_factory=list)


def commands(plan: ReadPlan) -> list[Command]:
    """The commands, none of which needs another's answer; in a cluster each has one slot."""
    asked: list[Command] = [
        ("HGET", redis_keys.target_lists(plan.generation, surface, redis_keys.bucket_of(target)), target)
        for surface, target in plan.targets
    ]
    if plan.context is not None:
        asked.append(("GET", redis_keys.posteriors(*plan.context)))
    user = plan.user_id
    if user is None:
        return asked
    bucket = redis_keys.bucket_of(user)
    asked.append(("HGET", redis_keys.lists(plan.generation, plan.surface, bucket), user))
    asked.append(("HGET", redis_keys.segments(plan.generation, bucket), user))
    asked.append(
        (
            "MGET",
            redis_keys.erased(user),
            redis_keys.seen(user),
            redis_keys.progress(user),
            redis_keys.hidden_contents(user),
            redis_keys.hidden_streamers(user),
        )
    )
    if plan.wants_vector:
        asked.append(("HGET", redis_keys.user_vectors(plan.generation, bucket), user))
    return asked


def decode(plan: ReadPlan, replies: Sequence[Reply]) -> UserRow:
    """The row out of the answers to `commands`, in their order."""
    count = len(plan.targets)
    row = UserRow(targets=tuple(replies[:count]))
    if plan.context is not None:
        row.posterior = replies[count]
        count += 1
    if plan.user_id is None:
        return row
    packed, known, (erased, seen, begun, contents, streamers) = replies[count : count + 3]
    if erased is not None:
        row.is_erased = True
        return row
    row.packed = packed
    row.known = _user(known, row.problems)
    row.begun = _whole(begun, "begun", row.problems)
    row.seen = marked_ids(_whole(seen, "seen", row.problems))
    row.hidden_contents = marked_ids(_whole(contents, "hidden", row.problems))
    row.hidden_streamers = marked_ids(_whole(streamers, "blocked", row.problems))
    if plan.wants_vector:
        row.vector = replies[count + 3]
    return row


def _user(packed: bytes | None, problems: list[str]) -> PackedUser | None:
    try:
        return unpack_user(packed) if packed is not None else None
    except PayloadError as error:
        problems.append(f"the user's segment cannot be read: {error}")
        return None


def _whole(packed: bytes | None, what: str, problems: list[str]) -> bytes | None:
    """The marks that can be read: forgetting all that a user hid because of one torn entry would be worse."""
    torn = len(packed) % MARK.itemsize if packed is not None else 0
    if packed is None or not torn:
        return packed
    problems.append(f"what the user has {what} ends in a torn entry")
    return packed[:-torn]
