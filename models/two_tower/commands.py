"""The two daily tasks: train and register a model; retrieve candidates with a registered one."""

import hashlib
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from contracts import columns as c
from contracts.settings import Settings
from contracts.snapshots import Snapshot, Warehouse
from contracts.tables import RETRIEVED_CANDIDATE, USER_VECTOR
from models.two_tower.candidates import DayVectors, candidate_rows, read_retrieval_inputs, vector_rows
from models.two_tower.data import build_training_data, build_vocabularies, day_number
from models.two_tower.evaluate import measure_last_day
from models.two_tower.inputs import FeatureReader, read_training_inputs
from models.two_tower.processes import joined
from models.two_tower.register import Version, load_registered, open_client, register, started_run
from models.two_tower.storage import StoredModel
from models.two_tower.train import Curves, TrainTask, choose_device, fresh_model, use_owned_cores


@dataclass(frozen=True)
class Trained:
    """What a training run made."""

    version: Version
    curves: Curves
    examples: int


def train(settings: Settings, day: date, read_features: FeatureReader, now: datetime) -> Trained | None:
    """Train on the window that ends with `day` and register the model.

    A run that was killed goes on from its last epoch when it is started again with the same inputs and settings. Under
    torchrun all processes train, and the first one saves and registers; the others return None.

    Raises:
        NoExamplesError, EmptyCatalogueError, MissingPartitionError, FeatureStoreMissingError
    """
    use_owned_cores()
    with joined() as processes:
        inputs = read_training_inputs(settings, day, read_features)
        vocabularies = build_vocabularies(inputs)
        data = build_training_data(inputs, vocabularies, settings.two_tower, settings.platform.time_zone)
        task = TrainTask(
            model=fresh_model(settings.two_tower, vocabularies.sizes),
            data=data,
            settings=settings.two_tower,
            last_day=day_number(day),
            device=choose_device(settings.two_tower.device),
            processes=processes,
        )
        checkpoint = _checkpoint_path(settings, day, inputs.snapshots)
        if processes.rank > 0:
            task.run(checkpoint)
            return None
        measure = measure_last_day(data, day_number(day), settings.two_tower.valued_weight)
        client = open_client(settings)
        with started_run(client, settings, name=f"{day}") as log:
            log.tags(_provenance(day))
            log.parameters(settings.two_tower.model_dump())
            log.record(dict(snapshot.reference for snapshot in inputs.snapshots), "snapshots.json")
            log.record(settings.model_dump(mode="json", exclude={"redis", "mlflow"}), "settings.json")
            log.curves(task.run(checkpoint, measure), now)
            stored = StoredModel(task.model, vocabularies, settings.two_tower.history_length)
            registered = register(log, stored, _provenance(day))
        checkpoint.unlink(missing_ok=True)
        return Trained(registered, task.curves, len(data.examples))


def retrieve(settings: Settings, day: date, alias: str, now: datetime) -> tuple[Snapshot, Snapshot]:
    """Write the day's partitions of `retrieved_candidate_v1` and `user_vector_v1` with the model behind an alias.

    Raises:
        ModelNotFoundError, MissingPartitionError, EmptyCatalogueError
    """
    use_owned_cores()
    stored, found = load_registered(open_client(settings), alias)
    inputs = read_retrieval_inputs(settings, day)
    vectors = DayVectors.of(inputs, stored, found, settings, day)
    warehouse = Warehouse(settings.warehouse_path)
    # Candidates come last: a day whose candidates are of this model has its users' vectors, too.
    users = warehouse.write(USER_VECTOR, day, vector_rows(inputs, vectors), inputs.snapshots, now)
    rows = candidate_rows(inputs, vectors, settings.two_tower.candidates)
    return warehouse.write(RETRIEVED_CANDIDATE, day, rows, inputs.snapshots, now), users


def _checkpoint_path(settings: Settings, day: date, snapshots: Sequence[Snapshot]) -> Path:
    """One file per inputs and settings: a checkpoint of anything else is never gone on from."""
    identity = {
        "settings": settings.two_tower.model_dump(),
        "snapshots": sorted(snapshot.reference for snapshot in snapshots),
    }
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    return settings.home.resolve() / "checkpoints" / "two_tower" / f"{day}-{digest}.pt"


def _provenance(day: date) -> dict[str, str]:
    return {c.DT: day.isoformat(), "code_version": code_version()}


def code_version() -> str:
    """The git commit of this code, `-changed` where files differ from it, else the package's version."""
    folder = Path(__file__).resolve().parent
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty=-changed", "--exclude=*"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        return described.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        pass
    try:
        return version("streamrec")
    except PackageNotFoundError:
        return "unknown"
