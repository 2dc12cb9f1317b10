"""What a job reads for a day: said once, for the job that reads it and for the search for stale partitions."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from contracts.clock import period_start
from contracts.schema import Table


@dataclass(frozen=True)
class Need(ABC):
    """Partitions of one table that a day's partition is computed from.

    Args:
        required: The table's partition of the day itself must be there.
    """

    table: Table
    required: bool = False

    @abstractmethod
    def partitions(self, existing: Sequence[date], day: date) -> list[date]:
        """Those that `day` reads, oldest first.

        Args:
            existing: Days of which the table has a partition, oldest first.
        """


@dataclass(frozen=True)
class OfDay(Need):
    """The day's own partition."""

    def partitions(self, existing: Sequence[date], day: date) -> list[date]:
        return [day] if day in existing else []


@dataclass(frozen=True, kw_only=True)
class Window(Need):
    """The partitions that hold the rows of a trailing window; what lies before the log begins is not there.

    Args:
        window_days: Days of rows; their partitions are one more, for a clock that is fast dates a view ahead.
    """

    window_days: int

    def partitions(self, existing: Sequence[date], day: date) -> list[date]:
        first = day - timedelta(days=self.window_days)
        return [dt for dt in existing if first <= dt <= day]


@dataclass(frozen=True, kw_only=True)
class Period(Need):
    """The day's period up to the day: of a table whose partitions hold what changed since the period began.

    Args:
        period_days: As `contracts.clock.period_start` counts them.
    """

    period_days: int

    def partitions(self, existing: Sequence[date], day: date) -> list[date]:
        first = period_start(day, self.period_days)
        return [dt for dt in existing if first <= dt <= day]


@dataclass(frozen=True, kw_only=True)
class Before(Need):
    """What such a table has said last before the day: the newest period with a partition, up to the day before."""

    period_days: int

    def partitions(self, existing: Sequence[date], day: date) -> list[date]:
        before = [dt for dt in existing if dt < day]
        return [dt for dt in before if dt >= period_start(before[-1], self.period_days)]


@dataclass(frozen=True)
class Latest(Need):
    """The newest partition that is not after the day: of tables such as the catalogue, that a log need not have."""

    def partitions(self, existing: Sequence[date], day: date) -> list[date]:
        return [dt for dt in existing if dt <= day][-1:]


@dataclass(frozen=True)
class History(Need):
    """All partitions up to the day."""

    def partitions(self, existing: Sequence[date], day: date) -> list[date]:
        return [dt for dt in existing if dt <= day]
