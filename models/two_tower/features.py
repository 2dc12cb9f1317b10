"""How raw feature values become table rows and numbers; training and retrieval share it, so that they cannot differ."""

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from contracts import columns as c
from contracts.item_tower import NO_TIME
from contracts.names import ItemKind, Segment
from models.two_tower.vocabulary import IntArray

KINDS: Final = (ItemKind.VOD, ItemKind.CLIP, ItemKind.STREAMER)
SEGMENTS: Final = (Segment.NEW, Segment.LIGHT, Segment.HEAVY)

COUNT_FEATURES: Final = (c.VIEWS, c.VALUED_VIEWS, c.WATCHED_SECONDS, c.ACTIVE_DAYS, c.DISTINCT_STREAMERS)
SHARE_FEATURES: Final = (c.LIVE_SHARE, c.MEAN_VALUE)
NUMERIC_FEATURES: Final = (*COUNT_FEATURES, *SHARE_FEATURES)
LIST_FEATURES: Final = (c.RECENT_CONTENT_IDS, c.RECENT_STREAMER_IDS, c.PREFERRED_STREAMER_IDS)

AGE_EDGES_HOURS: Final = (0, 1, 3, 6, 12, 24, 48, 96, 168, 336, 672, 1_344, 2_688)
DURATION_EDGES_SECONDS: Final = (0, 7, 15, 30, 60, 120, 300, 900, 3_600, 10_800)
AGE_BUCKETS: Final = len(AGE_EDGES_HOURS) + 1
DURATION_BUCKETS: Final = len(DURATION_EDGES_SECONDS) + 1

US_PER_HOUR: Final = 3_600_000_000
_SECONDS_PER_HOUR = 3_600


def age_buckets(published_us: IntArray, at_us: IntArray | int) -> IntArray:
    """Bucket of the age at a moment; 0 where the publication time is unknown or lies ahead."""
    hours = (at_us - np.where(published_us == NO_TIME, at_us, published_us)) / US_PER_HOUR
    buckets = np.searchsorted(AGE_EDGES_HOURS, hours, side="right")
    return np.where(published_us == NO_TIME, 0, buckets).astype(np.int64)


def age_buckets_of(published: Tensor, at: Tensor) -> Tensor:
    """The same of seconds since 1970, 0 for an unknown time of publication."""
    edges = torch.tensor(AGE_EDGES_HOURS, device=at.device) * _SECONDS_PER_HOUR
    return torch.where(published == 0, 0, torch.bucketize(at - published, edges, right=True))


def duration_buckets(seconds: npt.NDArray[np.float64]) -> IntArray:
    """Bucket of the length; 0 where it is unknown."""
    buckets = np.searchsorted(DURATION_EDGES_SECONDS, np.nan_to_num(seconds, nan=0.0), side="right")
    return np.where(np.isnan(seconds), 0, buckets).astype(np.int64)


def numeric_features(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Counts on a log scale, shares as they are, unknown as 0; columns in the order of `NUMERIC_FEATURES`."""
    known = np.nan_to_num(values, nan=0.0)
    counts, shares = known[:, : len(COUNT_FEATURES)], known[:, len(COUNT_FEATURES) :]
    return np.concatenate([np.log1p(counts.clip(min=0)) / 5.0, shares], axis=1).astype(np.float32)
