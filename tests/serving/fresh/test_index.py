from dataclasses import fields, replace

import numpy as np
import pytest

from contracts.payload import KINDS, SOURCES
from serving.fresh.index import FreshIndex, UserVector
from serving.fresh.item import Description, FreshItem

AT = 1_000.0


def item(
    content: int, vector: list[float], version: str = "1", published: float = 900.0, streamer: int = 1
) -> FreshItem:
    described = Description("clip" if content % 2 else "vod", streamer, f"title {content}", "chess", "en", None, 9.0)
    described = Description(**{**vars(described), "published_at": published})
    return FreshItem(content, published, described, version, np.array(vector, np.float32))


def test_the_best_are_those_that_the_model_scores_highest() -> None:
    index = FreshIndex.of([item(3, [0, 1]), item(1, [1, 0]), item(2, [0.6, 0.8], streamer=7)])
    found = index.best(UserVector(np.array([1, 0], np.float32), "1"), 2, AT)
    assert (found.item_ids.tolist(), found.streamer_ids.tolist()) == ([1, 2], [1, 7])
    assert found.scores.tolist() == pytest.approx([1.0, 0.6])
    assert [KINDS[kind] for kind in found.kinds] == ["clip", "vod"]
    assert {SOURCES[source] for source in found.sources} == {"fresh"}


def test_the_best_equal_a_full_ranking() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(300, 8))
    index = FreshIndex.of([item(number, list(row)) for number, row in enumerate(vectors)])
    user = rng.normal(size=8).astype(np.float32)
    ranked = np.argsort(-(vectors @ user))
    for count in (1, 50, 299, 300, 1_000):
        assert index.best(UserVector(user, "1"), count, AT).item_ids.tolist() == ranked[:count].tolist()


@pytest.mark.parametrize("count", [0, 5])
def test_an_empty_index_offers_nothing(count: int) -> None:
    index = FreshIndex.of([])
    assert len(index.best(UserVector(np.ones(2, np.float32), "1"), count, AT)) == 0
    assert len(index.newest_of(np.array([1]), count, AT)) == 0
    assert index.rows(np.array([1, 2])).tolist() == [-1, -1]
    assert index.by_model == {}


def test_contents_of_another_model_are_never_scored() -> None:
    index = FreshIndex.of([item(1, [1, 0], "1"), item(2, [1, 0], "1"), item(3, [1, 0], "2")])
    user = np.array([1, 0], np.float32)
    assert index.best(UserVector(user, "2"), 5, AT).item_ids.tolist() == [3]
    assert index.best(UserVector(user, "3"), 5, AT).item_ids.tolist() == []
    assert index.best(UserVector(np.ones(3, np.float32), "1"), 5, AT).item_ids.tolist() == []
    assert {version: mask.tolist() for version, mask in index.by_model.items()} == {
        "1": [True, True, False],
        "2": [False, False, True],
    }


def test_what_is_published_later_is_not_offered_before() -> None:
    index = FreshIndex.of([item(1, [1, 0], published=AT + 1), item(2, [0, 1], published=AT)])
    user = UserVector(np.array([1, 0], np.float32), "1")
    assert index.best(user, 5, AT).item_ids.tolist() == [2]
    assert index.best(user, 5, AT + 1).item_ids.tolist() == [1, 2]
    assert index.newest_of(np.array([1]), 5, AT).item_ids.tolist() == [2]


def test_the_newest_of_some_streamers_come_newest_first() -> None:
    times = {1: 100.0, 2: 300.0, 3: 200.0}
    index = FreshIndex.of([item(number, [1, 0], published=at, streamer=number % 2) for number, at in times.items()])
    found = index.newest_of(np.array([1, 99]), 5, AT)
    assert (found.item_ids.tolist(), found.scores.tolist()) == ([3, 1], [1.0, 0.5])
    assert len(index.newest_of(np.array([], np.int64), 5, AT)) == 0


def test_what_must_not_be_shown_or_has_no_vector_is_not_scored() -> None:
    bare = FreshItem(2, 900.0, Description("clip", 1))
    index = FreshIndex.of([FreshItem(1, 900.0, None), bare, item(3, [1, 0])])
    assert index.content_ids.tolist() == [2, 3]
    assert index.published_at.tolist() == [900.0, 900.0]
    assert index.best(UserVector(np.array([1, 0], np.float32), "1"), 5, AT).item_ids.tolist() == [3]


def test_columns_are_looked_up_by_content() -> None:
    index = FreshIndex.of([item(2**63 - 1, [1, 0]), item(-(2**63), [1, 0])])
    rows = index.rows(np.array([2**63 - 1, 0, -(2**63)]))
    assert rows.tolist() == [1, -1, 0]
    assert index.titles[rows[0]] == f"title {2**63 - 1}"
    assert (index.languages[0], index.categories[0], index.min_ages[0]) == ("en", "chess", 0)


def columns(index: FreshIndex) -> list[list[object]]:
    names = [field.name for field in fields(FreshIndex) if field.name != "problem"]
    return [getattr(index, name).tolist() for name in names]


def test_changing_an_index_gives_what_building_it_anew_would() -> None:
    rng = np.random.default_rng(0)
    kept: dict[int, FreshItem] = {}
    index = FreshIndex.of([])
    for _ in range(60):
        put = [item(int(number), [1, 0], str(rng.integers(2))) for number in rng.choice(30, 3, replace=False)]
        put[0] = replace(put[0], description=None)
        put[1] = replace(put[1], vector=None, model_version="")
        gone = [int(number) for number in rng.choice(30, 4, replace=False)]
        kept = {content: known for content, known in kept.items() if content not in gone}
        kept |= {one.content_id: one for one in put}
        index = index.changed(put, gone)
        assert columns(index) == columns(FreshIndex.of(kept.values()))


def test_a_model_of_another_shape_leaves_nothing_to_score_of_the_one_before() -> None:
    index = FreshIndex.of([item(1, [1, 0], "1"), item(2, [1, 0], "1")]).changed([item(3, [1, 0, 0], "2")], [])
    assert index.best(UserVector(np.array([1, 0], np.float32), "1"), 5, AT).item_ids.tolist() == []
    assert index.best(UserVector(np.array([1, 0, 0], np.float32), "2"), 5, AT).item_ids.tolist() == [3]
    back = index.changed([item(1, [1, 0, 0], "2"), item(2, [1, 0, 0], "2")], [3])
    assert back.best(UserVector(np.array([1, 0, 0], np.float32), "2"), 5, AT).item_ids.tolist() == [1, 2]
