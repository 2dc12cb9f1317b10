"""Stored posterior epochs: the first of every context, and looking one up."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from bandit.beliefs import Bound, Exploration, Prior
from bandit.linear import LinearEpoch, LinearPrior
from bandit.outcomes import Outcomes
from bandit.policies.registry import LINEAR, Policy
from bandit.posteriors import PosteriorEpoch, update
from contracts.errors import EpochConflictError
from contracts.names import TARGET_CONTEXT, Segment, Surface
from contracts.settings import BanditSettings
from serving.stores.protocol import BanditStore, StoredEpoch

_TRIES: Final = 3


def prior_epoch(settings: BanditSettings) -> PosteriorEpoch:
    """Epoch 0 of every context."""
    strengths = settings.streamer_strength, settings.source_strength, settings.context_strength
    prior = Prior(settings.prior_successes, settings.prior_failures, *strengths)
    return PosteriorEpoch(0, prior, exploration=Exploration(settings.exploration_scale, settings.epsilon))


def next_epoch(
    current: PosteriorEpoch, outcomes: Outcomes, through_ms: int, settings: BanditSettings
) -> PosteriorEpoch:
    """`update` by the settings, which may have changed since the current epoch: its evidence is kept without prior.

    Where `through_ms` is not later than the current watermark, the current epoch itself comes back.
    """
    start = prior_epoch(settings)
    bound = Bound(settings.max_arms, settings.min_evidence)
    following = update(current, outcomes, through_ms, settings.half_life_hours * 3_600, bound)
    return following if following is current else replace(following, prior=start.prior, exploration=start.exploration)


@dataclass(frozen=True)
class ContextChange:
    """The epoch that a context has now, and whether the outcomes made it."""

    epoch: PosteriorEpoch
    is_new: bool


def update_context(
    store: BanditStore,
    settings: BanditSettings,
    context: tuple[str, str],
    outcomes: Outcomes,
    through_ms: int,
    least_number: int = 0,
) -> ContextChange:
    """Make the next epoch of a context, of those outcomes that are not in yet; without any, nothing changes.

    Args:
        through_ms: These are all outcomes up to this time since the context's watermark.
        least_number: The next epoch's number is at least this.

    Raises:
        EpochConflictError: others keep changing the context.
        PayloadError: the state is corrupt or of another version.
    """
    for _ in range(_TRIES):
        found = store.posteriors(*context)
        current = PosteriorEpoch.from_bytes(found) if found is not None else prior_epoch(settings)
        new = _after(outcomes, current.applied_through_ms)
        if through_ms <= current.applied_through_ms or not len(new.times):
            return ContextChange(current, is_new=False)
        following = next_epoch(current, new, through_ms, settings)
        following = replace(following, epoch=max(following.epoch, least_number))
        follows = StoredEpoch(current.epoch, found) if found is not None else None
        keep = _keep_seconds(settings, context)
        if store.put_epoch(context, following.to_bytes(), follows, epoch_ttl(settings), keep):
            return ContextChange(following, is_new=True)
    raise EpochConflictError(f"{'/'.join(context)} was changed by others {_TRIES} times meanwhile; run again")


def _keep_seconds(settings: BanditSettings, context: tuple[str, str]) -> int | None:
    """Segments are few and stay; targets are as many as there are contents, and go with their outcomes."""
    is_target = context[1].startswith(TARGET_CONTEXT)
    return max(1, round(settings.target_ttl_days * 86_400)) if is_target else None


def _after(outcomes: Outcomes, watermark_ms: int) -> Outcomes:
    """The outcomes later than a watermark."""
    is_new = np.rint(outcomes.times * 1_000) > watermark_ms
    if is_new.all():
        return outcomes
    rows = np.flatnonzero(is_new).tolist()
    return Outcomes(
        [outcomes.arms[row] for row in rows],
        outcomes.is_success[is_new],
        outcomes.times[is_new],
        [outcomes.parents[row] for row in rows] if outcomes.parents else (),
        outcomes.weights[is_new] if outcomes.weights is not None else None,
        outcomes.features[is_new] if outcomes.features is not None else None,
    )


def ensure_contexts(store: BanditStore, settings: BanditSettings, surfaces: Iterable[Surface]) -> None:
    """Store epoch 0 of each context that has none, so that what is served from the prior can be recomputed."""
    value = prior_epoch(settings).to_bytes()
    for surface in surfaces:
        for segment in Segment:
            if store.posteriors(surface, segment) is None:
                store.put_epoch((surface, segment), value, None, epoch_ttl(settings))


def linear_epoch(settings: BanditSettings, dimensions: int) -> LinearEpoch:
    """Epoch 0 of a context of `linear_thompson`, whose arms have so many features."""
    mean = settings.prior_successes / (settings.prior_successes + settings.prior_failures)
    prior = LinearPrior(mean, settings.linear_precision, settings.linear_noise)
    return LinearEpoch.first(prior, dimensions, Exploration(settings.exploration_scale, settings.epsilon))


def stored_context(policy: Policy, surface: str, segment: str) -> tuple[str, str]:
    """Under which surface and segment a policy's state is stored; policies of one kind of state share it."""
    return (surface, f"{segment}:{policy.state}") if policy.state == LINEAR else (surface, segment)


def epoch_of(
    store: BanditStore, settings: BanditSettings, policy: Policy, context: tuple[str, str], epoch: int
) -> PosteriorEpoch | LinearEpoch | None:
    """An epoch of a policy's state; None where it has expired.

    Raises:
        PayloadError: the state is corrupt or of another version.
    """
    stored = stored_context(policy, *context)
    # The current one first: it may be followed, and so moved, between the two reads, but not the other way.
    for found in (store.posteriors(*stored), store.posterior_epoch(*stored, epoch)):
        state: PosteriorEpoch | LinearEpoch | None = policy.read(found) if found is not None else None
        if state is not None and state.epoch == epoch:
            return state
    return prior_epoch(settings) if epoch == 0 and policy.state != LINEAR else None


def epoch_ttl(settings: BanditSettings) -> int:
    """Seconds that an epoch is kept when it has been followed."""
    return max(1, round(settings.epoch_ttl_days * 86_400))
