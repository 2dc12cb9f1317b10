"""Where Feast keeps a user's features in Redis: the one key of ours that Feast spells."""

from contracts import columns as c
from contracts.feast_engine import skip_type_instrumentation
from contracts.names import FEAST_PROJECT


def online_key(user_id: int) -> bytes:
    """The hash that holds a user's row of every online feature view."""
    skip_type_instrumentation()
    from feast.infra.online_stores.helpers import _redis_key  # noqa: PLC0415  Feast takes seconds to import
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey  # noqa: PLC0415
    from feast.protos.feast.types.Value_pb2 import Value  # noqa: PLC0415

    key: bytes = _redis_key(FEAST_PROJECT, EntityKey(join_keys=[c.USER_ID], entity_values=[Value(int64_val=user_id)]))
    return key
