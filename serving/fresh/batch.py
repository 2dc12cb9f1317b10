"""What the served generation says that the fresh lane must know."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from contracts.clock import day_bounds


@dataclass(frozen=True)
class Batch:
    """The batch that is served.

    Args:
        model_version: Of the users' vectors; empty where it has none.
        dim: Their length.
        contents_until: Unix seconds: what happened to a content before is known to the batch.
    """

    model_version: str = ""
    dim: int = 0
    contents_until: float = float("-inf")

    @classmethod
    def of(cls, info: Mapping[str, str], time_zone: str) -> "Batch":
        """What a generation's info says; a generation of an earlier release says nothing."""
        if not info.get("contents_day"):
            return cls(info.get("vector_model_version", ""), int(info.get("vector_dim", 0)))
        ends = [day_bounds(date.fromisoformat(info["contents_day"]), time_zone)[1]]
        if info["contents_until"]:
            ends.append(datetime.fromisoformat(info["contents_until"]))
        return cls(info["vector_model_version"], int(info["vector_dim"]), min(ends).timestamp())
