"""What a state goes by beside its evidence: the prior, how much to explore, how much to remember."""

from dataclasses import dataclass
from typing import Final

from bandit.arms import CONTEXT, STREAMER_PREFIX


@dataclass(frozen=True)
class Prior:
    """What is thought of an arm before its own evidence.

    Args:
        a: Beta parameter of the context's mean before any outcome.
        b: The same, of failures.
        streamer_strength: Impressions that a streamer's mean is worth as the prior of its children.
        source_strength: The same, of a source.
        context_strength: The same, of the whole context: for arms without parents, and the last parent of others.
    """

    a: float
    b: float
    streamer_strength: float = 10.0
    source_strength: float = 10.0
    context_strength: float = 10.0

    def strength(self, parent: str) -> float:
        """Impressions that a parent's mean is worth."""
        if parent == CONTEXT:
            return self.context_strength
        return self.streamer_strength if parent.startswith(STREAMER_PREFIX) else self.source_strength


@dataclass(frozen=True)
class Exploration:
    """How much a policy tries beside what looks best; part of the state, because a slate depends on it.

    Args:
        scale: Factor on the variance of every posterior that is sampled; 1 is Thompson sampling.
        epsilon: Share of slots that `epsilon_greedy` fills by chance.
    """

    scale: float = 1.0
    epsilon: float = 0.1


PLAIN: Final = Exploration()


@dataclass(frozen=True)
class Bound:
    """How much a state may hold.

    Args:
        max_arms: Above this many arms, weak ones are dropped.
        min_evidence: Arms with less decayed evidence, in impressions, are weak.
    """

    max_arms: int
    min_evidence: float
