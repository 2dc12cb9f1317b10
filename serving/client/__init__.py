"""The Python client of the HTTP edge: `Client`, and `AsyncClient` for asyncio. It imports httpx and msgspec."""

from serving.client.asynchronous import AsyncClient
from serving.client.bodies import Degradation, Event, ExplainedItem, Explanation, Item, Recommendations
from serving.client.patience import Patience
from serving.client.synchronous import Client

__all__ = [
    "AsyncClient",
    "Client",
    "Degradation",
    "Event",
    "ExplainedItem",
    "Explanation",
    "Item",
    "Patience",
    "Recommendations",
]
