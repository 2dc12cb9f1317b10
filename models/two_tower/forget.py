"""Erased users leave every stored model: the id its vocabulary, what was learnt of it the table of users."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import torch
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import LifecycleStage, Run, ViewType

from contracts.erasure import erased_users
from contracts.names import EXPERIMENT_TWO_TOWER
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from models.two_tower.register import ARTIFACT, open_client
from models.two_tower.storage import StoredModel
from models.two_tower.vocabulary import UNKNOWN, IntArray

_FORGOTTEN: Final = "forgotten_until"
"""Tag of a run: who was erased until then is not in its model."""


def forget(settings: Settings) -> list[str]:
    """Take erased users out of the models of all runs, champions and deleted runs too, and their checkpoints off disk.

    Nobody may load a model meanwhile: its files are replaced one by one. Returns the runs whose model held one.
    """
    erased = erased_users(Warehouse(settings.warehouse_path))
    if not erased:
        return []
    newest = max(erased.values())
    _delete_checkpoints(settings, newest)
    ids, client, changed = np.array(sorted(erased), np.int64), open_client(settings), []
    for run in _runs(client):
        if run.data.tags.get(_FORGOTTEN, "") < newest.isoformat():
            with _active(client, run):
                if _forget_in(client, run.info.run_id, ids):
                    changed.append(run.info.run_id)
                client.set_tag(run.info.run_id, _FORGOTTEN, newest.isoformat())
    return changed


def without_users(stored: StoredModel, ids: IntArray) -> StoredModel | None:
    """The model without what it knows of these users; None where it knows none of them.

    Their places in the tables stay, empty, so that weights and vocabularies fit each other whichever is read first.
    """
    rows = stored.vocabularies.users.rows(ids)
    if not (rows != UNKNOWN).any():
        return None
    with torch.no_grad():
        stored.model.users.user.weight[torch.from_numpy(rows[rows != UNKNOWN])] = 0.0
    return replace(stored, vocabularies=replace(stored.vocabularies, users=stored.vocabularies.users.without(ids)))


def _forget_in(client: MlflowClient, run_id: str, ids: IntArray) -> bool:
    if not client.list_artifacts(run_id, ARTIFACT):
        return False
    with tempfile.TemporaryDirectory() as scratch:
        folder = download_artifacts(
            run_id=run_id, artifact_path=ARTIFACT, dst_path=scratch, tracking_uri=client.tracking_uri
        )
        found = without_users(StoredModel.load(Path(folder)), ids)
        if found is not None:
            found.save(Path(folder))
            client.log_artifacts(run_id, folder, ARTIFACT)
        return found is not None


@contextmanager
def _active(client: MlflowClient, run: Run) -> Iterator[None]:
    """MLflow changes nothing of a deleted run, though its files are there until `mlflow gc`."""
    if run.info.lifecycle_stage != LifecycleStage.DELETED:
        yield
        return
    client.restore_run(run.info.run_id)
    try:
        yield
    finally:
        client.delete_run(run.info.run_id)


def _runs(client: MlflowClient) -> Iterator[Run]:
    experiment = client.get_experiment_by_name(EXPERIMENT_TWO_TOWER)
    token: str | None = None
    while experiment is not None:
        page = client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _delete_checkpoints(settings: Settings, newest: datetime) -> None:
    """Of runs that were killed before somebody was erased: their inputs are no more."""
    for path in (settings.home.resolve() / "checkpoints").rglob("*.pt"):
        if datetime.fromtimestamp(path.stat().st_mtime, UTC) < newest:
            path.unlink()
