"""The two-tower model on users and items of which little more than their pairs is known.

Letters: U users, I items, P pairs, H history length.
"""

import numpy as np
import torch
from torch import Tensor

from contracts.settings import TwoTowerSettings
from models.linear.interactions import Floats, Ids
from models.protocols.ranking import Scores
from models.two_tower.batches import Broadcasts, Examples, TrainingData
from models.two_tower.config import TableSizes
from models.two_tower.data import padded_runs
from models.two_tower.features import NUMERIC_FEATURES
from models.two_tower.retrieve import Retrieval
from models.two_tower.towers import ItemBatch, UserBatch
from models.two_tower.train import TrainTask, choose_device, fresh_model

_DAY = 0


def histories(user: Ids, item: Ids, users: int, length: int) -> Ids:
    """Item rows of each user's first pairs, 0 behind the last one.

    Args:
        user, item: Indices, by user and then as the history is to be, [P].

    Returns:
        [U, at most `length`]
    """
    counts = np.bincount(user, minlength=users)
    return padded_runs(item + 1, counts, min(length, int(counts.max(initial=1))))


def plain_data(pairs: tuple[Ids, Ids, Floats], contents: Ids, items: int) -> TrainingData:
    """Every pair as an example with its user's whole history: batches leave the target out.

    Args:
        pairs: User, item and weight, [P] each.
        contents: As `histories` makes them, [U, H].
        items: How many there are; of none anything but its id is known.
    """
    user, item, weight = pairs
    users, nothing = len(contents), torch.zeros(items, dtype=torch.int64)
    untold = torch.zeros(len(user), dtype=torch.int64)
    return TrainingData(
        examples=Examples(
            user=torch.from_numpy(user + 1),
            item=torch.from_numpy(item),
            features=torch.from_numpy(user),
            age=untold,
            weight=torch.from_numpy(np.asarray(weight, dtype=np.float32)),
            day=untold + _DAY,
            second=untold,
            broadcast=untold - 1,
        ),
        histories=UserBatch(
            user=torch.arange(1, users + 1),
            contents=torch.from_numpy(contents),
            streamers=torch.zeros(users, 1, dtype=torch.int64),
            preferred=torch.zeros(users, 1, dtype=torch.int64),
            segment=torch.zeros(users, dtype=torch.int64),
            numeric=torch.zeros(users, len(NUMERIC_FEATURES)),
        ),
        items=ItemBatch(torch.arange(1, items + 1), *[nothing] * (len(ItemBatch._fields) - 1)),
        is_streamer=torch.zeros(items, dtype=torch.bool),
        streamer_item=torch.zeros(1, dtype=torch.int64),
        broadcasts=Broadcasts.none(),
    )


def two_tower(data: TrainingData, settings: TwoTowerSettings, categories: int = 1) -> Scores:
    """Train on all examples; from users to their scores of all items, [U, I]."""
    users, items = len(data.histories.user), len(data.is_streamer)
    sizes = TableSizes(users=users + 1, items=items + 1, streamers=1, categories=categories)
    device = choose_device(settings.device)
    task = TrainTask(fresh_model(settings, sizes), data, settings, _DAY + 1, device)
    task.run(checkpoint=None)
    retrieval = Retrieval(task.model, task.data.items)
    vectors = retrieval.user_vectors(task.data.histories, task.data.histories.user)

    def scores(asked: Ids) -> Tensor:
        return (vectors[torch.from_numpy(asked).to(device)] @ retrieval.vectors.T).cpu()

    return scores
