"""Item towers out of the MLflow registry."""

import tempfile
from pathlib import Path

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.exceptions import MlflowException

from contracts.errors import ItemTowerError, ModelNotFoundError
from contracts.item_tower import PROGRAM_FILE, SPEC_FILE, VOCABULARY_FILE
from contracts.names import ALIAS_CHAMPION, MODEL_TWO_TOWER
from contracts.settings import Settings
from serving.fresh.program import ItemProgram


class RegisteredTowers:
    """Loads the item tower of a version of the registered model."""

    def __init__(self, settings: Settings) -> None:
        uri = settings.mlflow_tracking_uri
        if settings.mlflow.tracking_uri is None:
            settings.mlflow_artifacts_path.mkdir(parents=True, exist_ok=True)
        self._client = MlflowClient(tracking_uri=uri, registry_uri=uri)

    def __call__(self, version: str) -> ItemProgram:
        """The tower of a version, or of the champion where none is named.

        Raises:
            ModelNotFoundError: the registry has no such version.
            ItemTowerError: it has no program, or one that cannot be read, or the registry does not answer.
        """
        wanted = version or self._champion()
        with tempfile.TemporaryDirectory() as scratch:
            try:
                uri = self._client.get_model_version_download_uri(MODEL_TWO_TOWER, wanted)
                for file in (PROGRAM_FILE, SPEC_FILE, VOCABULARY_FILE):
                    download_artifacts(
                        artifact_uri=f"{uri}/{file}", dst_path=scratch, tracking_uri=self._client.tracking_uri
                    )
            except (MlflowException, OSError) as error:
                raise ItemTowerError(
                    f"the item tower of {MODEL_TWO_TOWER} version {wanted} is not to be had ({error}); "
                    "is the tracking server up, and was the version registered by this release?"
                ) from error
            return ItemProgram.load(Path(scratch), wanted)

    def _champion(self) -> str:
        try:
            return str(self._client.get_model_version_by_alias(MODEL_TWO_TOWER, ALIAS_CHAMPION).version)
        except MlflowException as error:
            raise ModelNotFoundError(
                f"no version of {MODEL_TWO_TOWER} has the alias {ALIAS_CHAMPION}; "
                "run first: python -m models train --date DAY"
            ) from error
