"""The current posterior epoch of every context of the bandit that is a segment's."""

from collections.abc import Mapping

from bandit.posteriors import PosteriorEpoch
from contracts.errors import PayloadError
from contracts.names import Segment, Surface
from contracts.settings import MirrorSettings
from serving.state import Context
from serving.stores.protocol import BanditStore

_CONTEXTS = [(str(surface), str(segment)) for surface in Surface for segment in Segment]


class PosteriorMirror:
    """Reads an epoch again only where its bytes have changed; one that cannot be read is left at what it was."""

    name = "posteriors"

    def __init__(self, store: BanditStore, settings: MirrorSettings) -> None:
        self._store = store
        self.pause_seconds = settings.poll_ms / 1000
        self.current: Mapping[Context, PosteriorEpoch] = {}
        self.problem = ""
        self._packed: dict[Context, bytes] = {}

    def refresh(self) -> None:
        """Look at all contexts."""
        epochs, problems = dict(self.current), []
        for context, packed in zip(_CONTEXTS, self._store.all_posteriors(_CONTEXTS), strict=True):
            if packed is None:
                epochs.pop(context, None)
                self._packed.pop(context, None)
            elif self._packed.get(context) != packed:
                try:
                    epochs[context] = PosteriorEpoch.from_bytes(packed)
                except PayloadError as error:
                    problems.append(f"the bandit's state of {'/'.join(context)} cannot be read: {error}")
                    continue
                self._packed[context] = packed
        self.current, self.problem = epochs, "; ".join(problems)

    def failed(self, problem: str) -> None:
        self.problem = f"the bandit's posteriors are as last known: {problem}"
