"""Runs and the registry in MLflow: what was tried, from which snapshots, and which version is the champion."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from contracts.errors import ModelNotFoundError
from contracts.names import ALIAS_CHALLENGER, ALIAS_CHAMPION, EXPERIMENT_TWO_TOWER, MODEL_TWO_TOWER
from contracts.settings import Settings
from models.two_tower.export import export_items
from models.two_tower.storage import StoredModel
from models.two_tower.train import Curves

ARTIFACT: Final = "model"
_FLAVOR: Final = "streamrec_two_tower"


@dataclass(frozen=True)
class Version:
    """One registered version."""

    name: str
    version: str
    run_id: str


def open_client(settings: Settings) -> MlflowClient:
    """The client of the settings' tracking server; the embedded one's folder is made first."""
    if settings.mlflow.tracking_uri is None:
        settings.mlflow_artifacts_path.mkdir(parents=True, exist_ok=True)
    return MlflowClient(tracking_uri=settings.mlflow_tracking_uri, registry_uri=settings.mlflow_tracking_uri)


@dataclass(frozen=True)
class RunLog:
    """One MLflow run of the experiment."""

    client: MlflowClient
    run_id: str

    def parameters(self, values: dict[str, object]) -> None:
        self.client.log_batch(self.run_id, params=[Param(name, str(value)) for name, value in values.items()])

    def tags(self, values: dict[str, str]) -> None:
        self.client.log_batch(self.run_id, tags=[RunTag(name, value) for name, value in values.items()])

    def curves(self, curves: Curves, now: datetime) -> None:
        """Every metric with a step per epoch."""
        stamp = int(now.timestamp() * 1_000)
        points = [
            Metric(name, value, stamp, step) for name, values in curves.items() for step, value in enumerate(values)
        ]
        self.client.log_batch(self.run_id, metrics=points)

    def record(self, values: dict[str, object], file: str) -> None:
        """A JSON artifact: settings, snapshot ids."""
        self.client.log_dict(self.run_id, values, file)


@contextmanager
def started_run(client: MlflowClient, settings: Settings, name: str) -> Iterator[RunLog]:
    """A run that ends FINISHED, or FAILED when the block raises."""
    run = client.create_run(_experiment_id(client, settings), run_name=name)
    log = RunLog(client, run.info.run_id)
    try:
        yield log
    except BaseException:
        client.set_terminated(log.run_id, "FAILED")
        raise
    client.set_terminated(log.run_id, "FINISHED")


def register(log: RunLog, stored: StoredModel, tags: dict[str, str]) -> Version:
    """Store the model with its run, register a version, make it challenger, and champion if there is none."""
    client = log.client
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / ARTIFACT
        stored.save(folder)
        export_items(stored, folder)
        description = Model(artifact_path=ARTIFACT, run_id=log.run_id)
        description.add_flavor(_FLAVOR, format_version=1)
        description.save(str(folder / "MLmodel"))
        client.log_artifacts(log.run_id, str(folder), ARTIFACT)
    source = f"{client.get_run(log.run_id).info.artifact_uri}/{ARTIFACT}"
    _create_registered_model(client)
    made = client.create_model_version(MODEL_TWO_TOWER, source, log.run_id, tags=tags)
    client.set_registered_model_alias(MODEL_TWO_TOWER, ALIAS_CHALLENGER, made.version)
    if _by_alias(client, ALIAS_CHAMPION) is None:
        client.set_registered_model_alias(MODEL_TWO_TOWER, ALIAS_CHAMPION, made.version)
    return Version(MODEL_TWO_TOWER, str(made.version), log.run_id)


def load_registered(client: MlflowClient, alias: str) -> tuple[StoredModel, Version]:
    """The model behind an alias.

    Raises:
        ModelNotFoundError: nobody has trained one, or no version has the alias.
    """
    from mlflow.artifacts import download_artifacts  # noqa: PLC0415  keeps import of this module light

    found = _by_alias(client, alias)
    if found is None:
        raise ModelNotFoundError(
            f"no version of {MODEL_TWO_TOWER} has the alias {alias}; run first: python -m models train --date DAY"
        )
    with tempfile.TemporaryDirectory() as scratch:
        uri = client.get_model_version_download_uri(found.name, found.version)
        folder = download_artifacts(artifact_uri=uri, dst_path=scratch, tracking_uri=client.tracking_uri)
        return StoredModel.load(Path(folder)), found


def _by_alias(client: MlflowClient, alias: str) -> Version | None:
    try:
        found = client.get_model_version_by_alias(MODEL_TWO_TOWER, alias)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise
    return Version(found.name, str(found.version), found.run_id)


def _create_registered_model(client: MlflowClient) -> None:
    try:
        client.create_registered_model(MODEL_TWO_TOWER)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _experiment_id(client: MlflowClient, settings: Settings) -> str:
    """The experiment's id; the embedded tracking store keeps artifacts in a folder beside it."""
    found = client.get_experiment_by_name(EXPERIMENT_TWO_TOWER)
    if found is not None:
        return str(found.experiment_id)
    location = settings.mlflow_artifacts_path.as_uri() if settings.mlflow.tracking_uri is None else None
    try:
        return str(client.create_experiment(EXPERIMENT_TWO_TOWER, artifact_location=location))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return _experiment_id(client, settings)
