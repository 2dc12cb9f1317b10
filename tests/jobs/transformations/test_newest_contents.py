from datetime import timedelta

import pyarrow as pa
import pytest

from contracts import columns as c
from contracts.tables import CONTENT, REPRESENTATIVE_VOD
from jobs.transformations.newest_contents import explored_contents, fresh_contents, newest_contents
from tests.jobs.frames import NOON, rows_of

HOUR = timedelta(hours=1)


def _contents(*rows: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist(rows_of(CONTENT, *rows), CONTENT.schema)


def _content(content: int, hours_ago: float | None, streamer: int = 5, **other: object) -> dict[str, object]:
    published = None if hours_ago is None else NOON - hours_ago * HOUR
    return {c.CONTENT_ID: content, c.STREAMER_ID: streamer, c.PUBLISHED_AT: published, **other}


def test_the_newest_public_contents_of_each_streamer() -> None:
    hidden = [_content(23, 1, **{c.VISIBILITY: "private"}), _content(24, 1, **{c.CONTENT_KIND: "live"})]
    rows = [_content(20, 5), _content(21, 2), _content(22, 9), _content(30, 40, streamer=6), _content(25, None)]
    found = newest_contents(_contents(*rows, *hidden), NOON - 48 * HOUR, NOON - HOUR, 2)
    assert found.select([c.STREAMER_ID, c.RANK, c.CONTENT_ID]).to_pylist() == [
        {c.STREAMER_ID: 5, c.RANK: 1, c.CONTENT_ID: 21},
        {c.STREAMER_ID: 5, c.RANK: 2, c.CONTENT_ID: 20},
        {c.STREAMER_ID: 6, c.RANK: 1, c.CONTENT_ID: 30},
    ]


def test_the_best_and_the_newest_take_turns() -> None:
    best = [{c.STREAMER_ID: 5, c.RANK: rank, c.CONTENT_ID: content} for rank, content in ((1, 20), (2, 22), (3, 23))]
    newest = newest_contents(_contents(_content(21, 2), _content(22, 3), _content(31, 2, streamer=6)), *_WEEK, 2)
    found = explored_contents(
        pa.Table.from_pylist(rows_of(REPRESENTATIVE_VOD, *best), REPRESENTATIVE_VOD.schema), newest
    )
    listed = zip(*(found.column(name).to_pylist() for name in (c.STREAMER_ID, c.RANK, c.CONTENT_ID)), strict=True)
    assert list(listed) == [(5, 1, 20), (5, 2, 21), (5, 3, 22), (5, 4, 23), (6, 1, 31)]


def test_freshness_halves_and_ends() -> None:
    rows = [_content(22, 24), _content(21, 48), _content(23, 24 * 9), _content(24, None), _content(25, -1)]
    fresh = fresh_contents(_contents(*rows), NOON, half_life_days=2.0)
    assert fresh.to_pydict() == {c.CONTENT_ID: [21, 22], c.RECENCY: [0.5, pytest.approx(0.5**0.5)]}


def test_without_contents_there_is_nothing_newest() -> None:
    newest = newest_contents(CONTENT.schema.empty_table(), *_WEEK, 2)
    assert explored_contents(REPRESENTATIVE_VOD.schema.empty_table(), newest).num_rows == 0


_WEEK = (NOON - 168 * HOUR, NOON)
