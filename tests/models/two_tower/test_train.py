import math
from pathlib import Path

import pytest
import torch

from contracts.settings import TwoTowerSettings
from models.two_tower.batches import TrainingData
from models.two_tower.data import build_training_data, build_vocabularies, day_number
from models.two_tower.evaluate import measure_last_day
from models.two_tower.inputs import read_training_inputs
from models.two_tower.retrieve import Retrieval
from models.two_tower.towers import TwoTower, UserBatch
from models.two_tower.train import TrainTask, fresh_model
from models.two_tower.vocabulary import Vocabularies
from tests.models.two_tower.worlds import DAY, SMALL, World

LAST_DAY = day_number(DAY)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def prepared(world: World) -> tuple[TrainingData, Vocabularies]:
    inputs = read_training_inputs(world.settings, DAY, world.read_features)
    vocabularies = build_vocabularies(inputs)
    return build_training_data(inputs, vocabularies, SMALL, "UTC"), vocabularies


def task_of(prepared: tuple[TrainingData, Vocabularies], **changes: object) -> TrainTask:
    data, vocabularies = prepared
    settings = TwoTowerSettings(**{**SMALL.model_dump(), "epochs": 2, **changes})
    return TrainTask(fresh_model(settings, vocabularies.sizes), data, settings, LAST_DAY, CPU)


def weights(model: TwoTower) -> torch.Tensor:
    return torch.cat([value.reshape(-1) for value in model.state_dict().values()])


def test_the_same_seed_gives_the_same_model(prepared: tuple[TrainingData, Vocabularies]) -> None:
    runs = [task_of(prepared) for _ in range(2)]
    for run in runs:
        torch.rand(3)  # what the rest of the process draws must not matter
        run.run(checkpoint=None)
    assert torch.equal(weights(runs[0].model), weights(runs[1].model))


def test_another_seed_gives_another_model(prepared: tuple[TrainingData, Vocabularies]) -> None:
    one, other = task_of(prepared), task_of(prepared, seed=1)
    assert not torch.equal(weights(one.model), weights(other.model))


@pytest.mark.parametrize(
    "changes",
    [
        {"log_q": "counts"},
        {"log_q": "streaming"},
        {"log_q": "off"},
        {"uniform_negatives": 16, "learns_temperature": True, "pooling": "attention"},
    ],
    ids=["counted frequencies", "streamed frequencies", "no frequencies", "all that draws or is learnt beside"],
)
def test_a_resumed_run_equals_the_unbroken_one(
    prepared: tuple[TrainingData, Vocabularies], tmp_path: Path, changes: dict[str, object]
) -> None:
    """Equal to the bit on one CPU; the tolerance leaves room for another order of additions elsewhere."""
    unbroken = task_of(prepared, **changes)
    unbroken.run(checkpoint=None)
    killed = task_of(prepared, **changes)

    def die_in_the_second_epoch(model: TwoTower) -> dict[str, float]:
        if killed.epoch == 1:
            raise KeyboardInterrupt
        return {}

    with pytest.raises(KeyboardInterrupt):
        killed.run(tmp_path / "state.pt", die_in_the_second_epoch)
    resumed = task_of(prepared, **changes)
    resumed.run(tmp_path / "state.pt")
    assert torch.allclose(weights(resumed.model), weights(unbroken.model), atol=1e-6)
    for name, curve in unbroken.curves.items():
        assert resumed.curves[name] == pytest.approx(curve)


def test_a_learned_temperature_moves_and_the_set_one_does_not(prepared: tuple[TrainingData, Vocabularies]) -> None:
    learned, still = task_of(prepared, learns_temperature=True, dense_learning_rate=0.05), task_of(prepared)
    assert learned.run(checkpoint=None)["temperature"][-1] != pytest.approx(0.1, rel=0.05)
    assert "temperature" not in still.run(checkpoint=None)
    assert float(still.temperature) == pytest.approx(0.1)


def test_the_last_day_is_learnt_in_the_final_epochs_only(prepared: tuple[TrainingData, Vocabularies]) -> None:
    task = task_of(prepared)
    days = task.data.examples.day
    assert (days[task.rows_of_epoch(0)] < LAST_DAY).all()
    assert (days[task.rows_of_epoch(2)] == LAST_DAY).any()


def test_the_planted_tastes_are_found_before_popularity_would(prepared: tuple[TrainingData, Vocabularies]) -> None:
    """Half of what is popular belongs to the other taste: a list of popular contents has half of this NDCG."""
    data, _ = prepared
    task = task_of(prepared, epochs=4)
    measured = task.run(None, measure_last_day(data, LAST_DAY, 1.0))
    untrained = measure_last_day(data, LAST_DAY, 1.0)(task_of(prepared).model)
    assert measured["content_ndcg_at_20"][-1] > 1.3 * popularity_ndcg(data)
    assert measured["content_ndcg_at_20"][-1] > 1.3 * untrained["content_ndcg_at_20"]
    assert measured["streamer_ndcg_at_20"][-1] > 1.1 * untrained["streamer_ndcg_at_20"]


def test_returns_and_discoveries_are_measured_apart(prepared: tuple[TrainingData, Vocabularies]) -> None:
    """Against a ranking user by user."""
    data, _ = prepared
    model = task_of(prepared).model
    measured = measure_last_day(data, LAST_DAY, 1.0)(model)
    assert "content_return_ndcg_at_20" not in measured
    rows = (data.examples.day == LAST_DAY) & (data.examples.weight >= 1.0) & data.is_streamer[data.examples.item]
    retrieval, offset = Retrieval(model, data.items), int((~data.is_streamer).sum())
    gains: dict[str, list[float]] = {"": [], "return_": [], "discovery_": []}
    for user in data.examples.user[rows].unique():
        own = torch.nonzero(rows & (data.examples.user == user))[:, 0]
        histories = UserBatch(*(values[data.examples.features[own[:1]]] for values in data.histories))
        scores = retrieval.user_vectors(histories, user[None])[0] @ retrieval.vectors[offset:].T
        known = {int(row) - 1 for row in torch.cat([histories.streamers[0], histories.preferred[0]]) if row}
        relevant = {int(item) - offset for item in data.examples.item[own]}
        order = scores.argsort(descending=True).tolist()
        for group, wanted in (("", relevant), ("return_", relevant & known), ("discovery_", relevant - known)):
            gain = sum(1 / math.log2(2 + place) for place, item in enumerate(order) if item in wanted)
            ideal = sum(1 / math.log2(2 + place) for place in range(len(wanted)))
            gains[group] += [gain / ideal] if wanted else []
    for group, values in gains.items():
        assert len(values) > 3
        assert measured[f"streamer_{group}ndcg_at_20"] == pytest.approx(sum(values) / len(values), rel=1e-5)


def popularity_ndcg(data: TrainingData) -> float:
    """The same measure of one list for everybody: the most watched contents of the days before."""
    early = data.examples.day < LAST_DAY
    counts = torch.bincount(data.examples.item[early], minlength=len(data.is_streamer)).float()

    class Popular(torch.nn.Module):
        def users(self, batch: object) -> torch.Tensor:
            return torch.ones(len(batch.user), 1)  # type: ignore[attr-defined]

        def items(self, batch: object) -> torch.Tensor:
            return counts[:, None]

    return measure_last_day(data, LAST_DAY, 1.0)(Popular())["content_ndcg_at_20"]  # type: ignore[arg-type]


def test_every_example_of_the_log_is_a_content_and_live_ones_are_streamers(
    prepared: tuple[TrainingData, Vocabularies],
) -> None:
    data, _ = prepared
    streamers = data.is_streamer[data.examples.item]
    watches = 4 * 40 * 6
    assert int((~streamers).sum()) == watches
    assert int((data.examples.weight[streamers] == SMALL.valued_weight + SMALL.click_weight).sum()) == 4 * 40
    assert int(streamers.sum()) == 4 * 40 + watches
