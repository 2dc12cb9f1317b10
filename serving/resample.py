"""The bandit for services that only read Redis: slates of the shared contexts, drawn again every so often.

A segment's list and the list that goes with a content or a streamer are the same for everybody in their context, so a
slate of nobody known can stand for all of them until the next is drawn. It is made by the same stages as any other.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec

from bandit.policies.registry import POLICIES
from bandit.posteriors import PosteriorEpoch
from contracts.names import Segment, Surface, target_context
from contracts.packed_user import PackedUser
from contracts.settings import Settings
from contracts.unpacking import NO_IDS
from serving.epochs import prior_epoch
from serving.impressions import chosen_arm, to_entry, to_rows
from serving.recommend import Recommender
from serving.requests import Asked, to_request
from serving.slate import Slate
from serving.state import State
from serving.stores.protocol import ResampleStore
from serving.stores.user_reads import UserRow

_TARGETS_AT_ONCE: Final = 500
_TARGET_SURFACES: Final = (Surface.WATCH_NEXT, Surface.RELATED_STREAMERS)


class SampledItem(msgspec.Struct, frozen=True):
    """One position; ids are decimal strings. `propensity` is null where no arm was chosen."""

    id: str
    kind: str
    streamer_id: str
    source: str
    score: float
    propensity: float | None


class SampledList(msgspec.Struct, frozen=True):
    """A slate of a context, and what is needed to draw it again."""

    surface: str
    context: str
    generation: str
    model_version: str
    policy_id: str
    posterior_epoch: int
    seed: str
    sampled_at: str
    items: list[SampledItem]


@dataclass(frozen=True)
class ResampleReport:
    """What one round wrote. Targets without outcomes have none: their published list is all there is to say."""

    segments: int
    targets: int
    targets_without_outcomes: int
    seconds: float


class Resampler:
    """Draws the slates of a state's generation.

    Args:
        now: Of the round; it goes into the seeds, so that the next round draws other slates.
    """

    def __init__(self, store: ResampleStore, state: State, settings: Settings, now: datetime) -> None:
        self._store, self._state, self._settings, self._now = store, state, settings, now
        self._recommender = Recommender(settings)
        self._prior = prior_epoch(settings.bandit)

    def round(self) -> ResampleReport:
        """Draw all and write them, some at a time.

        Raises:
            StoreUnavailableError
            NoGenerationError: nothing has been published.
        """
        started = time.perf_counter()
        segments = self._write(self._segments())
        targets = learnt = 0
        for surface in _TARGET_SURFACES:
            known = iter(self._store.targets(self._state.published.current or "", surface))
            while chunk := list(islice(known, _TARGETS_AT_ONCE)):
                targets += len(chunk)
                learnt += self._write(self._targets(surface, chunk))
        return ResampleReport(segments, learnt, targets - learnt, time.perf_counter() - started)

    def _segments(self) -> Iterator[SampledList]:
        current = self._state.published.current
        lists = self._state.published.generations[current].segment_lists if current is not None else {}
        for surface, segment in sorted(lists):
            user = UserRow(known=PackedUser(Segment(segment), NO_IDS))
            posterior = self._state.posteriors.get((surface, segment), self._prior)
            yield self._sampled(self._slate(Surface(surface), None, user, segment), posterior)

    def _targets(self, surface: Surface, targets: Sequence[int]) -> Iterator[SampledList]:
        contexts = [(str(surface), target_context(target)) for target in targets]
        for target, packed in zip(targets, self._store.all_posteriors(contexts), strict=True):
            if packed is not None:
                slate = self._slate(surface, target, None, target_context(target))
                yield self._sampled(slate, PosteriorEpoch.from_bytes(packed))

    def _slate(self, surface: Surface, target: int | None, user: UserRow | None, context: str) -> Slate:
        request_id = f"resample.{surface}.{context}.{self._now:%Y%m%dT%H%M%S}"
        asked = Asked(request_id, surface, context=target)
        asking = self._recommender.ask(to_request(asked, self._now, self._settings.serving), self._state)
        return self._recommender.answer(asking, self._store.read(asking.plan) if user is None else user)

    def _sampled(self, slate: Slate, posterior: PosteriorEpoch) -> SampledList:
        query, ranking = slate.query, slate.outcome.ranking
        chances: Sequence[float | None] = [None] * len(slate)
        policy = POLICIES.get(ranking.policy_id)
        if policy is not None and len(slate):
            arms = [chosen_arm(ranking.arm_set, row) for row in to_rows(to_entry(slate))]
            drawn = policy.propensities(posterior, self._settings.bandit.propensity_draws)(ranking.arm_set, arms)
            chances = [round(float(chance), 6) for chance in drawn]
        items = [
            SampledItem(str(item.item_id), item.kind, str(item.streamer_id), item.source, item.score, chance)
            for item, chance in zip(slate.items, chances, strict=True)
        ]
        return SampledList(
            str(query.request.surface),
            ranking.context,
            query.generation.name,
            query.generation.model_version,
            ranking.policy_id,
            ranking.posterior_epoch,
            str(query.request.seed),
            query.request.served_at,
            items,
        )

    def _write(self, lists: Iterable[SampledList]) -> int:
        """Write the lists that have items, some at a time; how many."""
        full = (one for one in lists if one.items)
        count = 0
        while chunk := list(islice(full, _TARGETS_AT_ONCE)):
            bodies = {(one.surface, one.context): msgspec.json.encode(one) for one in chunk}
            self._store.put_sampled(bodies, self._settings.serving.sampled_ttl_seconds)
            count += len(chunk)
        return count
