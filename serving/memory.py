"""What Redis' memory goes to, per user."""

from dataclasses import asdict
from typing import Any

from serving.stores.redis_store import RedisStore


def memory_report(store: RedisStore, keys: int) -> dict[str, Any]:
    """Families of keys, the largest first, and what each is per user of the served generation.

    Args:
        keys: How many keys of each server are looked at.
    """
    generation = store.current_generation()
    info = store.generation_info(generation) if generation is not None else {}
    users = int(info["users"]) if info else 0
    families = store.memory(keys)
    total = sum(family.size_bytes for family in families)
    return {
        "generation": generation,
        "users": users,
        "size_bytes": total,
        "bytes_per_user": _per_user(total, users),
        "families": [{**asdict(family), "bytes_per_user": _per_user(family.size_bytes, users)} for family in families],
    }


def _per_user(size: int, users: int) -> float | None:
    return round(size / users, 1) if users else None
