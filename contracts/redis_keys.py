"""Redis keys. All of them are built here, so that `erase` and an operator can find everything there is.

A generation is one publish. Lists of many users share one hash per bucket (docs/adr/0004): one TTL, one cluster slot
(the part in braces) and a few bytes a user instead of a whole key each.
"""

from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

Identity = TypeVar("Identity", int, npt.NDArray[np.int64])
PREFIX: Final = "sr"
USERS_PER_BUCKET: Final = 256
_GENERATIONS: Final = f"{PREFIX}:{{generations}}"
"""One cluster slot for all that a flip changes together."""
GENERATION_POINTER: Final = f"{_GENERATIONS}:current"
GENERATION_HISTORY: Final = f"{_GENERATIONS}:history"
GENERATIONS_BEGUN: Final = f"{_GENERATIONS}:begun"
GENERATION_INFO_PREFIX: Final = f"{_GENERATIONS}:info:"
READER_SCRIPT: Final = f"{_GENERATIONS}:read_list"
"""String: SHA1 by which EVALSHA finds the script that reads lists as JSON (`serving/lua/read_list.lua`)."""

HIDDEN_STREAMER: Final = "streamer:"
HIDDEN_CONTENT: Final = "content:"


def bucket_of(identity: Identity) -> Identity:
    """The bucket that the lists of a user, or of a target, live in; any int64 is legal, and an array of them."""
    return identity // USERS_PER_BUCKET


def lists(generation: str, surface: str, bucket: int) -> str:
    """Hash: user_id -> packed list (`contracts.payload`)."""
    return f"{PREFIX}:l:{generation}:{{{surface}:{bucket}}}"


def target_lists(generation: str, surface: str, bucket: int) -> str:
    """Hash: id of what the list goes with, a streamer or a content -> packed list, the same for every user."""
    return f"{PREFIX}:t:{generation}:{{{surface}:{bucket}}}"


def segment_lists(generation: str, surface: str) -> str:
    """Hash: segment -> packed list, for users without one of their own."""
    return f"{PREFIX}:s:{generation}:{{{surface}}}"


def segments(generation: str, bucket: int) -> str:
    """Hash: user_id -> segment of the user in that batch."""
    return f"{PREFIX}:u:{generation}:{{{bucket}}}"


def generation_info(generation: str) -> str:
    """Hash: what was published: day, model version, time, counts, key count."""
    return f"{GENERATION_INFO_PREFIX}{generation}"


def generation_heartbeat(generation: str) -> str:
    """String with TTL: its publish is still at work, nobody may sweep it."""
    return f"{_GENERATIONS}:beat:{generation}"


def generation_keys(generation: str) -> str:
    """Set: every key that the publish of this generation wrote, so that it can be swept without a scan."""
    return f"{PREFIX}:k:{generation}"


def seen(user_id: int) -> str:
    """Sorted set: content_id -> time from which the user has seen it."""
    return f"{PREFIX}:seen:{{{user_id}}}"


def hidden(user_id: int) -> str:
    """Set: `streamer:ID` and `content:ID` that the user hid or blocked."""
    return f"{PREFIX}:hidden:{{{user_id}}}"


def erased(user_id: int) -> str:
    """String: the tombstone of an erased user; reads, publishes and rollbacks obey it."""
    return f"{PREFIX}:erased:{{{user_id}}}"


def live_lease(streamer_id: int) -> str:
    """String with TTL: JSON of the broadcast that is on; the streamer is live while it exists."""
    return f"{PREFIX}:live:{{{streamer_id}}}"


def posteriors(surface: str, segment: str) -> str:
    """String: JSON of the current posterior epoch of one context of the bandit."""
    return f"{PREFIX}:bandit:{{{surface}:{segment}}}"


def posterior_epoch(surface: str, segment: str, epoch: int) -> str:
    """String with TTL: one immutable epoch, kept so that logged slates can be recomputed."""
    return f"{PREFIX}:bandit:{{{surface}:{segment}}}:{epoch}"
