"""# ingest: one day of the watch log

Reads the log of one day, quarantines what is broken and writes that day's partition of `watch_event` and of the tables
beside it.

- **Starts** every night half an hour after the platform's day has ended (Airflow's `core.default_timezone` is the
  platform's time zone), for the day that ended. Any other day: trigger it with a partition key `YYYY-MM-DD`, or
  `airflow backfill create --dag-id ingest --from-date D --to-date D+1`.
- **Where the log is**: `STREAMREC_INGEST__LOG_FORMAT`, `..__LOG_PATH` and `..__MAPPING_PATH` in Airflow's environment.
- **Emits** `streamrec://watch_log` for its day, which starts `daily_features` for the same day.
- **When it fails**: the task's log ends in one line that names the reason. A rerun writes equal rows. `check` fails
  when the day is not what the days before let expect: mend the log and clear `import_log`, or, if the day truly is so,
  mark `check` as successful.
"""

from datetime import timedelta

from airflow.sdk import DAG, CronPartitionTimetable
from airflow.sdk.configuration import conf

from contracts import names
from dags.tasks import PARTITION_KEY_FORMAT, TASK_DEFAULTS, WATCH_LOG, command_task

with DAG(
    dag_id=names.DAG_INGEST,
    doc_md=__doc__,
    schedule=CronPartitionTimetable(
        "30 0 * * *",
        timezone=conf.get("core", "default_timezone"),
        # A new Airflow waits for its first night. False, the default, starts the last one where it is a few hours ago.
        run_immediately=timedelta(0),
        run_offset=-1,  # the run of this night is for the day that has just ended
        key_format=PARTITION_KEY_FORMAT,
    ),
    catchup=False,  # history is loaded by `python -m jobs backfill`, in one process
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["streamrec", "daily"],
):
    import_log = command_task("jobs", "import_log")
    check = command_task("jobs", "check", outlets=[WATCH_LOG])

    import_log >> check
