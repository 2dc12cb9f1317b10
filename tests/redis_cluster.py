"""A private Redis Cluster of three nodes without replicas, out of the same server program as `tests.redis_server`."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import redis

from contracts.errors import ServiceStartError
from tests.redis_server import free_port, running_redis

_NODES = 3
_SLOTS = 16_384
_BUS_OFFSET = 10_000
_START_SECONDS = 30.0


@contextmanager
def running_cluster(folder: Path) -> Iterator[str]:
    """Start the nodes below `folder`, join them, yield the url by which `serving` reaches them, and stop them."""
    with ExitStack() as stack:
        ports = [_node_port() for _ in range(_NODES)]
        for port in ports:
            home = folder / str(port)
            home.mkdir()
            options = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"]
            stack.enter_context(running_redis(home, port, options))
        nodes = [stack.enter_context(redis.Redis(port=port, decode_responses=True)) for port in ports]
        _join(nodes, ports)
        _wait_until_whole(nodes)
        yield f"redis+cluster://127.0.0.1:{ports[0]}"


def _node_port() -> int:
    """A node talks to the others on a port of its own, so much higher."""
    while (port := free_port()) + _BUS_OFFSET > 65_535:
        pass
    return port


def _join(nodes: list[Any], ports: list[int]) -> None:
    bounds = [_SLOTS * number // _NODES for number in range(_NODES + 1)]
    for epoch, (node, (first, end)) in enumerate(zip(nodes, pairwise(bounds), strict=True), start=1):
        node.execute_command("CLUSTER SET-CONFIG-EPOCH", epoch)
        node.execute_command("CLUSTER ADDSLOTS", *range(first, end))
    for port in ports[1:]:
        nodes[0].execute_command("CLUSTER MEET", "127.0.0.1", port)


def _wait_until_whole(nodes: list[Any]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        infos = [node.execute_command("CLUSTER INFO") for node in nodes]
        texts = [str(info) for info in infos]
        if all("'cluster_state': 'ok'" in text and f"'cluster_known_nodes': '{_NODES}'" in text for text in texts):
            return
        time.sleep(0.05)
    raise ServiceStartError(f"the nodes of the test cluster did not find each other in {_START_SECONDS:g} s")
