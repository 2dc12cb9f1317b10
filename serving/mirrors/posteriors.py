"""The current posterior epoch of every context of the bandit that is a segment's."""

from collections.abc import Mapping

from bandit.posteriors import PosteriorEpoch
from contracts.names import Segment, Surface
from serving.state import Context
from serving.stores.protocol import BanditStore


class PosteriorMirror:
    """Reads an epoch again only where its bytes have changed."""

    def __init__(self) -> None:
        self.current: Mapping[Context, PosteriorEpoch] = {}
        self._packed: dict[Context, bytes] = {}

    def refresh(self, store: BanditStore) -> None:
        """Look at all contexts.

        Raises:
            StoreUnavailableError: what was known stays.
        """
        contexts = [(str(surface), str(segment)) for surface in Surface for segment in Segment]
        found = dict(zip(contexts, store.all_posteriors(contexts), strict=True))
        packed = {context: value for context, value in found.items() if value is not None}
        self.current = {
            context: self.current[context]
            if self._packed.get(context) == value
            else PosteriorEpoch.from_json(value)
            for context, value in packed.items()
        }
        self._packed = packed
