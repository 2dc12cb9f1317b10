"""The bandit chooses which source fills each slot."""

from dataclasses import dataclass

import numpy as np

from bandit.arms import ArmSet
from bandit.policies.thompson import POLICY_ID, select
from bandit.posteriors import PosteriorEpoch
from contracts.errors import PayloadError, StoreUnavailableError
from contracts.payload import SOURCES
from contracts.settings import BanditSettings
from serving.epochs import current_epoch, prior_epoch
from serving.frame import Frame
from serving.query import Query
from serving.stages import Ranking
from serving.stores.protocol import BanditStore


@dataclass(frozen=True)
class ThompsonReranker:
    """Arms are the sources; the arm that wins a slot gives the best of its candidates that is left."""

    store: BanditStore
    settings: BanditSettings

    def rank(self, frame: Frame, query: Query) -> Ranking:
        posterior, problem = self._posterior(query)
        codes = frame.candidates.sources
        present, first, counts = np.unique(codes, return_index=True, return_counts=True)
        # Arms stand in the order in which the list first names them.
        arms = np.argsort(first)
        arm_set = ArmSet(tuple(str(SOURCES[present[arm]]) for arm in arms), tuple(counts[arms].tolist()))
        slate = np.array(select(posterior, arm_set, query.request.limit, query.request.seed), np.intp)
        order = np.empty(len(slate), np.intp)
        for position, arm in enumerate(arms):
            slots = np.flatnonzero(slate == position)
            order[slots] = np.flatnonzero(codes == present[arm])[: len(slots)]
        return Ranking(order, POLICY_ID, posterior.epoch, arm_set, problem)

    def _posterior(self, query: Query) -> tuple[PosteriorEpoch, str]:
        try:
            return current_epoch(self.store, self.settings, (query.request.surface, query.segment)), ""
        except (StoreUnavailableError, PayloadError) as error:
            problem = f"the bandit's posteriors could not be read, so it used its prior: {error}"
            return prior_epoch(self.settings), problem
