"""Settings of what comes in, and of the checks of what is derived."""

from datetime import date
from pathlib import Path

from pydantic import Field

from contracts.names import Check, LogFormat
from contracts.settings.section import Section


class IngestSettings(Section):
    """What may enter the log."""

    max_quarantine_share: float = Field(0.05, ge=0, le=1, description="Above it the import fails: the log is broken.")
    max_watched_seconds: float = Field(86_400.0, gt=0, description="More in one row than a day has is absurd.")
    max_future_minutes: float = Field(5.0, ge=0, description="Clock skew of players that is still believed.")
    livestream_first_day: date = Field(
        date(2019, 7, 1), description="Day of step 0 in the `livestream` format, whose file knows steps but no dates."
    )
    livestream_step_minutes: float = Field(10.0, gt=0, description="Length of a step there: Twitch was polled so.")
    log_format: LogFormat | None = Field(None, description="What `import_log` reads when --format is not given.")
    log_path: Path | None = Field(
        None, description="Where it reads when --log is not given: a task names only its day."
    )
    mapping_path: Path | None = Field(None, description="The column mapping of the `mapped` format.")


class ChecksSettings(Section):
    """What a day's tables may look like before anything is published from them."""

    history_days: int = Field(7, ge=1, description="Days before that a day is compared with: every weekday once.")
    min_history_days: int = Field(3, ge=1, description="With fewer, a median is one odd day's opinion.")
    min_rows: int = Field(100, ge=1, description="Of a usual day; the number of fewer rows varies by chance.")
    row_ratio_lower: float = Field(0.5, ge=0, description="To the median day: less is a log that is not whole.")
    row_ratio_upper: float = Field(3.0, ge=1, description="To it: a great event doubles a day; more is bots or twice.")
    max_unknown_share: float = Field(0.05, ge=0, le=1, description="Rows whose id the catalogue does not know (yet).")
    min_drift_rows: int = Field(1_000, ge=1, description="Of either side; below it chance alone makes an index of 0.1.")
    max_drift: float = Field(0.25, gt=0, description="Population stability index: 0.1 is a shift, 0.25 a large one.")
    only_warn: tuple[Check, ...] = Field(
        (Check.UNKNOWN_IDS, Check.DRIFT),
        description="Checks that stop nothing: habits change, and a content may be watched before it is catalogued.",
    )
