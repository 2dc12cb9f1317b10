"""Every error streamrec raises on purpose.

A message says what was found, what was expected and what to do. Entry points print it as one line and exit with
`exit_code`; anything else that escapes is a defect and keeps its traceback.
"""

from collections.abc import Sequence


class StreamrecError(Exception):
    """Base of all named errors."""

    exit_code = 2


class SettingsError(StreamrecError):
    """A setting is missing, unknown or out of range."""


class PrerequisiteError(StreamrecError):
    """Something the machine must have is not there; the message names what to install."""


class SchemaMismatchError(StreamrecError):
    """A frame does not have the columns and types of its table."""

    def __init__(self, table: str, column: str, expected: str, found: str) -> None:
        self.table, self.column, self.expected, self.found = table, column, expected, found
        super().__init__(
            f"table {table}, column {column}: expected {expected}, found {found}; "
            "change the writer, or declare a new table version in contracts/tables"
        )


class MissingPartitionError(StreamrecError):
    """A job needs a partition that nobody has written yet."""

    def __init__(self, table: str, dt: str, run: str) -> None:
        self.table, self.dt, self.run = table, dt, run
        super().__init__(f"table {table} has no partition dt={dt}; run first: {run}")


class PartialDayError(StreamrecError):
    """A part of a day was about to stand for the whole, or for another part."""


class CorruptSnapshotError(StreamrecError):
    """A partition's pointer names a snapshot that is not whole."""


class LogFormatError(StreamrecError):
    """A log directory or file is not in the format it was said to be in."""


class TooManyBadRowsError(StreamrecError):
    """The share of quarantined rows is above the set limit."""

    def __init__(self, bad: int, total: int, limit_share: float, by_reason: dict[str, int]) -> None:
        self.bad, self.total, self.limit_share, self.by_reason = bad, total, limit_share, by_reason
        reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(by_reason.items()))
        super().__init__(
            f"{bad} of {total} rows were quarantined ({bad / max(total, 1):.1%}), above the limit of {limit_share:.1%} "
            f"({reasons}); look at the quarantine table, mend the log or raise ingest.max_quarantine_share"
        )


class ChecksFailedError(StreamrecError):
    """A day's tables are not what they may be; the message names the checks that stop it."""

    def __init__(self, dt: str, failed: Sequence[str]) -> None:
        self.dt, self.failed = dt, tuple(failed)
        super().__init__(
            f"the tables of {dt} failed {len(failed)} checks: {'; '.join(failed)}; mend the log and run its import and "
            "what depends on it again, or, if the day truly is so, change its bound or checks.only_warn in the "
            "settings; all results are in check_result_v1"
        )


class MappingError(StreamrecError):
    """A column mapping file does not describe the log it is used on."""


class EventError(StreamrecError):
    """An entry of a stream is no event: not JSON, of no known type or version, or a field is wrong."""


class PayloadError(StreamrecError):
    """A packed list is corrupt or of a version that this reader does not know."""


class StoreUnavailableError(StreamrecError):
    """The key-value store did not answer in time."""


class FeatureStoreMissingError(StreamrecError):
    """Nobody has applied the feature definitions below this `home` yet."""


class NoGenerationError(StreamrecError):
    """Nothing has been published yet, or there is no earlier generation to roll back to."""


class PublishOvertakenError(StreamrecError):
    """A publish stood still for so long that its lists may have been swept; its generation is not served."""


class ScatteredListsError(StreamrecError):
    """A list's rows stand in several places of a table too large to be sorted while it is published."""


class InvalidRequestError(StreamrecError):
    """A request names a surface that is not wired, or asks for more or fewer items than a slate can have."""


class CursorExpiredError(StreamrecError):
    """A page cursor names a generation that is no longer kept."""


class SlateNotFoundError(StreamrecError):
    """No impression of the request is in the named day's partition."""


class SlateMismatchError(StreamrecError):
    """A logged slate is not what its epoch, seed and arm set give."""


class EpochConflictError(StreamrecError):
    """Two updates of one bandit context met; the first one holds."""


class LearningElsewhereError(StreamrecError):
    """Another way of learning is in charge by `bandit.updates`; both together would count outcomes twice."""


class ModelNotFoundError(StreamrecError):
    """The registry has no version of the model under the wanted alias."""


class ItemTowerError(StreamrecError):
    """A registered model's item tower cannot be run: a file is missing, corrupt or of another format."""


class StepFailedError(StreamrecError):
    """A step of a demo or of an Airflow run ended badly; the message names its log file."""


class NoExamplesError(StreamrecError):
    """A model has nothing to learn from: no examples, or none that is a positive."""


class EmptyCatalogueError(StreamrecError):
    """There is nothing that could be recommended."""


class ServiceStartError(StreamrecError):
    """A service of the devstack did not come up; the message names its log file."""


class WorldConfigError(StreamrecError):
    """A world's config file cannot be read, or a key of it is unknown or out of range."""


class UnknownItemError(StreamrecError):
    """A slate or a request names a user or an item that the world does not have."""


class OutputFolderError(StreamrecError):
    """A folder that is to be written holds something that must not be overwritten."""


class EventVersionError(EventError):
    """An event of a version that this reader does not know."""


class ServiceError(StreamrecError):
    """The edge told its client of a problem, or gave no answer.

    Args:
        status: Of the HTTP answer; None where there was none.
        code: For programs, as `/openapi.json` has it.
        retry_after_seconds: As the edge asked for; None where it did not.
    """

    def __init__(self, status: int | None, code: str, message: str, retry_after_seconds: float | None = None) -> None:
        self.status, self.code, self.message, self.retry_after_seconds = status, code, message, retry_after_seconds
        super().__init__(f"{message} ({code})")


class RequestRefusedError(ServiceError):
    """The client asked what the edge does not answer: a wrong value, a path it does not have, or too much at once."""


class KeyRefusedError(ServiceError):
    """The edge knows no such API key."""


class SlateForgottenError(ServiceError):
    """The edge served no such slate, or too long ago to explain it."""


class PageExpiredError(ServiceError):
    """The pages before this one came from a generation that is gone; begin anew without the cursor."""


class TooManyRequestsError(ServiceError):
    """The key asks more often than it may."""


class ServiceUnavailableError(ServiceError):
    """The edge is there, and what it needs is not: nothing is published, or its store is away."""


class ServiceFailedError(ServiceError):
    """The edge failed, or whoever answered is no edge."""


class ServiceUnreachableError(ServiceError):
    """No answer came: no connection, or not in time."""
