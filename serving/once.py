"""One slate from a process that was started for it."""

from contracts.settings import Settings
from contracts.snapshots import Warehouse
from serving.impressions import to_entry
from serving.mirrored import Mirrored
from serving.query import Request
from serving.recommend import Recommender
from serving.slate import Slate
from serving.stores.redis_store import RedisStore


def recommend(settings: Settings, warehouse: Warehouse, request: Request) -> Slate:
    """A slate, logged.

    Raises:
        InvalidRequestError, NoGenerationError, StoreUnavailableError
    """
    store = RedisStore.open(settings.redis.url, settings.redis.timeout_ms)
    patient = RedisStore.open(settings.redis.url, settings.mirrors.timeout_ms)
    recommender = Recommender(settings)
    asking = recommender.ask(request, Mirrored(settings, warehouse, patient).load())
    slate = recommender.answer(asking, store.read(asking.plan))
    if len(slate):
        seconds = settings.http.explain_seconds
        store.log_slate(request.request_id, to_entry(slate), settings.serving.stream_max_length, seconds)
    return slate
