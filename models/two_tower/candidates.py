"""A day's retrieval as rows of `retrieved_candidate_v1` and `user_vector_v1`, built column by column.

Letters: U users, D dimensions, K candidates.
"""

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor

from contracts import columns as c
from contracts.clock import available_at
from contracts.errors import EmptyCatalogueError
from contracts.schema import TIMESTAMP
from contracts.settings import Settings
from contracts.snapshots import Snapshot, Warehouse
from contracts.tables import CONTENT, RETRIEVED_CANDIDATE, USER_VECTOR
from models.two_tower.catalogue import Catalogue
from models.two_tower.data import user_rows
from models.two_tower.features import KINDS
from models.two_tower.inputs import has_broadcasts, read_catalogue, read_user_features
from models.two_tower.register import Version
from models.two_tower.retrieve import Retrieval, TopK
from models.two_tower.storage import StoredModel
from models.two_tower.towers import ItemBatch, UserBatch
from models.two_tower.train import choose_device
from models.two_tower.vocabulary import IntArray


@dataclass(frozen=True)
class RetrievalInputs:
    """What retrieval reads for a day."""

    features: pa.Table
    catalogue: Catalogue
    has_live: bool
    snapshots: tuple[Snapshot, ...]


def read_retrieval_inputs(settings: Settings, day: date) -> RetrievalInputs:
    """Features and catalogue of a day.

    Raises:
        MissingPartitionError: the day has no user features.
        EmptyCatalogueError: nothing can be recommended.
    """
    warehouse = Warehouse(settings.warehouse_path)
    features, snapshot = read_user_features(warehouse, day)
    catalogue, snapshots = read_catalogue(warehouse, day, seen=None)
    if not catalogue.is_public.any():
        raise EmptyCatalogueError(f"no content of {day} is public; look at {CONTENT.name} and run {CONTENT.owner}")
    return RetrievalInputs(features, catalogue, has_broadcasts(warehouse, day), (snapshot, *snapshots))


@dataclass(frozen=True)
class DayVectors:
    """Every user and every item of a day as a model sees them when the day's rows become available.

    Args:
        users: Vectors [U, D], in the order of the features.
        items: Holds the items' vectors, in the order of the catalogue.
    """

    users: Tensor
    items: Retrieval
    version: Version
    at: datetime

    @classmethod
    def of(
        cls, inputs: RetrievalInputs, stored: StoredModel, version: Version, settings: Settings, day: date
    ) -> "DayVectors":
        at = available_at(day, settings.platform.time_zone, settings.platform.publish_delay_minutes)
        device = choose_device(settings.two_tower.device)
        stored.model.to(device)
        items = inputs.catalogue.batch(stored.vocabularies, int(at.timestamp() * 1_000_000))
        retrieval = Retrieval(stored.model, ItemBatch(*(rows.to(device) for rows in items)))
        histories = user_rows(inputs.features, stored.vocabularies, stored.history_length)
        users = torch.from_numpy(stored.vocabularies.users.rows(inputs.features[c.USER_ID].to_numpy())).to(device)
        vectors = retrieval.user_vectors(UserBatch(*(rows.to(device) for rows in histories)), users)
        return cls(vectors, retrieval, version, at)


def candidate_rows(inputs: RetrievalInputs, vectors: DayVectors, count: int) -> pa.Table:
    """The `count` best contents, and where anybody broadcasts the best streamers, of every user."""
    catalogue = inputs.catalogue
    groups = [~catalogue.is_streamer & catalogue.is_public]
    if inputs.has_live:
        groups.append(catalogue.is_streamer & catalogue.is_public)
    parts = []
    for group in groups:
        allowed = torch.from_numpy(np.flatnonzero(group)).to(vectors.users.device)
        best = vectors.items.best(vectors.users, allowed, count)
        parts.append(_rows(best, inputs.features[c.USER_ID].to_numpy(), catalogue, vectors.version, vectors.at))
    return pa.concat_tables(parts)


def vector_rows(inputs: RetrievalInputs, vectors: DayVectors) -> pa.Table:
    """The users' vectors as rows of `user_vector_v1`: what the online path scores new contents against."""
    count, dim = vectors.users.shape
    values = pa.array(vectors.users.reshape(-1).cpu().numpy())
    columns = {
        c.USER_ID: inputs.features[c.USER_ID],
        c.VECTOR: pa.ListArray.from_arrays(pa.array(np.arange(count + 1, dtype=np.int32) * dim), values),
        c.MODEL_NAME: pa.repeat(vectors.version.name, count),
        c.MODEL_VERSION: pa.repeat(vectors.version.version, count),
        c.AVAILABLE_AT: pa.repeat(pa.scalar(vectors.at, TIMESTAMP), count),
    }
    return pa.table(columns).select(USER_VECTOR.column_names)


def _rows(best: TopK, user_ids: IntArray, catalogue: Catalogue, version: Version, at: datetime) -> pa.Table:
    count = best.index.shape[1]
    index = best.index.reshape(-1).cpu().numpy()
    # [U * K]
    columns = {
        c.USER_ID: np.repeat(user_ids, count),
        c.ITEM_KIND: _repeated_words(catalogue.kind[index].astype(np.int8), [str(kind) for kind in KINDS]),
        c.ITEM_ID: catalogue.item_id[index],
        c.STREAMER_ID: catalogue.streamer_id[index],
        c.RANK: np.tile(np.arange(1, count + 1, dtype=np.int32), len(user_ids)),
        c.SCORE: best.score.reshape(-1).cpu().numpy().astype(np.float64),
        c.MODEL_NAME: _repeated_words(np.zeros(len(index), dtype=np.int8), [version.name]),
        c.MODEL_VERSION: _repeated_words(np.zeros(len(index), dtype=np.int8), [version.version]),
        c.AVAILABLE_AT: pa.repeat(pa.scalar(at, TIMESTAMP), len(index)),
    }
    return pa.table(columns).select(RETRIEVED_CANDIDATE.column_names)


def _repeated_words(codes: npt.NDArray[np.int8], words: list[str]) -> pa.Array:
    """Words by code, without a Python string per row."""
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(words)).cast(pa.string())
