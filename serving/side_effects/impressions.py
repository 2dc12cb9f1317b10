"""Every slate is logged, so that the bandit and the evaluation can learn from it."""

from dataclasses import dataclass

from contracts.names import STREAM_IMPRESSIONS
from serving.impressions import to_entry
from serving.slate import Slate
from serving.stores.protocol import StreamStore


@dataclass(frozen=True)
class ImpressionLog:
    """Appends one entry per slate to the impression stream; an empty slate shows nothing and is not logged."""

    store: StreamStore
    max_length: int

    def after(self, slate: Slate) -> None:
        if len(slate):
            self.store.append(STREAM_IMPRESSIONS, to_entry(slate), self.max_length)
