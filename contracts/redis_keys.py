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
_FRESH: Final = f"{PREFIX}:{{fresh}}"
"""One cluster slot: the consumer writes items, changes and position in one script."""
FRESH_ITEMS: Final = f"{_FRESH}:items"
FRESH_CHANGES: Final = f"{_FRESH}:changes"
FRESH_POSITION: Final = f"{_FRESH}:position"
READER_SCRIPT: Final = f"{_GENERATIONS}:read_list"
"""String: SHA1 by which EVALSHA finds the script that reads lists as JSON (`serving/lua/read_list.lua`)."""
_LIVE: Final = f"{PREFIX}:{{live}}"
"""One cluster slot for all that one script changes together; so is the next."""
_CONTENT: Final = f"{PREFIX}:{{content}}"
LIVE_EXPIRY: Final = f"{_LIVE}:expiry"
LIVE_LEASES: Final = f"{_LIVE}:lease"
LIVE_ENDED: Final = f"{_LIVE}:ended"
LIVE_CHANGES: Final = f"{_LIVE}:changes"
LIVE_POSITION: Final = f"{_LIVE}:position"
CONTENT_VISIBILITY: Final = f"{_CONTENT}:visibility"
CONTENT_EXPIRY: Final = f"{_CONTENT}:expiry"
CONTENT_CHANGES: Final = f"{_CONTENT}:changes"
CONTENT_POSITION: Final = f"{_CONTENT}:position"
LIVE: Final = (LIVE_EXPIRY, LIVE_LEASES, LIVE_ENDED, LIVE_CHANGES, LIVE_POSITION)
"""Sorted set streamer -> end of its lease; hash streamer -> lease; sorted set of ended broadcasts; feed; position."""
CONTENT: Final = (CONTENT_VISIBILITY, CONTENT_EXPIRY, CONTENT_CHANGES, CONTENT_POSITION)
"""Hash content -> since when it is removed or not; sorted set content -> when to forget that; feed; position."""
LEARNER: Final = f"{PREFIX}:bandit:learner"
"""String: how far the streams have been learnt from (`serving.learning.state`)."""


def bucket_of(identity: Identity) -> Identity:
    """The bucket that the lists of a user, or of a target, live in; any int64 is legal, and an array of them."""
    return identity // USERS_PER_BUCKET


def lists(generation: str, surface: str, bucket: int) -> str:
    """Hash: user_id -> packed list (`contracts.payload`)."""
    return f"{PREFIX}:l:{generation}:{{{surface}:{bucket}}}"


def target_lists(generation: str, surface: str, bucket: int) -> str:
    """Hash: id of what the list goes with, a streamer or a content -> packed list, the same for every user."""
    return f"{PREFIX}:t:{generation}:{{{surface}:{bucket}}}"


def target_lists_prefix(generation: str, surface: str) -> str:
    """How every key of `target_lists` of a surface begins."""
    return f"{PREFIX}:t:{generation}:{{{surface}:"


def segment_lists(generation: str, surface: str) -> str:
    """Hash: segment -> packed list, for users without one of their own."""
    return f"{PREFIX}:s:{generation}:{{{surface}}}"


def segments(generation: str, bucket: int) -> str:
    """Hash: user_id -> what that batch says of the user (`contracts.packed_user`)."""
    return f"{PREFIX}:u:{generation}:{{{bucket}}}"


def user_vectors(generation: str, bucket: int) -> str:
    """Hash: user_id -> the user's packed vector of the retrieval model (`contracts.packed_vector`)."""
    return f"{PREFIX}:v:{generation}:{{{bucket}}}"


def newest_contents(generation: str) -> str:
    """Hash: number of a part -> packed newest representative content of some streamers (`serving.newest`)."""
    return f"{PREFIX}:n:{{{generation}}}"


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
    """Packed marks (`contracts.marks`): content ids with the time from which the user has seen them."""
    return f"{PREFIX}:seen:{{{user_id}}}"


def hidden_contents(user_id: int) -> str:
    """Packed marks: contents that the user hid."""
    return f"{PREFIX}:hidden:{{{user_id}}}:contents"


def hidden_streamers(user_id: int) -> str:
    """Packed marks: streamers that the user hid or blocked."""
    return f"{PREFIX}:hidden:{{{user_id}}}:streamers"


def progress(user_id: int) -> str:
    """Packed marks: contents that the user began and has not seen, with the time of the last watch."""
    return f"{PREFIX}:progress:{{{user_id}}}"


def erased(user_id: int) -> str:
    """String with TTL: the user was erased; whoever reads, publishes or rolls back obeys."""
    return f"{PREFIX}:erased:{{{user_id}}}"


USER_KEYS: Final = (seen, progress, hidden_contents, hidden_streamers)
"""Every key that holds what is known of one user, by user_id: what `erase` deletes."""
USER_LISTS: Final = (lists,)
"""Every hash of a generation, surface and bucket in which a user has a field: `erase` deletes the field."""
USER_PROFILES: Final = (segments, user_vectors)
"""The same of hashes of a generation and bucket."""


def posteriors(surface: str, segment: str) -> str:
    """String: packed state of the current posterior epoch of one context of the bandit."""
    return f"{PREFIX}:bandit:{{{surface}:{segment}}}"


def posterior_epoch(surface: str, segment: str, epoch: int) -> str:
    """String with TTL: an epoch that another has followed, kept until the slates drawn from it are drained."""
    return f"{PREFIX}:bandit:{{{surface}:{segment}}}:{epoch}"


def sampled(surface: str, context: str) -> str:
    """String with TTL: JSON of the slate that the bandit drew last for everybody in a context (`serving.resample`)."""
    return f"{PREFIX}:r:{{{surface}:{context}}}"


def served_slate(request_id: str) -> str:
    """String with TTL: id of the slate's entry in the impression stream, so that it can be explained."""
    return f"{PREFIX}:slate:{{{request_id}}}"
