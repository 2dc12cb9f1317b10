"""What an import did: rows by table, and by reason where they did not enter."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from contracts.errors import TooManyBadRowsError
from contracts.names import QuarantineReason
from contracts.schema import Table
from contracts.tables import BROADCAST, CONTENT, EARLIER_VIEW, STREAMER, USER, USER_ACTION, WATCH_EVENT

IMPORTED = (WATCH_EVENT, USER_ACTION, USER, CONTENT, STREAMER, BROADCAST, EARLIER_VIEW)


@dataclass
class ImportReport:
    """Counts of one run.

    Args:
        quarantined: By name of the table and reason; a damaged file counts as one row.
    """

    days: list[date]
    kept: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[tuple[str, str]] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)

    def reasons(self, table: Table) -> dict[str, int]:
        return {reason: count for (name, reason), count in sorted(self.quarantined.items()) if name == table.name}

    def read(self, table: Table) -> int:
        return self.kept[table.name] + sum(self.reasons(table).values())

    def bad(self, table: Table) -> int:
        """Quarantined rows, without what is no fault of the log: a second delivery, and users who were erased."""
        no_fault = (QuarantineReason.DUPLICATE, QuarantineReason.ERASED)
        return sum(count for reason, count in self.reasons(table).items() if reason not in no_fault)

    def refuse_broken_log(self, limit_share: float) -> None:
        """Raise `TooManyBadRowsError` when a table has more than this share of bad rows."""
        for table in IMPORTED:
            bad, total = self.bad(table), self.read(table)
            if bad > limit_share * total:
                reasons = {f"{table.name} {reason}": count for reason, count in self.reasons(table).items()}
                raise TooManyBadRowsError(bad, total, limit_share, reasons)

    def lines(self) -> list[str]:
        """What the run prints."""
        return [
            f"days {self.days[0]} to {self.days[-1]}",
            *(self._line(table) for table in IMPORTED if self.read(table)),
            *(f"warning: {warning}" for warning in self.warnings),
        ]

    def _line(self, table: Table) -> str:
        reasons = [f"{reason} {count}" for reason, count in self.reasons(table).items()]
        quarantined = f"; quarantined: {', '.join(reasons)}" if reasons else ""
        return f"{table.name}: {self.read(table)} rows read, {self.kept[table.name]} kept{quarantined}"
