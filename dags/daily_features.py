"""# daily_features: what a day of watching says about users, streamers and contents

Values the day's views, derives the day's tables from them, and loads the features into Feast's online store.

- **Starts** when `ingest` has written a day; the run's day is the partition key of that event.
- **Emits** `streamrec://features` when every table of the day stands and the online store has it; that starts
  `train_two_tower` for the same day.
- **next_day_metrics** judges the lists published for the day before by this day's views. Where nothing was published it
  says so and succeeds. Nothing waits for it: a bad metric must not stop the next lists.
- **check** fails where a table of the day is not what the days before let expect: no feature and no list is made of it.
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
    view_valuation = command_task("jobs", "view_valuation")
    content_values = command_task("jobs", "content_values")
    representative_vods = command_task("jobs", "representative_vods")
    preferred_streamers = command_task("jobs", "preferred_streamers")
    popular_items = command_task("jobs", "popular_items")
    user_features = command_task("jobs", "user_features")
    segment_lists = command_task("jobs", "segment_lists")
    streamer_features = command_task("jobs", "streamer_features")
    related_streamers = command_task("jobs", "related_streamers")
    streamer_orientation = command_task("jobs", "streamer_orientation")
    live_candidates = command_task("jobs", "live_candidates")
    next_contents = command_task("jobs", "next_contents")
    exploration_candidates = command_task("jobs", "exploration_candidates")
    training_examples = command_task("jobs", "training_examples")
    check = command_task("jobs", "check")
    next_day_metrics = command_task("jobs", "next_day_metrics", day=f"{DAY_BEFORE} --if-published")
    apply = command_task("feature_repo", "apply", day=None)
    materialize = command_task("feature_repo", "materialize", outlets=[FEATURES])

    view_valuation >> [content_values, preferred_streamers, popular_items, streamer_features]
    view_valuation >> [training_examples, streamer_orientation, next_day_metrics]
    preferred_streamers >> user_features >> segment_lists
    content_values >> representative_vods >> next_contents
    preferred_streamers >> related_streamers
    [related_streamers, streamer_orientation] >> live_candidates
    related_streamers >> exploration_candidates
    [content_values, user_features, streamer_features] >> apply >> materialize
    # The asset says that the whole day is there and fit to be used; no feature comes from some of these.
    [user_features, streamer_features, content_values, popular_items] >> check
    [representative_vods, segment_lists, training_examples, live_candidates, exploration_candidates] >> check
    next_contents >> check
    check >> materialize
