"""A published platform that answers one request at a time, as `serving.once` does, from any store."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.settings import Settings
from contracts.snapshots import Warehouse
from serving.impressions import to_entry
from serving.mirrored import Mirrored
from serving.query import Request
from serving.recommend import Recommender
from serving.requests import Asked, to_request
from serving.slate import Slate
from serving.state import State
from serving.stores.protocol import Store
from tests.serving.builders import NOW


@dataclass(frozen=True)
class Platform:
    """A store with what reads it."""

    store: Store
    settings: Settings

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.settings.warehouse_path)

    def state(self) -> State:
        """What a worker that starts now knows."""
        return Mirrored(self.settings, self.warehouse, self.store).load()

    def serve(self, request: Request) -> Slate:
        """A slate, logged."""
        recommender = Recommender(self.settings)
        asking = recommender.ask(request, self.state())
        slate = recommender.answer(asking, self.store.read(asking.plan))
        self.log(slate)
        return slate

    def log(self, slate: Slate) -> None:
        if len(slate):
            self.store.log_slate(slate.query.request.request_id, to_entry(slate), 1_000, 60)

    def ask(
        self,
        user: int | None,
        surface: str = "home_clips",
        limit: int = 5,
        *,
        request_id: str = "r-1",
        at: datetime = NOW,
        **asked: Any,  # noqa: ANN401  the rest of `Asked`
    ) -> Slate:
        """What a caller gets."""
        question = Asked(request_id, surface, user, limit, **asked)
        return self.serve(to_request(question, at, self.settings.serving))


def ids(slate: Slate) -> list[int]:
    return [item.item_id for item in slate.items]
