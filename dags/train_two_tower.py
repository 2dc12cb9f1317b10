"""# train_two_tower: the day's candidates, of the model and of every other source

Trains the two towers on the days up to this one, registers the model in MLflow, and retrieves candidates for every user
with the champion. What does not wait for the model is made beside it: streamers and contents from preferences,
popularity, relatedness and exploration.

- **forget** takes users who were erased out of the models there are; the next one is trained without them.
- **Starts** when `daily_features` has emitted a day's features; the run's day is the partition key of that event.
- **Emits** `streamrec://candidates` when every source stands, which starts `publish_candidates` for the same day.
- **check** fails where a source is not what the days before let expect: no list is made of it.
- **When it fails**: mend and clear the failed task; training resumes from its last checkpoint.
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
    # The longest way to the end begins first, however many others are ready.
    train = command_task("models", "train", execution_timeout=timedelta(hours=8), priority_weight=100)
    retrieve = command_task("models", "retrieve")
    forget = command_task("models", "forget", day=None)
    popular_items = command_task("jobs", "popular_items")
    segment_lists = command_task("jobs", "segment_lists")
    representative_vods = command_task("jobs", "representative_vods")
    next_contents = command_task("jobs", "next_contents")
    related_streamers = command_task("jobs", "related_streamers")
    streamer_orientation = command_task("jobs", "streamer_orientation")
    live_candidates = command_task("jobs", "live_candidates")
    exploration_candidates = command_task("jobs", "exploration_candidates")
    check = command_task("jobs", "check", outlets=[CANDIDATES])

    forget >> train >> retrieve >> check  # it replaces files that retrieve reads
    representative_vods >> next_contents >> check
    related_streamers >> [live_candidates, exploration_candidates] >> check
    streamer_orientation >> live_candidates
    [popular_items, segment_lists] >> check
