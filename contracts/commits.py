"""The commit point of a partition's folder: which snapshot its pointer names, changed by one writer at a time."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from contracts import columns as c

POINTER: Final = "current"
MANIFEST: Final = "_manifest.json"
STAMP: Final = "%Y%m%dT%H%M%S%f"
ABANDONED_AFTER: Final = timedelta(days=1)
_LOCK: Final = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One at a time, processes and threads alike; the system lets go of it when its holder is killed."""
    with (folder / _LOCK).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def pointed_at(partition: Path) -> str | None:
    """Folder name of the current snapshot."""
    try:
        return os.readlink(partition / POINTER)
    except FileNotFoundError:
        return None


def point_at(staged: Path, manifest: dict[str, Any]) -> None:
    """Give a staged snapshot its manifest and make it the current one."""
    (staged / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True))
    beside = staged.parent / f".{POINTER}-{staged.name}"
    beside.symlink_to(staged.name)
    os.replace(beside, staged.parent / POINTER)


def was_committed(snapshot: Path) -> bool:
    """Whether it has ever been the current one."""
    return (snapshot / MANIFEST).exists()


def written_at(snapshot: Path) -> datetime:
    """When it was staged, by its name."""
    stamp = snapshot.name.removeprefix(f"{c.SNAPSHOT}=").partition("-")[0]
    return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
