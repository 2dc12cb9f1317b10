"""Addresses of Redis: one server (`redis://`, `rediss://`), or any node of a Redis Cluster (`redis+cluster://`)."""

from typing import Final

_CLUSTER: Final = "+cluster"


def is_cluster(url: str) -> bool:
    """Whether keys of different hash tags can be on different servers."""
    return url.partition("://")[0].endswith(_CLUSTER)


def node_url(url: str) -> str:
    """The address of the server that the url names, as Redis clients spell it."""
    return url.replace(_CLUSTER, "", 1) if is_cluster(url) else url
