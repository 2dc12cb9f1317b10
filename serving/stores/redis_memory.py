"""What each family of keys takes in Redis, by a sample: for an operator, so it is not part of the protocol."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from contracts import redis_keys
from serving.stores.connection import Client, unavailable_is_named

_SCANNED_AT_ONCE: Final = 1_000
_MEASURED: Final = 200
"""Keys of a family and server whose memory is asked for."""
_VALUES_MEASURED: Final = 256
"""A whole bucket of users; of longer values so many parts stand for all."""
_NAMES: Final = {
    redis_keys.lists("", "", 0): "lists of users",
    redis_keys.target_lists("", "", 0): "lists of targets",
    redis_keys.segment_lists("", ""): "lists of segments",
    redis_keys.segments("", 0): "users of a batch",
    redis_keys.user_vectors("", 0): "vectors of users",
    redis_keys.newest_contents(""): "newest contents",
    redis_keys.generation_keys(""): "names of keys",
}
_FAMILIES: Final = {key.split(":")[1]: name for key, name in _NAMES.items()}


@dataclass(frozen=True)
class FamilyMemory:
    """A family of keys; both numbers are estimates where there are more keys than were looked at."""

    family: str
    keys: int
    size_bytes: int


class RedisMemory:
    """The part of the store that says what it takes."""

    _redis: Client

    @unavailable_is_named
    def memory(self, keys: int) -> list[FamilyMemory]:
        """Families by what they take, the largest first.

        Args:
            keys: How many keys of each server are looked at: SCAN's order is that of hashes, so that the first ones
                stand for all.
        """
        counts, sizes = Counter[str](), Counter[str]()
        for server in _servers(self._redis):
            for found in _families_of(server, keys):
                counts[found.family] += found.keys
                sizes[found.family] += found.size_bytes
        return [FamilyMemory(family, counts[family], size) for family, size in sizes.most_common()]


def family_of(key: bytes) -> str:
    """The family of a key: what the first part of its name says."""
    text = key.decode(errors="replace")
    if text.startswith(f"{redis_keys.PREFIX}:"):
        word = text.split(":")[1].strip("{}")
        return _FAMILIES.get(word, word)
    return "streams" if text.startswith("streamrec.") else "other"


def _servers(client: Client) -> Iterable[Client]:
    if hasattr(client, "get_primaries"):  # of a cluster
        return [client.get_redis_connection(node) for node in client.get_primaries()]
    return [client]


def _families_of(server: Client, keys: int) -> list[FamilyMemory]:
    names, total = _scanned(server, keys), server.dbsize()
    by_family: dict[str, list[bytes]] = defaultdict(list)
    for name in names:
        by_family[family_of(name)].append(name)
    # A key that came or went while we looked makes no share larger than the whole.
    share = max(1.0, total / max(1, len(names)))
    return [
        FamilyMemory(family, round(len(members) * share), round(_mean_bytes(server, members) * len(members) * share))
        for family, members in by_family.items()
    ]


def _scanned(server: Client, keys: int) -> list[bytes]:
    names: set[bytes] = set()
    cursor = 0
    while True:
        cursor, found = server.scan(cursor, count=_SCANNED_AT_ONCE)
        names.update(found)
        if cursor == 0 or len(names) >= keys:
            return list(names)


def _mean_bytes(server: Client, names: list[bytes]) -> float:
    pipeline = server.pipeline(transaction=False)
    for name in names[:_MEASURED]:
        pipeline.memory_usage(name, samples=_VALUES_MEASURED)
    sizes = [size for size in pipeline.execute() if size is not None]
    return sum(sizes) / max(1, len(sizes))
