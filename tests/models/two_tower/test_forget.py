"""Erased users leave the models that were trained before."""

import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from typer.testing import CliRunner

from contracts.erasure import mark_erased
from contracts.names import ALIAS_CHAMPION, MODEL_TWO_TOWER
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from models.__main__ import app
from models.two_tower.forget import forget
from models.two_tower.register import load_registered, open_client, register, started_run
from models.two_tower.storage import StoredModel
from models.two_tower.train import fresh_model
from models.two_tower.vocabulary import Vocabularies, Vocabulary
from tests.models.two_tower.worlds import NOW, SMALL

USERS = [-9, 4, 7_000_001, 7_000_002]
GONE = 7_000_001


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, two_tower=SMALL)


@pytest.fixture
def client(settings: Settings) -> MlflowClient:
    """Two registered models, the second without user 4; a run that failed before it had one."""
    client = open_client(settings)
    for users in (USERS, [user for user in USERS if user != 4]):
        with started_run(client, settings, "day") as log:
            register(log, model_of(settings, users), {})
    with pytest.raises(KeyError), started_run(client, settings, "failed"):
        raise KeyError
    return client


def model_of(settings: Settings, users: list[int]) -> StoredModel:
    ids = np.array([1, 2])
    others = (Vocabulary.of(ids), Vocabulary.of(ids), Vocabulary.of(np.array(["chess"])))
    vocabularies = Vocabularies(Vocabulary.of(np.array(users)), *others)
    return StoredModel(fresh_model(settings.two_tower, vocabularies.sizes), vocabularies, 10)


def erase(settings: Settings, *users: int, days: int = 0) -> None:
    for user in users:
        at = NOW + timedelta(days=days)
        mark_erased(Warehouse(settings.warehouse_path), user, at.date(), at)


def champion(client: MlflowClient) -> StoredModel:
    return load_registered(client, ALIAS_CHAMPION)[0]


def files(client: MlflowClient, version: str) -> list[Path]:
    uri = client.get_model_version_download_uri(MODEL_TWO_TOWER, version)
    return sorted(Path(download_artifacts(artifact_uri=uri, tracking_uri=client.tracking_uri)).iterdir())


def test_id_and_embedding_of_an_erased_user_are_in_no_model(settings: Settings, client: MlflowClient) -> None:
    before = champion(client)
    row = int(before.vocabularies.users.rows(np.array([GONE]))[0])
    erase(settings, GONE)
    assert len(forget(settings)) == 2
    after = champion(client)
    assert after.vocabularies.users.rows(np.array([*USERS, 5])).tolist() == [1, 2, 0, 4, 0]
    assert GONE not in after.vocabularies.users.values
    assert not after.model.users.user.weight[row].any()
    kept = [place for place in range(len(USERS) + 1) if place != row]
    assert after.model.users.user.weight[kept].equal(before.model.users.user.weight[kept])
    packed = GONE.to_bytes(8, "little")
    assert not [path for version in "12" for path in files(client, version) if packed in path.read_bytes()]


def test_a_model_that_has_forgotten_is_left_alone_until_somebody_else_is_erased(
    settings: Settings, client: MlflowClient
) -> None:
    assert forget(settings) == []
    erase(settings, GONE)
    assert len(forget(settings)) == 2
    assert forget(settings) == []
    erase(settings, 4, days=1)
    assert len(forget(settings)) == 1
    assert champion(client).vocabularies.users.rows(np.array(USERS)).tolist() == [1, 0, 0, 4]


def test_a_deleted_run_forgets_too(settings: Settings, client: MlflowClient) -> None:
    run_id = client.get_model_version(MODEL_TWO_TOWER, "2").run_id
    client.delete_run(run_id)
    erase(settings, GONE)
    assert run_id in forget(settings)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"


@pytest.mark.parametrize(
    ("erased", "rows"),
    [
        ([1], [0, 2, 3]),
        ([2], [1, 0, 3]),
        ([3], [1, 2, 0]),
        ([1, 2], [0, 0, 3]),
        ([1, 2, 3], [0, 0, 0]),
        ([9], [1, 2, 3]),
    ],
)
def test_whoever_stays_in_a_vocabulary_keeps_their_row(erased: list[int], rows: list[int]) -> None:
    left = Vocabulary.of(np.array([1, 2, 3])).without(np.array(erased))
    assert left.rows(np.array([1, 2, 3])).tolist() == rows
    assert left.size == 4


def test_checkpoints_from_before_an_erasure_are_deleted(settings: Settings) -> None:
    folder = settings.home / "checkpoints" / "two_tower"
    folder.mkdir(parents=True)
    for name, days in (("before", -1), ("after", 1)):
        (folder / f"{name}.pt").touch()
        at = (NOW + timedelta(days=days)).timestamp()
        os.utime(folder / f"{name}.pt", (at, at))
    erase(settings, GONE)
    forget(settings)
    assert [path.stem for path in folder.iterdir()] == ["after"]


def test_the_command_says_how_many_models_it_changed(
    settings: Settings, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMREC_HOME", str(settings.home))
    erase(settings, GONE)
    ran = CliRunner().invoke(app, ["forget"])
    assert ran.stdout.endswith("2 models held an erased user and do no more\n")
