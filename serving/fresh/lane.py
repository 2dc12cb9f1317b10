"""What the fresh lane offers to one request."""

from contracts.errors import PayloadError
from contracts.packed_vector import unpack_vector
from contracts.payload import CandidateColumns, Ids
from serving.fresh.batch import Batch
from serving.fresh.index import FreshIndex, UserVector
from serving.stages import Fetched


def fresh_candidates(
    index: FreshIndex, packed: bytes | None, batch: Batch, streamers: Ids, count: int, at: float
) -> Fetched:
    """The contents that the model likes best for the user; else, with a note, the newest of streamers they know.

    Args:
        packed: The user's vector as published; None for somebody new or unknown.
        batch: Of the generation that the vector is of.
        streamers: (S,) whom the user prefers; empty for somebody unknown, who gets nothing here.
        at: Unix seconds of the request.
    """
    if len(index) == 0:
        return Fetched(None)
    try:
        user = _user(packed, batch)
    except PayloadError as error:
        return _newest(index.newest_of(streamers, count, at), f"the user's vector cannot be read: {error}")
    if user is None:
        return _newest(index.newest_of(streamers, count, at), "")
    if user.model_version not in index.by_model:
        reason = f"no new content has been embedded by model version {user.model_version} yet"
        return _newest(index.newest_of(streamers, count, at), reason)
    return Fetched(index.best(user, count, at))


def _user(packed: bytes | None, batch: Batch) -> UserVector | None:
    if packed is None:
        return None
    return UserVector(unpack_vector(packed, batch.dim), batch.model_version)


def _newest(candidates: CandidateColumns, reason: str) -> Fetched:
    return Fetched(candidates if len(candidates) else None, reason)
