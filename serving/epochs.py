"""Stored posterior epochs: the first of every context, and looking one up."""

from collections.abc import Iterable

from bandit.posteriors import PosteriorEpoch, Prior
from contracts.names import Segment, Surface
from contracts.settings import BanditSettings
from serving.stores.protocol import BanditStore


def prior_epoch(settings: BanditSettings) -> PosteriorEpoch:
    """Epoch 0 of every context."""
    return PosteriorEpoch(0, Prior(settings.prior_successes, settings.prior_failures))


def ensure_contexts(store: BanditStore, settings: BanditSettings, surfaces: Iterable[Surface]) -> None:
    """Store epoch 0 of each context that has none, so that what is served from the prior can be recomputed."""
    value = prior_epoch(settings).to_json()
    for surface in surfaces:
        for segment in Segment:
            if store.posteriors(surface, segment) is None:
                store.put_epoch((surface, segment), 0, value, epoch_ttl(settings))


def epoch_of(
    store: BanditStore, settings: BanditSettings, context: tuple[str, str], epoch: int
) -> PosteriorEpoch | None:
    """A stored epoch; None where it has expired."""
    found = store.posterior_epoch(*context, epoch)
    if found is not None:
        return PosteriorEpoch.from_json(found)
    return prior_epoch(settings) if epoch == 0 else None


def epoch_ttl(settings: BanditSettings) -> int:
    """Seconds that an epoch is kept."""
    return max(1, round(settings.epoch_ttl_days * 86_400))
