from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from contracts import columns as c
from contracts.errors import PayloadError
from contracts.names import ItemKind
from contracts.payload import KINDS
from contracts.settings import MirrorSettings, Settings
from contracts.tables import REPRESENTATIVE_VOD
from serving import newest as module
from serving.mirrors.newest import NewestMirror
from serving.newest import NewestContents, newest_of, packed_parts, read_newest
from serving.publish import publish
from serving.stores.protocol import Store
from tests.serving.builders import DAY, NOW, small_platform

Vod = tuple[int, int, int, str, float]
"""Streamer, rank, content, kind, recency."""


def vods(*rows: Vod) -> pa.Table:
    names = (c.STREAMER_ID, c.RANK, c.CONTENT_ID, c.CONTENT_KIND, c.RECENCY)
    schema = pa.schema([REPRESENTATIVE_VOD.schema.field(name) for name in names])
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema)


def parts(*rows: Vod) -> list[bytes]:
    return list(packed_parts(newest_of(vods(*rows))))


def found(table: NewestContents, *streamers: int) -> list[tuple[int, str] | None]:
    contents, kinds, known = table.newest(np.array(streamers, np.int64))
    return [
        (int(content), str(KINDS[kind])) if is_known else None
        for content, kind, is_known in zip(contents, kinds, known, strict=True)
    ]


def test_the_newest_of_each_streamer_is_found_not_the_best() -> None:
    table = newest_of(
        vods((7, 1, 70, "vod", 0.2), (7, 2, 71, "clip", 0.9), (3, 1, 30, "vod", 0.5), (3, 2, 31, "clip", 0.5))
    )
    assert found(table, 3, 9, 7) == [(30, ItemKind.VOD), None, (71, ItemKind.CLIP)]


@pytest.mark.parametrize("identity", [0, -1, 2**63 - 1, -(2**63)])
def test_any_int64_goes_through_the_store_and_back(identity: int) -> None:
    table = read_newest(parts((identity, 1, identity, "vod", 1.0), (5, 1, 50, "clip", 1.0)))
    assert found(table, identity, 5, 6) == [(identity, ItemKind.VOD), (50, ItemKind.CLIP), None]


def test_many_streamers_come_in_parts_read_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STREAMERS_PER_PART", 2)
    packed = parts(*((streamer, 1, streamer * 10, "vod", 1.0) for streamer in range(5)))
    assert len(packed) == 3
    table = read_newest(reversed(packed))
    assert found(table, 4, 0, 2) == [(40, "vod"), (0, "vod"), (20, "vod")]


def test_nobody_has_anything_in_an_empty_table() -> None:
    assert parts() == []
    assert found(read_newest([]), 1, 2) == [None, None]


@pytest.mark.parametrize("damage", [lambda part: part[:0], lambda part: part[:-1], lambda part: b"\x02" + part[1:]])
def test_a_damaged_part_is_named(damage: object) -> None:
    [part] = parts((1, 1, 10, "vod", 1.0))
    with pytest.raises(PayloadError, match="is cut, or not of version 1"):
        read_newest([damage(part)])  # type: ignore[operator]


def test_a_publish_reaches_the_mirror_and_the_same_generation_is_read_once(store: Store, tmp_path: Path) -> None:
    mirror = NewestMirror(store, MirrorSettings())
    mirror.refresh()
    assert len(mirror.table) == 0
    warehouse = small_platform(tmp_path)
    publish(warehouse, store, Settings(home=tmp_path).serving, DAY, NOW)
    mirror.refresh()
    assert found(mirror.table, 10, 300, 11) == [(101, "clip"), (301, "clip"), None]
    before = mirror.table
    mirror.refresh()
    assert mirror.table is before


def test_a_generation_that_cannot_be_read_leaves_the_last_table(store: Store, tmp_path: Path) -> None:
    publish(small_platform(tmp_path), store, Settings(home=tmp_path).serving, DAY, NOW)
    mirror = NewestMirror(store, MirrorSettings())
    mirror.refresh()
    mirror.failed("no answer")
    assert mirror.table.problem == "newest contents are as last known: no answer"
    assert found(mirror.table, 10) == [(101, "clip")]
    mirror.refresh()
    assert mirror.table.problem == ""
