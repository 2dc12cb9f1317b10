"""How a user meets, chooses and watches: the one choice model of the logs and of `World.answer`.

A place k of a slate is examined with chance k^-position_bias, independently of the others (the position-based model:
Craswell et al., WSDM 2008); an examined item is clicked with a logistic chance; a click is watched for a share of its
length that follows satisfaction.
"""

from dataclasses import dataclass

import numpy as np

from contracts.names import ContentKind
from world.config import ChoiceConfig
from world.population import Bools, Floats, Ints

KINDS = (ContentKind.LIVE, ContentKind.VOD, ContentKind.CLIP)
LIVE, VOD, CLIP = range(3)


@dataclass(frozen=True)
class Encounter:
    """Columns of n meetings of a user with an item; `kind` indexes `KINDS`, `length` is in seconds."""

    kind: Ints
    affinity: Floats
    quality: Floats
    is_tie: Bools
    length: Floats


def examination(choice: ChoiceConfig, positions: Ints) -> Floats:
    """Chance that a place is looked at; positions count from 1."""
    return positions.astype(float) ** -choice.position_bias


def click_chance(choice: ChoiceConfig, met: Encounter) -> Floats:
    """Chance of a click on an examined item."""
    merit = choice.click_taste * met.affinity + choice.click_quality * met.quality + choice.click_tie * met.is_tie
    return logistic(choice.click_bias + merit)


def satisfaction(choice: ChoiceConfig, met: Encounter, rng: np.random.Generator) -> Floats:
    """What a watch is worth to the user, as a logit around 0."""
    merit = choice.watch_taste * met.affinity + choice.watch_quality * met.quality + choice.watch_tie * met.is_tie
    return merit + rng.normal(0.0, choice.watch_noise, len(met.kind))


def watch_seconds(choice: ChoiceConfig, met: Encounter, satisfied: Floats) -> Floats:
    """Seconds watched of a length, if nothing interrupts."""
    bias = np.array([choice.watch_bias.live, choice.watch_bias.vod, choice.watch_bias.clip])
    return met.length * logistic(bias[met.kind] + satisfied)


def logistic(x: Floats) -> Floats:
    """A logit as a chance."""
    return 1.0 / (1.0 + np.exp(-x))
