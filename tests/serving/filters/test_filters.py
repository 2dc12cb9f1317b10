"""Each filter alone: what is cleared of a frame's mask, and how many rows are left."""

import numpy as np
import pytest

from contracts import columns as c
from contracts.names import ItemKind
from serving.filters.age import AgeFilter
from serving.filters.excluded import ExcludedFilter
from serving.filters.hidden import HiddenFilter
from serving.filters.language import LanguageFilter
from serving.filters.not_live import NotLiveFilter
from serving.filters.seen import SeenFilter
from serving.filters.visibility import VisibilityFilter
from serving.query import Query
from serving.stages import Filter
from serving.stores.user_reads import UserRow
from tests.serving.queries import FAR, columns, contents, frame_of, ids, on_air, query, state

ITEMS = [5, 3, 5, -FAR, 8]
STREAMERS = [1, 2, 1, 2, 1]


def kept(rule: Filter, about: Query, items: list[int] = ITEMS, streamers: list[int] = STREAMERS) -> list[int]:
    """Places of what stays."""
    frame = frame_of(columns(items, streamers), about)
    may = np.ones(len(frame), bool)
    left = rule.drop(frame, may, about)
    assert left in (None, np.count_nonzero(may))
    assert left is not None or may.all()
    return np.flatnonzero(may).tolist()


ALL = [0, 1, 2, 3, 4]
EVERY_FILTER = [
    ExcludedFilter(),
    SeenFilter(),
    HiddenFilter(),
    VisibilityFilter(),
    LanguageFilter(),
    AgeFilter(17),
    NotLiveFilter(),
]


@pytest.mark.parametrize("rule", EVERY_FILTER)
def test_a_filter_of_nothing_keeps_nothing(rule: Filter) -> None:
    user = UserRow(seen=ids(1), hidden_contents=ids(1), hidden_streamers=ids(1))
    about = query(user=user, excluded=ids(1), languages=frozenset({"en"}), known=state(removed=ids(1)))
    assert kept(rule, about, [], []) == []


@pytest.mark.parametrize("rule", EVERY_FILTER)
def test_a_filter_with_nothing_to_say_keeps_everything(rule: Filter) -> None:
    assert kept(rule, query()) == ALL


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"excluded": ids(5, 77)}, [1, 3, 4]),
        ({"served": ids(-FAR, 3)}, [0, 2, 4]),
        ({"excluded": ids(5), "served": ids(3)}, [3, 4]),
        ({"context": 8}, [0, 1, 2, 3]),
        ({"context": 8, "excluded": ids(3), "served": ids(5)}, [3]),
    ],
)
def test_what_the_request_does_not_want_and_earlier_pages_have_shown_is_dropped(
    asked: dict[str, object], expected: list[int]
) -> None:
    assert kept(ExcludedFilter(), query(**asked)) == expected  # type: ignore[arg-type]


def test_seen_contents_are_dropped_and_what_is_on_air_is_not() -> None:
    user = UserRow(seen=ids(3, 5, 77))
    assert kept(SeenFilter(), query(user=user)) == [3, 4]
    assert kept(SeenFilter(), query(user=user, known=state(leases=on_air(2, 3)))) == [1, 3, 4]


@pytest.mark.parametrize(
    ("contents_hidden", "streamers_hidden", "expected"),
    [(ids(8), ids(), [0, 1, 2, 3]), (ids(), ids(2), [0, 2, 4]), (ids(8), ids(2), [0, 2]), (ids(1), ids(5), ALL)],
)
def test_hidden_contents_and_all_of_hidden_streamers_are_dropped(
    contents_hidden: object, streamers_hidden: object, expected: list[int]
) -> None:
    user = UserRow(hidden_contents=contents_hidden, hidden_streamers=streamers_hidden)  # type: ignore[arg-type]
    assert kept(HiddenFilter(), query(user=user)) == expected


def test_private_and_removed_contents_are_dropped_and_unknown_ones_stay() -> None:
    catalogue = contents(
        {c.CONTENT_ID: 3, c.VISIBILITY: "private"},
        {c.CONTENT_ID: 5},
        {c.CONTENT_ID: -FAR, c.VISIBILITY: "removed"},
    )
    assert kept(VisibilityFilter(), query(known=state(catalogue))) == [0, 2, 4]


def test_what_was_taken_down_since_the_catalogue_was_read_is_dropped() -> None:
    catalogue = contents({c.CONTENT_ID: 5}, {c.CONTENT_ID: 3, c.VISIBILITY: "private"})
    assert kept(VisibilityFilter(), query(known=state(catalogue, removed=ids(5, 6)))) == [3, 4]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (set(), ALL),
        ({"en"}, [1, 3, 4]),
        ({"ja"}, [0, 2, 3, 4]),
        ({"en", "ja"}, ALL),
        ({"xx"}, [3, 4]),
        ({""}, [3, 4]),
    ],
)
def test_only_the_wanted_languages_stay_and_what_has_none(wanted: set[str], expected: list[int]) -> None:
    catalogue = contents({c.CONTENT_ID: 5, c.LANGUAGE: "ja"}, {c.CONTENT_ID: 3, c.LANGUAGE: "en"}, {c.CONTENT_ID: 8})
    assert kept(LanguageFilter(), query(languages=frozenset(wanted), known=state(catalogue))) == expected


def test_a_broadcast_is_of_the_language_that_its_lease_says() -> None:
    leases = {**on_air(1, 50, language="ja"), **on_air(2, 51, language="en"), **on_air(3, 52)}
    about = query(languages=frozenset({"en"}), known=state(leases=leases))
    assert kept(LanguageFilter(), about, [50, 51, 52, 60], [1, 2, 3, 4]) == [1, 2, 3]


@pytest.mark.parametrize(
    ("age", "expected"), [(None, [0, 1, 2, 4]), (17, [0, 1, 2, 4]), (18, ALL), (11, [0, 2, 4]), (0, [0, 2, 4])]
)
def test_only_what_the_viewer_is_old_enough_for_stays(age: int | None, expected: list[int]) -> None:
    catalogue = contents({c.CONTENT_ID: 5}, {c.CONTENT_ID: 3, c.MIN_AGE: 12}, {c.CONTENT_ID: -FAR, c.MIN_AGE: 18})
    assert kept(AgeFilter(17), query(viewer_age_years=age, known=state(catalogue))) == expected


def test_a_broadcast_has_the_age_limit_of_its_lease() -> None:
    leases = {**on_air(1, 50, min_age=18), **on_air(2, 51)}
    known = state(contents({c.CONTENT_ID: 60, c.MIN_AGE: 18}), leases)
    assert kept(AgeFilter(17), query(known=known), [50, 51, 60], [1, 2, 3]) == [1]
    assert kept(AgeFilter(17), query(known=known, viewer_age_years=18), [50, 51, 60], [1, 2, 3]) == [0, 1, 2]


def test_a_streamer_who_has_not_become_a_broadcast_is_dropped_and_stand_ins_stay() -> None:
    about = query()
    for kind, expected in ((ItemKind.STREAMER, 0), (ItemKind.LIVE, 2), (ItemKind.CLIP, 2), (ItemKind.VOD, 2)):
        frame, may = frame_of(columns([1, 2], [1, 2], kind), about), np.ones(2, bool)
        assert NotLiveFilter().drop(frame, may, about) == may.sum() == expected


def test_membership_holds_at_both_ends_of_the_ids() -> None:
    ends = [-FAR - 1, 0, FAR]
    assert kept(ExcludedFilter(), query(excluded=ids(-FAR - 1, FAR)), ends, [1, 2, 3]) == [1]
    assert kept(SeenFilter(), query(user=UserRow(seen=ids(FAR, -FAR - 1))), ends, [1, 2, 3]) == [1]
