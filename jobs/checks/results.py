"""What a check found."""

from dataclasses import dataclass

from contracts.names import Check, Severity, Verdict


@dataclass(frozen=True)
class Finding:
    """One number of a partition and where it may lie, both bounds included.

    Args:
        column: None where the number is of the whole table.
        lower: None where nothing is too low; likewise `upper`.
        comparable: False where there is too little history for bounds.
    """

    check: Check
    value: float
    column: str | None = None
    lower: float | None = None
    upper: float | None = None
    comparable: bool = True

    @property
    def verdict(self) -> Verdict:
        """NaN lies within no bounds."""
        if not self.comparable:
            return Verdict.NO_HISTORY
        above = self.lower is None or self.value >= self.lower
        below = self.upper is None or self.value <= self.upper
        return Verdict.PASSED if above and below else Verdict.FAILED


@dataclass(frozen=True)
class Result:
    """A finding of one table's snapshot, and what it means for the day."""

    table: str
    snapshot_id: str
    severity: Severity
    finding: Finding

    @property
    def stops(self) -> bool:
        """Whether nothing may be published from this."""
        return self.finding.verdict is Verdict.FAILED and self.severity is Severity.FAIL

    def line(self) -> str:
        """As a person reads it."""
        found = self.finding
        subject = f"{self.table}.{found.column}" if found.column else self.table
        bounds = (("at least", found.lower), ("at most", found.upper))
        expected = " and ".join(f"{word} {bound:.10g}" for word, bound in bounds if bound is not None)
        return f"{subject} {found.check.value} is {found.value:.10g}, may be {expected or 'anything'}"
