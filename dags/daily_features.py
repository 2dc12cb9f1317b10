"""# daily_features: what a day of watching says about users, streamers and contents

Values the day's views, derives features and training examples from them, and loads the features into Feast's online
store.

- **Starts** when `ingest` has written a day; the run's day is the partition key of that event.
- **Emits** `streamrec://features` when all of these stand and the online store has them; that starts `train_two_tower`
  for the same day.
- **next_day_metrics** judges the lists published for the day before by this day's views. Where nothing was published it
  says so and succeeds. Nothing waits for it: a bad metric must not stop the next lists.
- **forget** takes users who were erased out of all tables of all days, before anything is computed from them.
- **check** fails where a table of the day is not what the days before let expect: no model and no list is made of it.
- **When it fails**: mend and clear the failed task; each task writes one partition and gives equal rows when run twice.
"""

from airflow.sdk import DAG, PartitionedAssetTimetable

from contracts import names
from dags.tasks import DAY_BEFORE, FEATURES, TASK_DEFAULTS, WATCH_LOG, command_task

with DAG(
    dag_id=names.DAG_DAILY_FEATURES,
    doc_md=__doc__,
    schedule=PartitionedAssetTimetable(assets=WATCH_LOG),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["streamrec", "daily"],
):
    forget = command_task("jobs", "forget", day=None)
    view_valuation = command_task("jobs", "view_valuation")
    content_values = command_task("jobs", "content_values")
    preferred_streamers = command_task("jobs", "preferred_streamers")
    user_features = command_task("jobs", "user_features")
    streamer_features = command_task("jobs", "streamer_features")
    training_examples = command_task("jobs", "training_examples")
    check = command_task("jobs", "check")
    next_day_metrics = command_task("jobs", "next_day_metrics", day=f"{DAY_BEFORE} --if-published")
    apply = command_task("feature_repo", "apply", day=None)
    materialize = command_task("feature_repo", "materialize", outlets=[FEATURES])

    forget >> view_valuation
    view_valuation >> [content_values, preferred_streamers, streamer_features, training_examples, next_day_metrics]
    preferred_streamers >> user_features
    # The asset says that the features are there and fit to be used; apply needs no row, but the tables.
    [content_values, user_features, streamer_features] >> apply >> materialize
    [content_values, user_features, streamer_features, training_examples] >> check >> materialize
