"""The item tower as a program of its own, so that an item has a vector where `models` is not to be had.

A registered model holds three files for it:

- `item_tower.pt2`, what `torch.export` makes: tables, buckets of age and length, and the tower. Its inputs are
  `INPUTS`, in that order, each of length N, any N; its output is float32 [N, D], unit vectors.
- `vocabularies.npz`, sorted arrays `contents`, `streamers` and `categories`: the row of `values[i]` is i + 1, that of
  every other value is 0, the shared row of what training has not met.
- `item_tower.json`, an `ItemTowerSpec`.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final

from contracts.errors import ItemTowerError

PROGRAM_FILE: Final = "item_tower.pt2"
SPEC_FILE: Final = "item_tower.json"
VOCABULARY_FILE: Final = "vocabularies.npz"
FORMAT_VERSION: Final = 1
INPUTS: Final = ("item", "streamer", "category", "kind", "published_us", "duration_seconds", "at_us")
"""Rows of content, streamer, category and kind, int64; microseconds since 1970 of the publication and of the moment
asked for, int64; the length, float64."""
NO_TIME: Final = -(2**63)
"""`published_us` of what has no time of publication; a length that is unknown is NaN, a category empty."""
CONTENTS: Final = "contents"
STREAMERS: Final = "streamers"
CATEGORIES: Final = "categories"


@dataclass(frozen=True)
class ItemTowerSpec:
    """What a reader of the program must know.

    Args:
        dim: D.
        kinds: Kinds of items; the row of `kinds[i]` is i + 1.
    """

    dim: int
    kinds: tuple[str, ...]
    inputs: tuple[str, ...] = INPUTS
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "ItemTowerSpec":
        """Read what `to_json` wrote.

        Raises:
            ItemTowerError: it is no spec, or one of another format.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            spec = cls(values["dim"], tuple(values["kinds"]), tuple(values["inputs"]), values["format_version"])
        except (ValueError, KeyError, TypeError) as error:
            raise ItemTowerError(
                f"{SPEC_FILE} is no spec of an item tower ({error!r}); register the model again"
            ) from error
        if (spec.format_version, spec.inputs) != (FORMAT_VERSION, INPUTS):
            raise ItemTowerError(
                f"{SPEC_FILE} is of format {spec.format_version} with inputs {', '.join(spec.inputs)}; this reader "
                f"knows {FORMAT_VERSION} with {', '.join(INPUTS)}; register the model again"
            )
        return spec
