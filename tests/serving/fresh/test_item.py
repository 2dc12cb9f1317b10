import json

import numpy as np
import pytest

from contracts.errors import PayloadError
from contracts.names import Visibility
from serving.fresh.item import Description, FreshItem
from tests.serving.fresh.builders import changed, minutes, published, taken_down

VECTOR = np.array([0.6, -0.8, 0.0], np.float32)
WHOLE = Description("vod", -(2**63), "title", "chess", "en", 18, 60.5, 1_769_860_800.25)


@pytest.mark.parametrize(
    "item",
    [
        FreshItem(1, 5.5, WHOLE, "7", VECTOR),
        FreshItem(2**63 - 1, 5.5, Description("clip", 1)),
        FreshItem(-1, 5.5, None),
    ],
)
def test_an_item_is_read_as_it_was_written(item: FreshItem) -> None:
    found = FreshItem.from_json(item.content_id, item.to_json())
    assert (found.content_id, found.changed_at, found.description) == (item.content_id, 5.5, item.description)
    assert found.model_version == item.model_version
    if item.vector is None:
        assert found.vector is None
    else:
        assert np.allclose(found.vector, item.vector, atol=1e-3)


def good(**changes: object) -> bytes:
    values = json.loads(FreshItem(1, 5.5, Description("clip", 1), "7", VECTOR).to_json())
    return json.dumps({**values, **changes}).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        good(changed_at=None),
        good(description={"kind": "clip"}),
        good(description={"kind": "film", "streamer_id": 1}),
        good(description={"kind": "clip", "streamer_id": 2**63}),
        good(description={"kind": "clip", "streamer_id": 1, "colour": "red"}),
        good(vector="not base64"),
        good(vector="AAAA"),
        good(vector=7),
        good(vector="AAAAAA=="),
    ],
)
def test_what_cannot_be_an_item_is_named(text: bytes) -> None:
    with pytest.raises(PayloadError, match="fresh content 1 cannot be read"):
        FreshItem.from_json(1, text)


def test_a_later_event_overrules_and_a_redelivered_one_changes_nothing() -> None:
    first, second = FreshItem.of(published(1)), FreshItem.of(changed(1, "racing", minutes(1)))
    gone = FreshItem.of(taken_down(1, minutes(1)))
    assert second.overrules(first)
    assert not first.overrules(second)
    assert gone.overrules(second)
    assert not second.overrules(gone)
    assert not gone.overrules(gone)


def test_of_one_moment_the_last_word_holds() -> None:
    chess, racing = FreshItem.of(published(1)), FreshItem.of(published(1, "racing"))
    assert racing.overrules(chess)
    assert not racing.overrules(racing)


@pytest.mark.parametrize("visibility", [Visibility.PRIVATE, Visibility.REMOVED])
def test_what_is_not_public_is_remembered_and_not_described(visibility: Visibility) -> None:
    assert FreshItem.of(changed(1, "chess", minutes(1), visibility=visibility)).description is None
