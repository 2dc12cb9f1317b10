"""Why an item is there, in words for people."""

from typing import Final

from contracts.names import ItemKind, Source
from contracts.payload import KINDS, SOURCES

_WHY: Final = {
    Source.PREFERRED: "you keep coming back to {streamer}",
    Source.TWO_TOWER: "close to what you watched lately",
    Source.POPULAR: "many people value it now",
    Source.LIVE_NEIGHBORS: "people with your favourites watch {streamer}",
    Source.RELATED_STREAMERS: "{streamer} is like streamers you watch",
    Source.REPRESENTATIVE: "among the best of {streamer}",
    Source.FRESH: "just published",
    Source.EXPLORATION_CO_WATCHED: "watched by the people who watch what you watch",
    Source.EXPLORATION_CATEGORY_RISING: "rising in a category of yours",
    Source.EXPLORATION_NEWCOMER: "new here, and valued by those who watched",
    Source.EXPLORATION_LAPSED: "you used to watch {streamer}",
    Source.CO_WATCHED: "valued by those who valued what you just watched",
    Source.CONTINUE_WATCHING: "you began this and did not finish",
    Source.STAND_IN: "the newest of {streamer}, who is not live",
}


def _parts(reason: str) -> tuple[str, str | None]:
    """What stands before the streamer's name and after it; after is None where no name stands."""
    before, name, after = reason.partition("{streamer}")
    return before, after if name else None


_REASONS: Final = tuple(_parts(_WHY[source]) for source in SOURCES)
_LIVE: Final = KINDS.index(ItemKind.LIVE)


def why(source: int, kind: int, streamer: str | None) -> str:
    """One sentence, of the codes of a source and a kind."""
    before, after = _REASONS[source]
    named = before if after is None else f"{before}{streamer or 'this streamer'}{after}"
    return f"{named}, live now" if kind == _LIVE else named
