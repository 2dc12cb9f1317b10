"""Command line of the Spark jobs: `python -m jobs COMMAND`."""

import functools
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from contracts.errors import SettingsError, StreamrecError
from contracts.names import LogFormat, Source
from contracts.settings import Settings, load_settings
from contracts.snapshots import Warehouse
from jobs.commands.backfill import Backfill
from jobs.commands.candidate_lists import without as settings_without
from jobs.commands.registry import JOBS, Job
from jobs.session import open_session
from jobs.tables import Tables

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)

Day = Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="The platform's day.")]
