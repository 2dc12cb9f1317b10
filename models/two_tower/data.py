"""From Arrow inputs to `TrainingData`: rows of embedding tables, in flat tensors.

Letters: E examples, R feature rows, H history length.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch

from contracts import columns as c
from contracts.names import ContentKind
from contracts.settings import TwoTowerSettings
from models.two_tower.batches import Broadcasts, Examples, TrainingData
from models.two_tower.catalogue import Catalogue, broadcast_of, microseconds
from models.two_tower.features import NO_TIME, NUMERIC_FEATURES, SEGMENTS, age_buckets, numeric_features
from models.two_tower.inputs import USER_FEATURES, TrainingInputs
from models.two_tower.towers import UserBatch
from models.two_tower.vocabulary import IntArray, Vocabularies, Vocabulary

UNTIMED = -1
"""The day of an earlier view."""
_MICROSECONDS = 1_000_000
_SKIPPED_WITHIN = 3_600
"""Seconds between a watch and what was shown beside it."""


@dataclass(frozen=True)
class _Flat:
    """Examples as numpy columns, [E] each."""

    user_id: IntArray
    item: IntArray
    features: IntArray
    event_us: IntArray
    weight: npt.NDArray[np.float64]
    is_timed: npt.NDArray[np.bool_]
    broadcast: IntArray


def build_vocabularies(inputs: TrainingInputs) -> Vocabularies:
    """Every user, item and category that training can meet."""
    catalogue = inputs.catalogue
    users = [inputs.positives[c.USER_ID].to_numpy()]
    if inputs.earlier is not None:
        users.append(inputs.earlier[c.USER_ID].to_numpy())
    return Vocabularies(
        users=Vocabulary.of(*users),
        contents=Vocabulary.of(catalogue.item_id[~catalogue.is_streamer]),
        streamers=Vocabulary.of(catalogue.item_id[catalogue.is_streamer]),
        categories=Vocabulary.of(catalogue.category[catalogue.category != ""]),
    )


def build_training_data(
    inputs: TrainingInputs, vocabularies: Vocabularies, settings: TwoTowerSettings, time_zone: str
) -> TrainingData:
    """Turn inputs into rows. Earlier views come first and share one feature row per user."""
    catalogue = inputs.catalogue
    histories = user_rows(inputs.features, vocabularies, settings.history_length)
    flat = _log_examples(inputs, settings)
    if inputs.earlier is not None and len(inputs.earlier):
        earlier, earlier_histories = _earlier_examples(inputs.earlier, catalogue, vocabularies, settings)
        earlier.features[:] += len(inputs.features)
        flat = _concatenate([earlier, flat])
        histories = UserBatch(*(torch.cat(pair) for pair in zip(histories, earlier_histories, strict=True)))
    examples = _examples(flat, catalogue, vocabularies, time_zone)
    streamer_ids = np.concatenate([[0], vocabularies.streamers.values])
    streamer_item = vocabularies.streamer_item_rows(streamer_ids)
    streamer_item[0] = 0
    return TrainingData(
        examples=examples,
        histories=histories,
        items=catalogue.batch(vocabularies, at_us=int(flat.event_us.max())),
        is_streamer=torch.from_numpy(catalogue.is_streamer),
        streamer_item=torch.from_numpy(streamer_item),
        broadcasts=_airtimes(inputs),
        published=torch.from_numpy(_seconds(catalogue.published_us)),
        skipped=None if inputs.skipped is None else torch.from_numpy(_skipped(inputs, flat, inputs.skipped)),
    )


def _seconds(times_us: IntArray) -> IntArray:
    """Seconds since 1970, 0 where there is no time."""
    return np.where(times_us == NO_TIME, 0, times_us // _MICROSECONDS)


def _skipped(inputs: TrainingInputs, flat: _Flat, skipped: pa.Table) -> IntArray:
    """The content that each example's user was shown nearest in time and never watched, within an hour; -1 for none and
    for streamers as targets."""
    catalogue = inputs.catalogue
    item = catalogue.index_of(skipped[c.CONTENT_ID].to_numpy(), is_streamer=False)
    user, second = skipped[c.USER_ID].to_numpy(), microseconds(skipped[c.EVENT_TIME]) // _MICROSECONDS
    users = np.unique(np.concatenate([user, flat.user_id]))
    own, of_flat = np.searchsorted(users, user), np.searchsorted(users, flat.user_id)
    watched = np.unique(of_flat * len(catalogue) + flat.item)
    is_used = (item >= 0) & ~np.isin(own * len(catalogue) + item, watched)
    item, own, second = item[is_used], own[is_used], second[is_used]
    if len(item) == 0:
        return np.full(len(flat.item), -1)
    wanted = flat.event_us // _MICROSECONDS
    span = int(max(second.max(), wanted.max())) + 2 * _SKIPPED_WITHIN
    key = own * span + second
    order = np.argsort(key, kind="stable")
    key, item = key[order], item[order]
    asked = of_flat * span + wanted
    after = np.searchsorted(key, asked).clip(max=len(key) - 1)
    before = (after - 1).clip(min=0)
    nearest = np.where(np.abs(key[after] - asked) < np.abs(asked - key[before]), after, before)
    is_near = (np.abs(key[nearest] - asked) <= _SKIPPED_WITHIN) & flat.is_timed & ~catalogue.is_streamer[flat.item]
    return np.where(is_near, item[nearest], -1)


def _airtimes(inputs: TrainingInputs) -> Broadcasts:
    """In the order of their ids; one without an end is still on."""
    rows = inputs.broadcasts
    end = microseconds(rows[c.ENDED_AT])
    return Broadcasts(
        item=torch.from_numpy(inputs.catalogue.index_of(rows[c.STREAMER_ID].to_numpy(), is_streamer=True)),
        begin=torch.from_numpy(microseconds(rows[c.STARTED_AT]) // _MICROSECONDS),
        end=torch.from_numpy(np.where(end == NO_TIME, np.iinfo(np.int64).max, end // _MICROSECONDS)),
    )


def user_rows(features: pa.Table, vocabularies: Vocabularies, length: int) -> UserBatch:
    """Feature rows as table rows; `user` is left 0."""
    contents = padded(features[c.RECENT_CONTENT_IDS], vocabularies.contents, length)
    streamers = padded(features[c.RECENT_STREAMER_IDS], vocabularies.streamers, length)
    preferred = padded(features[c.PREFERRED_STREAMER_IDS], vocabularies.streamers, length)
    segment = pc.fill_null(pc.index_in(features[c.SEGMENT], pa.array([str(name) for name in SEGMENTS])), -1)
    numeric = np.stack([_floats(features[name]) for name in NUMERIC_FEATURES], axis=1)
    return UserBatch(
        user=torch.zeros(len(features), dtype=torch.int64),
        contents=torch.from_numpy(contents),
        streamers=torch.from_numpy(streamers),
        preferred=torch.from_numpy(preferred),
        segment=torch.from_numpy(segment.to_numpy().astype(np.int64) + 1),
        numeric=torch.from_numpy(numeric_features(numeric)),
    )


def padded(lists: pa.ChunkedArray, vocabulary: Vocabulary, length: int) -> IntArray:
    """The first `length` entries of each list as rows, 0 after them: [R, length]."""
    together = lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists
    sizes = np.asarray(pc.fill_null(pc.list_value_length(together), 0)).astype(np.int64)
    values = np.asarray(pc.list_flatten(together)).astype(np.int64)
    return padded_runs(vocabulary.rows(values), sizes, length)


def padded_runs(values: IntArray, sizes: IntArray, length: int) -> IntArray:
    """Consecutive runs of `values` as the rows of a matrix, cut or filled with 0 to `length`."""
    matrix = np.zeros((len(sizes), length), dtype=np.int64)
    place = np.arange(len(values)) - np.repeat(sizes.cumsum() - sizes, sizes)
    row = np.repeat(np.arange(len(sizes)), sizes)
    kept = place < length
    matrix[row[kept], place[kept]] = values[kept]
    return matrix


def _log_examples(inputs: TrainingInputs, settings: TwoTowerSettings) -> _Flat:
    """A live watch speaks for its streamer; a VOD or clip for itself and, less, for its streamer."""
    rows = inputs.positives
    is_live = np.asarray(pc.equal(rows[c.CONTENT_KIND], ContentKind.LIVE).to_numpy())
    weight = rows[c.WEIGHT].to_numpy()
    item = inputs.catalogue.index_of(rows[c.CONTENT_ID].to_numpy(), is_streamer=False)
    owner = inputs.catalogue.index_of(rows[c.STREAMER_ID].to_numpy(), is_streamer=True)
    streamer_weight = np.where(is_live, 1.0, settings.streamer_weight) * weight * inputs.has_live
    contents = _flat(inputs, ~is_live, item, weight)
    streamers = _flat(inputs, streamer_weight > 0, owner, streamer_weight)
    streamers.broadcast[:] = _broadcast_of(inputs, is_live)[(streamer_weight > 0) & (owner >= 0)]
    return _concatenate([contents, streamers])


def _broadcast_of(inputs: TrainingInputs, is_live: npt.NDArray[np.bool_]) -> IntArray:
    """Index of the broadcast of each positive, -1 where it is no live watch, or not one within a known broadcast."""
    rows, ids = inputs.positives, inputs.broadcasts[c.BROADCAST_ID].to_numpy()
    airtimes, second = _airtimes(inputs), microseconds(rows[c.EVENT_TIME]) // _MICROSECONDS
    place = broadcast_of(rows[c.CONTENT_ID].to_numpy(), second, ids, airtimes.begin.numpy(), airtimes.end.numpy())
    has_owner = np.append(airtimes.item.numpy() >= 0, False)[place]
    return np.where(is_live & has_owner, place, -1)


def _flat(
    inputs: TrainingInputs, wanted: npt.NDArray[np.bool_], item: IntArray, weight: npt.NDArray[np.float64]
) -> _Flat:
    wanted = wanted & (item >= 0)
    rows = inputs.positives
    return _Flat(
        user_id=rows[c.USER_ID].to_numpy()[wanted],
        item=item[wanted],
        features=inputs.feature_row[wanted].astype(np.int64),
        event_us=microseconds(rows[c.EVENT_TIME])[wanted],
        weight=weight[wanted],
        is_timed=np.ones(int(wanted.sum()), dtype=np.bool_),
        broadcast=np.full(int(wanted.sum()), -1),
    )


def _earlier_examples(
    earlier: pa.Table, catalogue: Catalogue, vocabularies: Vocabularies, settings: TwoTowerSettings
) -> tuple[_Flat, UserBatch]:
    """Each untimed view as a target whose history is all the user's other ones (batches leave the target out)."""
    rows = earlier.sort_by([(c.USER_ID, "ascending"), (c.POSITION, "descending")])
    user_id, content = rows[c.USER_ID].to_numpy(), rows[c.CONTENT_ID].to_numpy()
    _, row, sizes = np.unique(user_id, return_inverse=True, return_counts=True)
    contents = padded_runs(vocabularies.contents.rows(content), sizes, settings.history_length)
    item = catalogue.index_of(content, is_streamer=False)
    is_plain = ~_valued(rows)
    weight = np.where(is_plain, settings.earlier_plain_weight, settings.earlier_weight)
    wanted = (item >= 0) & (weight > 0)
    count = int(wanted.sum())
    flat = _Flat(
        user_id=user_id[wanted],
        item=item[wanted],
        features=row[wanted],
        event_us=np.zeros(count, np.int64),
        weight=weight[wanted],
        is_timed=np.zeros(count, np.bool_),
        broadcast=np.full(count, -1),
    )
    unknown = user_rows(_no_features(len(sizes)), vocabularies, settings.history_length)
    return flat, unknown._replace(contents=torch.from_numpy(contents))


def _valued(earlier: pa.Table) -> npt.NDArray[np.bool_]:
    """The log's verdict; what it says nothing of is taken as valued."""
    return np.asarray(pc.fill_null(earlier[c.LOGGED_VALUED], fill_value=True).to_numpy())


def _no_features(count: int) -> pa.Table:
    types = {c.SEGMENT: pa.string(), **dict.fromkeys(NUMERIC_FEATURES, pa.float64())}
    return pa.table({name: pa.nulls(count, types.get(name, pa.list_(pa.int64()))) for name in USER_FEATURES})


def _examples(flat: _Flat, catalogue: Catalogue, vocabularies: Vocabularies, time_zone: str) -> Examples:
    """Flat columns as tensors; the age of an untimed example is unknown."""
    ages = np.where(flat.is_timed, age_buckets(catalogue.published_us[flat.item], flat.event_us), 0)
    days = np.where(flat.is_timed, platform_days(flat.event_us, time_zone), UNTIMED)
    return Examples(
        user=torch.from_numpy(vocabularies.users.rows(flat.user_id)),
        item=torch.from_numpy(flat.item),
        features=torch.from_numpy(flat.features),
        age=torch.from_numpy(ages.astype(np.int64)),
        weight=torch.from_numpy(flat.weight.astype(np.float32)),
        day=torch.from_numpy(days.astype(np.int64)),
        second=torch.from_numpy(flat.event_us // _MICROSECONDS),
        broadcast=torch.from_numpy(flat.broadcast),
    )


def platform_days(event_us: IntArray, time_zone: str) -> IntArray:
    """Days since 1970 in the platform's time zone."""
    times = pa.array(event_us, pa.timestamp("us", tz="UTC")).cast(pa.timestamp("us", tz=time_zone))
    return np.asarray(pc.local_timestamp(times).cast(pa.date32()).cast(pa.int32())).astype(np.int64)


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - date(1970, 1, 1)).days


def _concatenate(parts: list[_Flat]) -> _Flat:
    return _Flat(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Flat.__dataclass_fields__))


def _floats(values: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return np.asarray(pc.fill_null(values.cast(pa.float64()), 0.0).to_numpy())
