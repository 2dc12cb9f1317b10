"""What the learner keeps in the store: how far it is, and what it has counted."""

import json
from dataclasses import asdict, dataclass, field, fields

from contracts.errors import PayloadError
from serving.learning.examination import Examination
from serving.learning.tail import NOWHERE, Anchor

_VERSION = 1


@dataclass(frozen=True)
class Counts:
    """What has been read and judged; every entry is counted in one cell, so a cell that is judged again adds nothing.

    Args:
        slates: Judged.
        repeated_slates: Entries of a request that stood in the stream already.
        unjudged_slates: Left out, because feedback on them may have been lost.
        successes: Positions.
        failures: Positions that were examined, or may have been.
        feedback: That fell in its slate's window.
        repeated_feedback: Of these, repetitions of the same action on the same item.
        foreign_feedback: Sent by another user than the slate's.
        unknown_items: Feedback on an item that its slate does not hold.
        late_feedback: After its slate's window, up to another window later.
        unknown_feedback: Of a request nobody has logged, or later still.
        poison: Entries of either stream that could not be read; they stand in the dead-letter streams.
        gaps: Times that a stream had been trimmed beyond what was read: entries may be lost.
    """

    slates: int = 0
    repeated_slates: int = 0
    unjudged_slates: int = 0
    successes: int = 0
    failures: int = 0
    feedback: int = 0
    repeated_feedback: int = 0
    foreign_feedback: int = 0
    unknown_items: int = 0
    late_feedback: int = 0
    unknown_feedback: int = 0
    poison: int = 0
    gaps: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """Both together."""
        return Counts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def minus(self, earlier: "Counts") -> "Counts":
        """What has come since."""
        return Counts(*(getattr(self, each.name) - getattr(earlier, each.name) for each in fields(self)))


@dataclass(frozen=True)
class LearnerState:
    """How far the streams have been learnt from.

    Args:
        through_ms: Slates up to this time are judged; 0 before the first.
        impressions_from: Entry from which on a new process has to read, itself included.
        feedback_from: The same of feedback.
        blind_until_ms: Feedback before this may have been lost: it judges nothing.
        counts: Since the first slate.
        examination: Which positions people look at.
    """

    through_ms: int = 0
    impressions_from: Anchor = NOWHERE
    feedback_from: Anchor = NOWHERE
    blind_until_ms: int = 0
    counts: Counts = field(default_factory=Counts)
    examination: Examination = field(default_factory=Examination)

    def to_json(self) -> bytes:
        """Exact: every float reads back equal."""
        return json.dumps({"version": _VERSION, **asdict(self)}).encode()

    @classmethod
    def from_json(cls, text: bytes | None) -> "LearnerState":
        """The state; the first one where there is none.

        Raises:
            PayloadError: corrupt, or of another version.
        """
        if text is None:
            return cls()
        try:
            found = json.loads(text)
            if found.pop("version") != _VERSION:
                raise PayloadError(f"learner state is not of version {_VERSION}; run the newest streamrec")
            counts, examination = Counts(**found.pop("counts")), Examination(**found.pop("examination"))
            impressions, feedback = Anchor(*found.pop("impressions_from")), Anchor(*found.pop("feedback_from"))
            return cls(found.pop("through_ms"), impressions, feedback, counts=counts, examination=examination, **found)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PayloadError(
                f"learner state cannot be read ({error!r}); delete its key and the streams are read from their start:"
                " contexts know what they have"
            ) from error
