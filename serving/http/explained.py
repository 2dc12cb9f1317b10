"""A served slate, as it was logged: what was chosen from what, and with which chance."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from bandit.arms import ArmSet
from bandit.linear import LinearEpoch
from bandit.policies.registry import BETA, POLICIES, Policy
from bandit.posteriors import PosteriorEpoch
from contracts.errors import PayloadError, SlateMismatchError, SlateNotFoundError
from contracts.names import ItemKind
from contracts.payload import KINDS, SOURCES
from contracts.settings import BanditSettings
from serving.epochs import epoch_of, prior_epoch
from serving.explain import why
from serving.http.bodies import ExplainedItem, Explanation, StageTime
from serving.impressions import Entry, Row, chosen_arm, read_entry, to_entry, to_rows
from serving.query import LEVELS
from serving.slate import Slate
from serving.state import Context, State
from serving.stores.protocol import Store

Epochs: TypeAlias = Callable[[Policy, Context, int], PosteriorEpoch | LinearEpoch | None]
"""The state of a policy in a context at an epoch; None where it is gone."""
_DRAWS = 20_000
"""For the policy whose propensities take Monte Carlo: within 0.01, in some milliseconds."""


@dataclass(frozen=True)
class _Choice:
    """How the bandit came to a slate; empty where its state is gone or there is no bandit."""

    arms: list[str | None]
    propensities: list[float | None]
    means: list[float | None]
    is_recomputed: bool | None = None

    @classmethod
    def unknown(cls, length: int) -> "_Choice":
        return cls([None] * length, [None] * length, [None] * length)


def explain(store: Store, settings: BanditSettings, state: State, request_id: str) -> Explanation:
    """The explanation of a slate that was served lately.

    Raises:
        SlateNotFoundError: nobody served it, or too long ago.
        StoreUnavailableError
    """
    packed = store.served_slate(request_id)
    if packed is None:
        raise SlateNotFoundError(f"no slate of request {request_id} was served lately")
    return _explained(packed, state, lambda policy, context, epoch: epoch_of(store, settings, policy, context, epoch))


def explain_slate(slate: Slate, settings: BanditSettings) -> Explanation:
    """The same of a slate at hand, logged or not, out of what this worker holds."""
    state = slate.query.state

    def held(policy: Policy, context: Context, epoch: int) -> PosteriorEpoch | None:
        found = posterior_of(state, settings, context)
        return found if policy.state == BETA and found.epoch == epoch else None

    return _explained(to_entry(slate), state, held)


def posterior_of(state: State, settings: BanditSettings, context: Context) -> PosteriorEpoch:
    """What is thought of a context's arms now."""
    return state.posteriors.get(context) or prior_epoch(settings)


def _explained(packed: bytes, state: State, epochs: Epochs) -> Explanation:
    entry = read_entry(packed)
    choice = _choice(epochs, entry, to_rows(packed))
    return Explanation(
        entry.request_id,
        entry.surface,
        entry.context,
        entry.generation,
        entry.model_version,
        entry.policy_id,
        entry.epoch,
        str(entry.seed),
        entry.served_at,
        choice.is_recomputed,
        _items(entry, choice, state),
        [StageTime(stage, name, spent / 1_000, entered, left) for stage, name, spent, entered, left in entry.stages],
        entry.notes,
    )


def _choice(epochs: Epochs, entry: Entry, rows: list[Row]) -> _Choice:
    policy = POLICIES.get(entry.policy_id)
    if policy is None or not rows:
        return _Choice.unknown(len(rows))
    arm_set = entry.arm_set
    try:
        slate = [chosen_arm(arm_set, row) for row in rows]
        posterior = epochs(policy, (entry.surface, entry.context), entry.epoch)
    except (PayloadError, SlateMismatchError):
        return _Choice.unknown(len(rows))
    arms: list[str | None] = [arm_set.arms[arm] for arm in slate]
    if posterior is None:
        return _Choice(arms, [None] * len(rows), [None] * len(rows))
    chances = policy.propensities(posterior, _DRAWS)(arm_set, slate)
    drawn = policy.select(posterior, arm_set, len(rows), entry.seed)
    means = _means(policy, posterior, arm_set)
    return _Choice(arms, [round(float(chance), 4) for chance in chances], [means[arm] for arm in slate], drawn == slate)


def _means(policy: Policy, posterior: Any, arm_set: ArmSet) -> list[float | None]:  # noqa: ANN401  of any policy
    """The posterior mean of each arm, where the policy's state has one for an arm."""
    if policy.state != BETA:
        return [None] * len(arm_set.arms)
    a, b = posterior.parameters(arm_set)
    return [round(float(mean), 4) for mean in np.asarray(a / (a + b))]


def _items(entry: Entry, choice: _Choice, state: State) -> list[ExplainedItem]:
    ids = np.array(entry.item_ids, np.int64)
    titles = state.catalogue.titles(state.catalogue.rows(ids))
    names = state.catalogue.names(np.array(entry.streamer_ids, np.int64))
    return [
        ExplainedItem(
            place + 1,
            KINDS[kind],
            str(entry.item_ids[place]),
            str(entry.streamer_ids[place]),
            titles[place] if KINDS[kind] in {ItemKind.VOD, ItemKind.CLIP} else None,
            names[place],
            SOURCES[entry.sources[place]],
            entry.scores[place],
            LEVELS[entry.levels[place]],
            choice.arms[place],
            choice.propensities[place],
            choice.means[place],
            why(entry.sources[place], kind, names[place]),
        )
        for place, kind in enumerate(entry.kinds)
    ]
