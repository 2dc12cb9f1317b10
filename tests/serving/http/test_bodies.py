"""What the edge says and hears, as types."""

from typing import get_args

import msgspec

from contracts import names
from contracts.payload import KINDS
from serving.http import openapi
from serving.http.bodies import Feedback, Kind


def test_the_kinds_of_the_edge_are_those_of_the_payload_in_its_order() -> None:
    assert get_args(Kind) == tuple(map(str, KINDS))


def test_no_enumeration_that_spark_sends_to_its_workers_carries_a_table_of_msgspecs() -> None:
    msgspec.json.decode(b'{"events":[{"item_id":"1","item_kind":"clip","action":"click"}]}', type=Feedback)
    openapi.document()
    assert not [name for name, value in vars(names).items() if hasattr(value, "__msgspec_cache__")]
