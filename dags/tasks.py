"""What the four DAGs share: one task per command, and the day that an asset event carries."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Final

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Asset

from contracts import names

PARTITION_KEY_FORMAT: Final = "%Y-%m-%d"
DAY: Final = "{{ partition_key }}"
DAY_BEFORE: Final = "{{ macros.ds_add(partition_key, -1) }}"

WATCH_LOG: Final = Asset(names.ASSET_WATCH_LOG)
FEATURES: Final = Asset(names.ASSET_FEATURES)
CANDIDATES: Final = Asset(names.ASSET_CANDIDATES)
PUBLISHED: Final = Asset(names.ASSET_PUBLISHED)

TASK_DEFAULTS: Final = {
    "owner": "streamrec",
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=15),
    "execution_timeout": timedelta(hours=2),
}

_REPOSITORY: Final = Path(__file__).resolve().parents[1]


def command_task(package: str, command: str, *, day: str | None = DAY, **operator: object) -> BashOperator:
    """A task that runs `python -m PACKAGE COMMAND --date DAY`, named after the command.

    The interpreter is the one that reads this file, because task and DAG share an environment; `day=None` leaves
    `--date` out. Standard output is the task's log, not an XCom: what tasks hand on lies in tables.
    """
    words = [sys.executable, "-m", package, command] + (["--date", day] if day else [])
    return BashOperator(
        **{
            "task_id": command,
            "bash_command": " ".join(words),
            "cwd": str(_REPOSITORY),
            "do_xcom_push": False,
            **operator,
        }
    )
