"""The languages that the request asks for."""

import numpy as np

from serving.frame import Frame, Mask
from serving.query import Query


class LanguageFilter:
    """Drops contents and broadcasts in none of the wanted languages, but those without one; wanting none keeps all."""

    def drop(self, frame: Frame, may: Mask, query: Query) -> int | None:
        wanted = query.request.languages
        if not wanted:
            return None
        mask = query.state.catalogue.is_in(frame.rows, wanted)
        on = np.flatnonzero(frame.live >= 0)
        spoken = query.state.live.languages[frame.live[on]]
        mask[on] = [language is None or language in wanted for language in spoken]
        may &= mask
        return int(np.count_nonzero(may))
