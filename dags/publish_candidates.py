"""# publish_candidates: the day's lists reach Redis

Fuses all sources into one list per user and surface and publishes them as a new generation: all of it or nothing.
The channel pages' database gets the representative VODs.
Beside it, the day's impressions and feedback leave their streams; the impressions move the bandit's posteriors (unless
`bandit.updates` is `stream`: then `python -m serving learn` does) and are counted by kind of exploration.

- **Starts** when `train_two_tower` has made a day's candidates; the run's day is the partition key of that event.
- **Emits** `streamrec://published_lists`.
- **check** fails where the lists are not what the days before let expect: nothing is published.
- **When it fails**: readers stay on the generation before. `python -m serving rollback` goes one generation back.
"""

from airflow.sdk import DAG, PartitionedAssetTimetable

from contracts import names
from dags.tasks import CANDIDATES, PUBLISHED, TASK_DEFAULTS, command_task

with DAG(
    dag_id=names.DAG_PUBLISH_CANDIDATES,
    doc_md=__doc__,
    schedule=PartitionedAssetTimetable(assets=CANDIDATES),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["streamrec", "daily", "serving"],
):
    candidate_lists = command_task("jobs", "candidate_lists")
    check = command_task("jobs", "check")
    publish = command_task("serving", "publish", outlets=[PUBLISHED])
    publish_channels = command_task("serving", "publish_channels")
    sync_seen = command_task("serving", "sync_seen")
    drain_impressions = command_task("serving", "drain_impressions")
    drain_feedback = command_task("serving", "drain_feedback")
    update_posteriors = command_task("serving", "update_posteriors")
    exploration_report = command_task("jobs", "exploration_report")

    candidate_lists >> check >> publish >> [sync_seen, publish_channels]
    drain_impressions >> [update_posteriors, exploration_report]
