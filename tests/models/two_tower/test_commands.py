"""The two commands on a planted platform, with a real MLflow on SQLite."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from typer.testing import CliRunner

from contracts import columns as c
from contracts.clock import available_at
from contracts.errors import ModelNotFoundError
from contracts.names import ALIAS_CHALLENGER, ALIAS_CHAMPION, EXPERIMENT_TWO_TOWER, MODEL_TWO_TOWER, Visibility
from contracts.tables import RETRIEVED_CANDIDATE, USER_FEATURE, USER_VECTOR
from models.__main__ import app
from models.two_tower.candidates import read_retrieval_inputs
from models.two_tower.commands import Trained, retrieve, train
from models.two_tower.register import load_registered, open_client
from tests.models.two_tower.worlds import DAY, NOW, World

PUBLISHED_LATER = 5_001
PRIVATE = 5_003


@dataclass(frozen=True)
class Registered:
    world: World
    trained: Trained
    client: MlflowClient


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Registered:
    world = World(tmp_path_factory.mktemp("registered") / "home")
    world.write_catalogue()
    world.write_log()
    trained = train(world.settings, DAY, world.read_features, NOW)
    return Registered(world, trained, open_client(world.settings))


def test_the_first_version_is_challenger_and_champion(registered: Registered) -> None:
    for alias in (ALIAS_CHALLENGER, ALIAS_CHAMPION):
        assert registered.client.get_model_version_by_alias(MODEL_TWO_TOWER, alias).version == 1


def test_a_run_records_parameters_curves_snapshots_and_code(registered: Registered) -> None:
    client, run_id = registered.client, registered.trained.version.run_id
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["temperature"] == "0.1"
    assert run.data.tags[c.DT] == DAY.isoformat()
    assert run.data.tags["code_version"] not in ("", "unknown")
    epochs = registered.world.two_tower.epochs
    assert len(client.get_metric_history(run_id, "train_loss")) == epochs + 1
    assert len(client.get_metric_history(run_id, "content_ndcg_at_20")) == epochs
    stored = Path(download_artifacts(run_id=run_id, artifact_path="snapshots.json", tracking_uri=client.tracking_uri))
    current = registered.world.warehouse.require(USER_FEATURE, DAY - timedelta(days=1))
    assert json.loads(stored.read_text())[current.reference[0]] == current.snapshot_id
    assert client.get_experiment(run.info.experiment_id).name == EXPERIMENT_TWO_TOWER


def test_the_registered_model_holds_no_pickle_and_scores_as_it_was_trained(registered: Registered) -> None:
    uri = registered.client.get_model_version_download_uri(MODEL_TWO_TOWER, "1")
    folder = Path(download_artifacts(artifact_uri=uri, tracking_uri=registered.client.tracking_uri))
    assert sorted(path.name for path in folder.iterdir()) == [
        "MLmodel",
        "config.json",
        "item_tower.json",
        "item_tower.pt2",
        "vocabularies.npz",
        "weights.npz",
    ]
    assert b"pickle" not in (folder / "MLmodel").read_bytes()
    one, other = (load_registered(registered.client, ALIAS_CHAMPION)[0] for _ in range(2))
    assert one.model.config == other.model.config
    assert one.vocabularies.users.size == registered.world.users + 1


def test_candidates_of_every_user_are_ranked_and_of_their_taste(registered: Registered) -> None:
    world = registered.world
    snapshot, _ = retrieve(world.settings, DAY, ALIAS_CHAMPION, NOW)
    rows = world.warehouse.read(RETRIEVED_CANDIDATE, DAY).to_pandas()
    contents = rows[rows[c.ITEM_KIND] != "streamer"]
    streamers = rows[rows[c.ITEM_KIND] == "streamer"]
    assert snapshot.rows == len(rows) == world.users * (world.two_tower.candidates + world.streamers)
    assert (contents.groupby(c.USER_ID)[c.RANK].apply(list).map(lambda ranks: ranks == list(range(1, 21)))).all()
    assert (contents.sort_values([c.USER_ID, c.RANK]).groupby(c.USER_ID)[c.SCORE].diff().dropna() <= 0).all()
    top = contents[contents[c.RANK] <= 10]
    assert (top[c.ITEM_ID] % 2 == top[c.USER_ID] % 2).mean() > 0.9
    assert (streamers[c.ITEM_ID] == streamers[c.STREAMER_ID]).all()
    assert (rows[c.MODEL_VERSION] == "1").all()


def test_a_users_vector_times_an_items_is_the_score_of_the_list(registered: Registered) -> None:
    """The vectors are written beside the candidates, of the same model; the program says the items' vectors."""
    world = registered.world
    _, written = retrieve(world.settings, DAY, ALIAS_CHAMPION, NOW)
    vectors = world.warehouse.read(USER_VECTOR, DAY)
    assert written.rows == world.users
    assert set(vectors[c.MODEL_VERSION].to_pylist()) == {"1"}
    users = np.stack(vectors[c.VECTOR].to_numpy())
    assert np.allclose(np.linalg.norm(users, axis=1), 1, atol=1e-5)
    stored, _ = load_registered(registered.client, ALIAS_CHAMPION)
    inputs = read_retrieval_inputs(world.settings, DAY)
    at = available_at(DAY, world.settings.platform.time_zone, world.settings.platform.publish_delay_minutes)
    with torch.no_grad():
        items = stored.model.items(inputs.catalogue.batch(stored.vocabularies, int(at.timestamp() * 1e6))).numpy()
    of_first = world.warehouse.read(RETRIEVED_CANDIDATE, DAY).to_pandas()
    of_first = of_first[(of_first[c.USER_ID] == vectors[c.USER_ID][0].as_py()) & (of_first[c.ITEM_KIND] != "streamer")]
    place = inputs.catalogue.index_of(of_first[c.ITEM_ID].to_numpy(), is_streamer=False)
    assert np.allclose(items[place] @ users[0], of_first[c.SCORE], atol=1e-5)


def test_retrieving_again_gives_equal_rows(registered: Registered) -> None:
    world, found = registered.world, []
    for _ in range(2):
        retrieve(world.settings, DAY, ALIAS_CHAMPION, NOW)
        found.append(world.warehouse.read(RETRIEVED_CANDIDATE, DAY))
    assert found[0].equals(found[1])


def test_a_content_published_after_training_is_retrieved_and_a_private_one_never(registered: Registered) -> None:
    """No user has ever seen it; its streamer and category place it among what users of its taste like."""
    world = replace(registered.world)
    fresh = world.content(PUBLISHED_LATER, **{c.PUBLISHED_AT: NOW - timedelta(days=1)})
    hidden = world.content(PRIVATE, **{c.VISIBILITY: Visibility.PRIVATE})
    world.write_catalogue(fresh, hidden)
    retrieve(world.settings, DAY, ALIAS_CHAMPION, NOW)
    rows = world.warehouse.read(RETRIEVED_CANDIDATE, DAY).to_pandas()
    whose = rows[rows[c.ITEM_ID] == PUBLISHED_LATER][c.USER_ID]
    assert (whose % 2 == 1).sum() > 0.5 * world.users / 2
    assert (whose % 2 == 1).mean() > 0.9
    assert PRIVATE not in set(rows[c.ITEM_ID])
    world.write_catalogue()


def test_the_next_model_becomes_challenger_and_leaves_the_champion(registered: Registered) -> None:
    world = registered.world
    quick = replace(world, two_tower=world.two_tower.model_copy(update={"epochs": 1, "final_epochs": 0}))
    second = train(quick.settings, DAY, quick.read_features, NOW)
    assert second.version.version == "2"
    aliases = {
        alias: registered.client.get_model_version_by_alias(MODEL_TWO_TOWER, alias).version
        for alias in (ALIAS_CHALLENGER, ALIAS_CHAMPION)
    }
    assert aliases == {ALIAS_CHALLENGER: 2, ALIAS_CHAMPION: 1}
    assert not list((world.home / "checkpoints").rglob("*.pt"))


def test_an_alias_that_nobody_has_says_what_to_run(registered: Registered) -> None:
    with pytest.raises(ModelNotFoundError, match="python -m models train"):
        retrieve(registered.world.settings, DAY, "nobody", NOW)


def test_the_command_prints_what_it_wrote(registered: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    home = registered.world.home
    monkeypatch.setenv("STREAMREC_HOME", str(home))
    ran = CliRunner().invoke(app, ["retrieve", "--date", DAY.isoformat()])
    assert ran.exit_code == 0
    assert "rows of retrieved_candidate_v1 for 2026-01-10" in ran.stdout
    assert "wrote 40 rows of user_vector_v1 for 2026-01-10" in ran.stdout
