"""What a demo runs on: its log, its folder, its days, and the environment that all of its steps share."""

import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from contracts.clock import day_bounds
from contracts.errors import LogFormatError, SettingsError
from contracts.names import LogFormat
from contracts.settings import Settings
from devstack.services import clean_environment

_MARKER: Final = ".streamrec-demo"
_TIME_ZONES: Final = {LogFormat.KUAIRAND: "Asia/Shanghai"}
_EVENING: Final = timedelta(hours=20)


@dataclass(frozen=True)
class DemoLog:
    """A watch log and how it is read."""

    path: Path
    format: LogFormat = LogFormat.WATCH_EVENT
    mapping: Path | None = None

    @property
    def options(self) -> list[str]:
        """Options of every command that reads the log."""
        mapping = ["--mapping", str(self.mapping)] if self.mapping else []
        return ["--format", self.format.value, "--log", str(self.path), *mapping]

    @property
    def environment(self) -> dict[str, str]:
        """The same for tasks, which name only their day."""
        mapping = {"STREAMREC_INGEST__MAPPING_PATH": str(self.mapping)} if self.mapping else {}
        own = {"STREAMREC_INGEST__LOG_FORMAT": self.format.value, "STREAMREC_INGEST__LOG_PATH": str(self.path)}
        zone = _TIME_ZONES.get(self.format)
        return {**own, **mapping, **({"STREAMREC_PLATFORM__TIME_ZONE": zone} if zone else {})}


def named_log(path: Path | None, format_: LogFormat, mapping: Path | None) -> DemoLog | None:
    """The log that the person named, or None.

    Raises:
        SettingsError: the options do not fit together, or name what is not there.
    """
    if path is None:
        if format_ != LogFormat.WATCH_EVENT or mapping is not None:
            raise SettingsError(f"FORMAT={format_.value} needs the log, too: make demo LOG=DIR FORMAT={format_.value}")
        return None
    if not path.exists():
        raise SettingsError(f"LOG={path} does not exist; give the folder that holds the log")
    if format_ == LogFormat.MAPPED and (mapping is None or not mapping.is_file()):
        raise SettingsError(f"FORMAT=mapped needs MAPPING=FILE, a mapping as docs/your_log.md shows; found {mapping}")
    return DemoLog(path.resolve(), format_, mapping.resolve() if mapping else None)


def empty_home(home: Path) -> None:
    """A folder with nothing of an earlier demo, so that a second one gives the same result.

    Raises:
        SettingsError: the folder holds something that no demo wrote.
    """
    if home.exists() and any(home.iterdir()) and not (home / _MARKER).exists():
        raise SettingsError(f"{home} holds files that no demo wrote; choose another --home or remove it yourself")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / _MARKER).write_text("A demo wrote this folder; the next one removes it.\n")


@dataclass(frozen=True)
class DemoDays:
    """History from `first` on, the day of the pipeline, and the day after, which judges its lists."""

    first: date
    pipeline: date
    judge: date

    @property
    def history_end(self) -> date:
        return self.pipeline - timedelta(days=1)

    def evening(self, settings: Settings) -> datetime:
        """When the slates are asked for: most people watch then."""
        return day_bounds(self.judge, settings.platform.time_zone)[0] + _EVENING


def choose_days(found: Sequence[date]) -> DemoDays:
    """The last two days in a row that have history before them.

    Raises:
        LogFormatError: there are none.
    """
    days = sorted(set(found))
    for judge in reversed(days[2:]):
        if judge - timedelta(days=1) in days:
            return DemoDays(days[0], judge - timedelta(days=1), judge)
    shown = ", ".join(map(str, days)) or "none"
    raise LogFormatError(
        f"the log's days are {shown}; the demo needs history, a day for the pipeline and the day after, which judges it"
    )


def demo_environment(settings: Settings, log: DemoLog, environment: Mapping[str, str]) -> dict[str, str]:
    """For every step: the person's own STREAMREC variables hold, but for what a demo decides."""
    home = settings.home.resolve()
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    own = {"STREAMREC_HOME": str(home), "TMPDIR": str(home / "tmp"), "MPLCONFIGDIR": str(home / "tmp" / "matplotlib")}
    return {**clean_environment(environment), **log.environment, **own}


def write_environment_file(home: Path, environment: Mapping[str, str]) -> None:
    """What a shell needs to go on where the demo ended: `. demo/settings.env`."""
    own = {name: value for name, value in sorted(environment.items()) if name.startswith("STREAMREC_")}
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in own.items()]
    (home / "settings.env").write_text("".join(lines))
