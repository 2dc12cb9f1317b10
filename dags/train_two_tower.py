"""# train_two_tower: a model of the day and what it retrieves

Trains the two towers on the days up to this one, registers the model in MLflow, and retrieves candidates for every user
with the champion.

- **Starts** when `daily_features` has emitted a day's features; the run's day is the partition key of that event.
- **Emits** `streamrec://retrieved_candidates`, which starts `publish_candidates` for the same day.
- **When it fails**: training resumes from its last checkpoint when the task is retried or cleared.
"""

from datetime import timedelta

from airflow.sdk import DAG, PartitionedAssetTimetable

from contracts import names
from dags.tasks import CANDIDATES, FEATURES, TASK_DEFAULTS, command_task

with DAG(
    dag_id=names.DAG_TRAIN_TWO_TOWER,
    doc_md=__doc__,
    schedule=PartitionedAssetTimetable(assets=FEATURES),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["streamrec", "daily", "model"],
):
    train = command_task("models", "train", execution_timeout=timedelta(hours=8))
    retrieve = command_task("models", "retrieve", outlets=[CANDIDATES])

    train >> retrieve
